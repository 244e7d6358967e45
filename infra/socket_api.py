"""The WebSocket API of the chat, and what Chalice does about it too late or not at all.

The functions are told its address, so it is made before them; Chalice would make it after them. To one that is there
Chalice gives its routes and functions, but puts nothing into effect: that is done after it, once. What is in effect
stays so while Chalice renews the routes, and leads to functions whose names never change. See
`docs/adr/0029-deploying-sockets.md`.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.deployment import Action, Deployment, NotYet

RECORD = "websocket_api"  # what Chalice calls it in its record


def before(deployment: Deployment) -> Iterator[Action]:
    """It is there and written down: Chalice would make a second of one that it does not know."""
    api = _find(deployment)
    if not api:
        yield Action("make the WebSocket API", partial(_make, deployment))
    elif _known(deployment) != api:
        yield Action(f"take over the WebSocket API {api}", partial(_record, deployment, api))


def after(deployment: Deployment) -> Iterator[Action]:
    """It is in effect, under the name of the stage."""
    client, api = deployment.client("apigatewayv2"), socket_api(deployment)
    stages = [stage["StageName"] for stage in client.get_stages(ApiId=api)["Items"]]
    if deployment.api_stage not in stages:
        yield Action("put the WebSocket API into effect", partial(_open, client, api, deployment.api_stage))


def socket_api(deployment: Deployment) -> str:
    """Its id. Raises NotYet before it is made."""
    api = _find(deployment)
    if not api:
        raise NotYet("the WebSocket API")
    return api


def addresses(deployment: Deployment) -> dict[str, str]:
    """Where pages connect, and where functions write to who is connected. Raises NotYet."""
    place = _place(deployment, socket_api(deployment))
    return {"CHAT_SOCKET": f"wss://{place}", "CHAT_MANAGEMENT": f"https://{place}"}


def _find(deployment: Deployment) -> str | None:
    """The one that is written down, if it is still there; else one of our name."""
    pages = deployment.client("apigatewayv2").get_paginator("get_apis").paginate()
    found = [api["ApiId"] for page in pages for api in page["Items"] if api["Name"] == _name(deployment)]
    return _known(deployment) if _known(deployment) in found else next(iter(found), None)


def _name(deployment: Deployment) -> str:
    """As Chalice calls it: the stage is in it, so those of two stages in one account do not meet."""
    return f"{deployment.name}-websocket-api"


def _known(deployment: Deployment) -> str | None:
    return deployment.deployed().get(RECORD, {}).get("websocket_api_id")


def _place(deployment: Deployment, api: str) -> str:
    return f"{api}.execute-api.{deployment.region}.amazonaws.com/{deployment.api_stage}"


def _make(deployment: Deployment) -> None:
    """As Chalice makes it. If we die before it is written down, it is found by its name."""
    made = deployment.client("apigatewayv2").create_api(
        Name=_name(deployment), ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )
    _record(deployment, made["ApiId"])


def _record(deployment: Deployment, api: str) -> None:
    url = f"wss://{_place(deployment, api)}/"
    deployment.record({"name": RECORD, "resource_type": RECORD, "websocket_api_url": url, "websocket_api_id": api})


def _open(client: Any, api: str, stage: str) -> None:
    """If we die between the two, a deployment is left that nobody sees, and the next run makes another."""
    deployment = client.create_deployment(ApiId=api)["DeploymentId"]
    client.create_stage(ApiId=api, StageName=stage, DeploymentId=deployment)
