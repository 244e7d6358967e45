"""What `chalice deploy` cannot set: how event sources fail, and how the API defends itself.

A redeploy keeps it, but for the words of what API Gateway refuses by itself: those are set again each time.

Nothing here is needed for reports to be safe: without it, what fails is tried again for as long as the stream or the
queue keeps it, and the API is as API Gateway makes it.
"""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from chalicelib.handlers.http import ONLY_OVER_TLS, POLICY, SAFE_HEADERS
from infra.deployment import Action, Deployment, GiveUp, NotYet, patiently
from infra.mend import mappings
from infra.socket_api import socket_api

ONLY_REPORTS = {"Filters": [{"Pattern": json.dumps({"dynamodb": {"NewImage": {"sk": {"S": ["REPORT"]}}}})}]}
# What a flood of all addresses together may take of the 10,000 requests a second and the 1,000 functions at once that
# all APIs of the account share. A report is some seventy requests of its person, and a force's surge is one in four
# seconds; a stage that serves a country says `requests_per_second`.
RATE_PER_SECOND = 100
# 200 conversations at once are some hundred frames a second with both sides typing. The burst is what `prod` lets the
# function run at once: a flood is turned away here, and takes nothing from the rest of the account. Whoever is turned
# away polls.
FRAMES_PER_SECOND, FRAMES_AT_ONCE = 200, 100
# Neither the caller's address nor the path: who reports what is nobody's business, and a path may have a reference.
ACCESS_LOG = json.dumps(
    {
        "requestId": "$context.requestId",
        "functionRequestId": "$context.integration.requestId",
        "time": "$context.requestTime",
        "method": "$context.httpMethod",
        "resource": "$context.resourcePath",
        "status": "$context.status",
        "milliseconds": "$context.responseLatency",
        "error": "$context.error.responseType",
    }
)
SOCKET_LOG = json.dumps(  # nor whose connection it was, nor what was said
    {
        "requestId": "$context.requestId",
        "functionRequestId": "$context.integration.requestId",
        "time": "$context.requestTime",
        "event": "$context.eventType",
        "status": "$context.status",
        "milliseconds": "$context.integrationLatency",
        "error": "$context.error.responseType",
    }
)
# What API Gateway refuses by itself. It does not tell a wrong method from an unknown address.
REFUSALS: dict[str, tuple[int | None, str, str]] = {
    "MISSING_AUTHENTICATION_TOKEN": (404, "Not found", "Check the address and the method."),
    "RESOURCE_NOT_FOUND": (404, "Not found", "Check the address and the method."),
    "BAD_REQUEST_BODY": (400, "The request cannot be read", "Check its form."),
    "REQUEST_TOO_LARGE": (413, "The request is too large", "A report may be up to 256 KB."),
    "UNSUPPORTED_MEDIA_TYPE": (415, "This address does not take that type of content", "See /openapi.json."),
    "THROTTLED": (429, "Too many requests at the moment", "Try again in a minute. If it is urgent, call 101."),
    "INTEGRATION_FAILURE": (504, "Something went wrong on our side", "Try again in a minute."),
    "INTEGRATION_TIMEOUT": (504, "Something went wrong on our side", "Try again in a minute."),
    # Whatever else it refuses, each with a status of its own: one given here would become that of all of them.
    "DEFAULT_4XX": (None, "We could not do that", "Check the request. If it is urgent, call 101."),
    "DEFAULT_5XX": (None, "Something went wrong on our side", "Try again in a minute. If it is urgent, call 101."),
}
# With the headers of our own answers. API Gateway puts a fixed value into single quotes, so none may be in it: a
# directive without sources means the same as 'none'.
REFUSAL_HEADERS = {
    f"gatewayresponse.header.{name}": f"'{value}'"
    for name, value in {
        **SAFE_HEADERS,
        **ONLY_OVER_TLS,
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join(POLICY),
        "Content-Type": "application/problem+json",
    }.items()
}


