"""What `chalice deploy` does not see by itself: mended before and after it.

Before: an event source mapping that reads a stream or queue that is no longer ours is deleted (Chalice would keep it
and report success); what an earlier deployment made and nobody wrote down (it failed on the way, or its record is lost)
is written down, or Chalice would try to make it again and stop. After: a function whose place in the code has moved
gets its new handler, which Chalice leaves as it was; a WebSocket API that it only gave its routes is put into effect.
"""

import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any

from chalice.config import Config
from chalice.deploy import models
from chalice.deploy.appgraph import ApplicationGraphBuilder, DependencyBuilder

from infra import socket_api
from infra.deployment import Action, Deployment, NotYet, patiently

MAPPINGS = (models.DynamoDBEventSource, models.SQSEventSource)


def before(deployment: Deployment) -> Iterator[Action]:
    """Stale mappings away; what is there and not written down, written down."""
    deployed = deployment.deployed()
    for resource in resources(deployment):
        if isinstance(resource, MAPPINGS):
            yield from _mapping(deployment, resource, deployed)
        if isinstance(resource, models.RestAPI):
            yield from _api(deployment, resource, deployed.get(resource.resource_name, {}).get("rest_api_id"))


def after(deployment: Deployment) -> Iterator[Action]:
    """Functions whose handler is not what the code says, and a WebSocket API that is not in effect."""
    functions = deployment.client("lambda")
    for resource in resources(deployment):
        if isinstance(resource, models.LambdaFunction):
            name, handler = resource.function_name, resource.handler
            if _handler(functions, name) != handler:
                yield Action(f"point {name} at {handler}", partial(_point, functions, name, handler))
    yield from socket_api.after(deployment)


def mappings(deployment: Deployment, function: str) -> list[dict[str, Any]]:
    """The event source mappings of one function that are not on their way out."""
    pages = deployment.client("lambda").get_paginator("list_event_source_mappings").paginate()
    return [
        mapping
        for page in pages
        for mapping in page["EventSourceMappings"]
        if mapping["FunctionArn"].split(":")[6] == function and mapping.get("State") != "Deleting"
    ]


def resources(deployment: Deployment) -> list[Any]:
    """What Chalice would make of the app, by its own account."""
    config = Config(
        deployment.stage,
        user_provided_params={"chalice_app": _app(deployment), "project_dir": str(deployment.root)},
        config_from_disk=deployment.config,
        default_params={"api_gateway_stage": "api"},
    )
    application = ApplicationGraphBuilder().build(config, deployment.stage)
    return list(DependencyBuilder().build_dependencies(application))


def _app(deployment: Deployment) -> Any:
    if "REPORTS_STREAM_ARN" not in deployment.settings:
        raise NotYet("the settings")
    os.environ.update(deployment.settings)
    sys.path.insert(0, str(deployment.root))
    sys.dont_write_bytecode = True  # what is cached beside the code would be packaged with it
    try:
        return import_module("app").app
    finally:
        sys.path.pop(0)


def _handler(functions: Any, name: str) -> str:
    try:
        return str(functions.get_function_configuration(FunctionName=name)["Handler"])
    except functions.exceptions.ResourceNotFoundException:
        raise NotYet(name) from None


def _point(functions: Any, name: str, handler: str) -> None:
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)  # Chalice may just have changed it
    functions.update_function_configuration(FunctionName=name, Handler=handler)


def _mapping(deployment: Deployment, resource: Any, deployed: dict[str, Any]) -> Iterator[Action]:
    function = resource.lambda_function.function_name
    for mapping in mappings(deployment, function):
        source, uuid = mapping["EventSourceArn"], mapping["UUID"]
        if not _is_ours(resource, source):
            yield Action(f"delete the mapping from {source} to {function}", partial(_drop, deployment, uuid))
        elif deployed.get(resource.resource_name, {}).get("event_uuid") != uuid:
            entry = _entry(resource) | {
                "event_uuid": uuid,
                "lambda_arn": mapping["FunctionArn"],
                **_source(resource, source),
            }
            yield Action(f"take over the mapping from {source} to {function}", partial(deployment.record, entry))


def _is_ours(resource: Any, arn: str) -> bool:
    if isinstance(resource, models.DynamoDBEventSource):
        return bool(arn == resource.stream_arn)
    return arn.rsplit(":", 1)[-1] == resource.queue


def _source(resource: Any, arn: str) -> dict[str, str]:
    if isinstance(resource, models.DynamoDBEventSource):
        return {"stream_arn": arn}
    return {"queue_arn": arn, "queue": resource.queue}


def _api(deployment: Deployment, resource: Any, known: str | None) -> Iterator[Action]:
    """Ours, if the record has none or one that is elsewhere or gone: Chalice would make a second."""
    found = _apis(deployment)
    for api in found[:1] if known not in found else ():
        url = f"https://{api}.execute-api.{deployment.region}.amazonaws.com/{deployment.api_stage}/"
        entry = _entry(resource) | {"rest_api_id": api, "rest_api_url": url}
        yield Action(f"take over the API {api}", partial(deployment.record, entry))


def _apis(deployment: Deployment) -> list[str]:
    """The API that hands its requests to our function, by whatever stage it is deployed: other stages have the same
    name."""
    client = deployment.client("apigateway")
    pages = client.get_paginator("get_rest_apis").paginate()
    named = [api["id"] for page in pages for api in page["items"] if api["name"] == deployment.config["app_name"]]
    return [api for api in named if f":function:{deployment.name}/" in json.dumps(_integrations(client, api))]


def _integrations(client: Any, api: str) -> list[Any]:
    pages = client.get_paginator("get_resources").paginate(restApiId=api, embed=["methods"])
    return [resource.get("resourceMethods", {}) for page in pages for resource in page["items"]]


def _entry(resource: Any) -> dict[str, str]:
    return {"name": resource.resource_name, "resource_type": resource.resource_type}


def _drop(deployment: Deployment, uuid: str) -> None:
    patiently(deployment.client("lambda").delete_event_source_mapping, UUID=uuid)
    deployment.write_down([entry for entry in deployment.deployed().values() if entry.get("event_uuid") != uuid])