def actions(deployment: Deployment) -> Iterator[Action]:
    """What is not yet as it should be."""
    yield from _event_sources(deployment)
    yield from _refusals(deployment)
    yield from _logs_of_the_account(deployment)
    yield from _api_stage(deployment)
    yield from _firewall(deployment)
    yield from _socket_stage(deployment)


def limits_of(deployment: Deployment) -> tuple[int, int]:
    """How many requests a second the API takes, and how many at once: what two seconds of that bring."""
    rate = int(deployment.option("requests_per_second", RATE_PER_SECOND))
    return rate, 2 * rate


def _event_sources(deployment: Deployment) -> Iterator[Action]:
    functions = deployment.client("lambda")
    dead = f"arn:aws:sqs:{deployment.region}:{deployment.account}:{deployment.name}-stream-dead"
    options: dict[str, Any] = {
        # The handler raises; but should one ever answer with the records that failed, none of them is lost.
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": -1,  # until it is an hour old: an outage is waited for, a bad record holds up no longer
        "MaximumRecordAgeInSeconds": 60 * 60,
        "DestinationConfig": {"OnFailure": {"Destination": dead}},
        "FilterCriteria": ONLY_REPORTS,
    }
    for mapping in mappings(deployment, f"{deployment.name}-on_report_change"):
        if any(mapping.get(name) != value for name, value in options.items()):
            do = partial(patiently, functions.update_event_source_mapping, UUID=mapping["UUID"], **options)
            yield Action("let the stream retry, bisect, filter, and put aside what fails", do)
    for name in ("on_report_change", "on_triage", "on_letter"):
        for mapping in mappings(deployment, f"{deployment.name}-{name}"):
            if mapping["State"] in ("Disabled", "Disabling"):
                change = functions.update_event_source_mapping
                yield Action(f"wake {name} again", partial(patiently, change, UUID=mapping["UUID"], Enabled=True))


def _refusals(deployment: Deployment) -> Iterator[Action]:
    client, api = deployment.client("apigateway"), _api(deployment)
    found = client.get_gateway_responses(restApiId=api, limit=500).get("items", [])
    names = ("statusCode", "responseParameters", "responseTemplates")
    has = {one["responseType"]: {name: one[name] for name in names if one.get(name)} for one in found}
    wanted = {kind: _refusal(*told) for kind, told in REFUSALS.items()}
    missing = {kind: answer for kind, answer in wanted.items() if has.get(kind) != answer}
    if missing:
        do = partial(_answer, client, api, deployment.api_stage, missing)
        yield Action("answer what API Gateway refuses by itself with problem documents", do)


def _answer(client: Any, api: str, stage: str, answers: dict[str, dict[str, Any]]) -> None:
    for kind, answer in answers.items():
        client.put_gateway_response(restApiId=api, responseType=kind, **answer)
    patiently(client.create_deployment, restApiId=api, stageName=stage)  # puts them into effect


def _refusal(status: int | None, title: str, detail: str) -> dict[str, Any]:
    """What `put_gateway_response` takes: a problem document, and the status if it is ours to say."""
    own = {"status": status} if status else {}
    document = json.dumps({"type": "about:blank", "title": title, **own, "detail": detail})
    answer = {"responseParameters": REFUSAL_HEADERS, "responseTemplates": {"application/json": document}}
    return answer | ({"statusCode": str(status)} if status else {})


def _logs_of_the_account(deployment: Deployment) -> Iterator[Action]:
    """API Gateway writes logs under one role for the whole account; whoever was here first keeps theirs."""
    client = deployment.client("apigateway")
    if not client.get_account().get("cloudwatchRoleArn"):
        role = deployment.outputs("observability", "ApiGatewayLogRoleArn")["ApiGatewayLogRoleArn"]
        operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
        do = partial(patiently, client.update_account, patchOperations=[operation])
        yield Action("let API Gateway write logs in this account", do)


def _api_stage(deployment: Deployment) -> Iterator[Action]:
    client, stage = deployment.client("apigateway"), deployment.api_stage
    found = client.get_stage(restApiId=_api(deployment), stageName=stage)
    limits, log = found.get("methodSettings", {}).get("*/*", {}), found.get("accessLogSettings", {})
    rate, burst = limits_of(deployment)
    wanted = {
        "/*/*/throttling/rateLimit": (limits.get("throttlingRateLimit"), rate),
        "/*/*/throttling/burstLimit": (limits.get("throttlingBurstLimit"), burst),
        "/accessLogSettings/destinationArn": (log.get("destinationArn"), _log_group(deployment, "")),
        "/accessLogSettings/format": (log.get("format"), ACCESS_LOG),
    }
    operations = [{"op": "replace", "path": path, "value": str(value)} for path, (has, value) in wanted.items()
                  if has != value]  # fmt: skip
    if operations:
        do = partial(client.update_stage, restApiId=_api(deployment), stageName=stage, patchOperations=operations)
        yield Action(f"limit the API to {rate} requests a second, and log each without the person", do)
    if found.get("tracingEnabled"):  # Chalice takes it from the function
        off = [{"op": "replace", "path": "/tracingEnabled", "value": "false"}]
        do = partial(client.update_stage, restApiId=_api(deployment), stageName=stage, patchOperations=off)
        yield Action("keep addresses out of the traces: they have references and keys in them", do)


def _socket_stage(deployment: Deployment) -> Iterator[Action]:
    client, where = (
        deployment.client("apigatewayv2"),
        {"ApiId": socket_api(deployment), "StageName": deployment.api_stage},
    )
    wanted: dict[str, dict[str, Any]] = {
        "DefaultRouteSettings": {
            "ThrottlingRateLimit": FRAMES_PER_SECOND,
            "ThrottlingBurstLimit": FRAMES_AT_ONCE,
            "LoggingLevel": "OFF",  # it would log what people say
            "DataTraceEnabled": False,
        },
        "AccessLogSettings": {"DestinationArn": _log_group(deployment, "-chat"), "Format": SOCKET_LOG},
    }
    try:
        found = client.get_stage(**where)
    except client.exceptions.NotFoundException:
        raise NotYet("the stage of the WebSocket API") from None
    if any(found.get(name, {}) | settings != found.get(name, {}) for name, settings in wanted.items()):
        do = partial(client.update_stage, **where, **wanted)
        yield Action(f"limit the chat to {FRAMES_PER_SECOND} frames a second, and log each without its words", do)


def _log_group(deployment: Deployment, which: str) -> str:
    group = f"/aws/apigateway/{deployment.name}{which}"
    return f"arn:aws:logs:{deployment.region}:{deployment.account}:log-group:{group}"


def _firewall(deployment: Deployment) -> Iterator[Action]:
    client = deployment.client("wafv2")
    stage = f"arn:aws:apigateway:{deployment.region}::/restapis/{_api(deployment)}/stages/{deployment.api_stage}"
    acls = client.list_web_acls(Scope="REGIONAL", Limit=100)["WebACLs"]
    ours = [acl["ARN"] for acl in acls if acl["Name"] == deployment.name]
    if not ours:
        raise GiveUp(f"The web ACL {deployment.name} is missing: somebody deleted it, or it is not the first "
                     f"hundred's. Update the stack {deployment.stack_name('data')}.")  # fmt: skip
    if client.get_web_acl_for_resource(ResourceArn=stage).get("WebACL", {}).get("ARN") not in ours:
        do = partial(patiently, client.associate_web_acl, WebACLArn=ours[0], ResourceArn=stage)
        yield Action("put the web ACL before the API", do)


def _api(deployment: Deployment) -> str:
    if "rest_api" not in deployment.deployed():
        raise NotYet("the API")
    return str(deployment.deployed()["rest_api"]["rest_api_id"])
