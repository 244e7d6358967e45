"""moto with what `chalice deploy` and our own deployment need and moto lacks: `python -m tests.rehearsal_aws`.

Prints its port. It can be told to refuse an operation, and to have a stack be in some state: see `Control`.
"""

import copy
import json
from collections.abc import Callable, Iterable
from typing import Any

from moto.apigateway.models import APIGatewayBackend, RestAPI
from moto.apigatewayv2.exceptions import BadRequestException
from moto.apigatewayv2.models import Api, Stage
from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.apigatewayv2.urls import url_paths as socket_paths
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.awslambda.responses import LambdaResponse
from moto.awslambda.urls import url_paths as lambda_paths
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.common_models import CloudFormationModel
from moto.core.responses import TYPE_RESPONSE, ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends
from moto.wafv2.models import wafv2_backends

from infra.local import moto_server

# API Gateway


def _import_rest_api(backend: APIGatewayBackend, document: dict[str, Any], fail_on_warnings: bool) -> RestAPI:
    return _moto_import(backend, _as_moto_reads_it(document), fail_on_warnings)


def _put_rest_api(
    backend: APIGatewayBackend, api_id: str, document: dict[str, Any], fail_on_warnings: bool, mode: str = "merge"
) -> RestAPI:
    if mode == "overwrite":
        backend.get_rest_api(api_id).gateway_responses.clear()  # they are part of the definition
    return _moto_put(backend, api_id, _as_moto_reads_it(document), fail_on_warnings, mode)


def _as_moto_reads_it(document: dict[str, Any]) -> dict[str, Any]:
    """Chalice writes Swagger 2.0 and moto wants OpenAPI 3; what it reads of the two is the same."""
    if "securityDefinitions" in document:
        raise NotImplementedError("moto would drop the authorizers of this API")
    read = copy.deepcopy(document)
    read.pop("swagger", None)
    read["openapi"] = "3.0.1"
    read["info"].setdefault("description", "")
    return read


def _create_deployment(api: RestAPI, name: str, *arguments: Any, **more: Any) -> Any:
    """Deployed anew, a stage keeps its settings."""
    before = api.stages.get(name)
    deployment = _moto_deploy(api, name, *arguments, **more)
    if before:
        before.deployment_id = deployment.id
        api.stages[name] = before
    return deployment


_moto_import, _moto_put = APIGatewayBackend.import_rest_api, APIGatewayBackend.put_rest_api
_moto_deploy = RestAPI.create_deployment


# WebSocket APIs


def _deploy_sockets(response: ApiGatewayV2Response) -> TYPE_RESPONSE:
    """moto has no deployments. One keeps the routes as they were: what is changed later is in no stage."""
    api = response.apigatewayv2_backend.get_api(response.path.split("/")[-2])
    routes = {route.route_key: api.get_integration(route.target.split("/")[1]) for route in api.get_routes()}
    if not routes:
        raise BadRequestException("At least one route is required before deploying the Api.")
    id = f"d{len(_deployments)}"
    _deployments[id] = {key: integration.integration_uri for key, integration in routes.items()}
    return 201, {}, json.dumps({"deploymentId": id, "deploymentStatus": "DEPLOYED", "autoDeployed": False})


def _stage_of_sockets(stage: Stage) -> dict[str, Any]:
    """With its deployment, which moto forgets, and the routes of that, which AWS does not tell: for our gateway."""
    deployment = stage.config.get("deploymentId", "")
    return _moto_stage(stage) | {"deploymentId": deployment, "stageVariables": _deployments.get(deployment, {})}


def _update_stage(response: ApiGatewayV2Response) -> TYPE_RESPONSE:
    """moto has it of REST APIs only."""
    *_, api, _, name = response.path.split("/")
    stage, told = response.apigatewayv2_backend.get_stage(api, name), json.loads(response.body)
    stage.default_route_settings |= told.pop("defaultRouteSettings", {})
    stage.access_log_settings = told.pop("accessLogSettings", stage.access_log_settings)
    assert not told, f"the rehearsal does not know {told}"
    return 200, {}, json.dumps(stage.to_json())


def _delete_integration(api: Api, id: str) -> None:
    """AWS refuses while a route leads there."""
    if any(route.target == f"integrations/{id}" for route in api.get_routes()):
        raise BadRequestException(f"Cannot delete Integration '{id}' because it is referenced by a Route")
    _moto_delete_integration(api, id)


_deployments: dict[str, dict[str, str]] = {}  # id -> route key -> where it leads
_moto_stage, _moto_delete_integration = Stage.to_json, Api.delete_integration


# Lambda


def _create_event_source_mapping(backend: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
    """As moto does it, but no second one; and out of moto's own hands: it would run the function in Docker, and lose
    what it was to handle if there is no Docker."""
    function = spec["FunctionName"].split(":")[-1]
    for there in backend._event_source_mappings.values():
        if (there.event_source_arn, there.function_arn.split(":")[-1]) == (spec["EventSourceArn"], function):
            raise LambdaClientError("ResourceConflictException", f"The mapping exists already: {there.uuid}")
    mapping = _moto_map(backend, spec)
    for queue in sqs_backends[backend.account_id][backend.region_name].queues.values():
        queue.lambda_event_source_mappings.clear()
    for table in dynamodb_backends[backend.account_id][backend.region_name].tables.values():
        table.lambda_event_source_mappings.clear()
    return mapping


def _get_account_settings(_: LambdaResponse) -> str:
    return json.dumps({"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}})


_moto_map = LambdaBackend.create_event_source_mapping


# CloudFormation


class WebAcl(CloudFormationModel):
    """moto has web ACLs, but not in templates."""

    __module__ = "moto.wafv2"  # moto sorts its models by that

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::WAFv2::WebACL"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> "WebAcl":
        names = ("visibility_config", "default_action", "scope", "rules", "custom_response_bodies")
        given = {camelcase_to_underscores(name): value for name, value in cloudformation_json["Properties"].items()}
        unused = ("tags", "association_config", "captcha_config", "challenge_config", "token_domains")
        acl = wafv2_backends[account_id][region_name].create_web_acl(
            name=resource_name,
            description="",
            **{name: given.get(name) for name in names},
            **dict.fromkeys(unused),
        )
        return cls(acl.arn)

    @classmethod
    def update_from_cloudformation_json(cls, original_resource: "WebAcl", **_: Any) -> "WebAcl":
        return original_resource


def _update_termination_protection(response: CloudFormationResponse) -> ActionResult:
    name = response._get_param("StackName")
    stack = response.cloudformation_backend.get_stack(name)
    stack.enable_termination_protection = response._get_bool_param("EnableTerminationProtection")
    return ActionResult({"StackId": stack.stack_id})


# Trouble


class Control:
    """What a test may have go wrong. `POST /rehearsal/refuse` takes `{"operation", "code"}`: from then on the operation
    (`*`: every one) fails with that code, `{}` ends it. `POST /rehearsal/stack` takes `{"name", "status"}`.
    """

    def __init__(self) -> None:
        self._refused: dict[str, str] = {}

    def call(self, response: BaseResponse) -> Any:
        """In place of moto's own way from a request to an answer."""
        operation = self._refused.get("operation")
        if operation and operation in ("*", response._get_action()):
            return _refusal(self._refused["code"], as_xml="Action" in response.querystring)
        return _moto_call(response)

    def before(self, app: moto_server.Wsgi) -> moto_server.Wsgi:
        """Take our own requests out of those that go to `app`."""

        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if not environ["PATH_INFO"].startswith("/rehearsal/"):
                return app(environ, start_response)
            told = json.load(environ["wsgi.input"])
            {"refuse": self._refuse, "stack": _set_stack}[environ["PATH_INFO"].removeprefix("/rehearsal/")](told)
            start_response("204 No Content", [])
            return []

        return answer

    def _refuse(self, told: dict[str, str]) -> None:
        self._refused = told


def _refusal(code: str, as_xml: bool) -> tuple[int, dict[str, str], str]:
    """An error as AWS words it: the older services do so in XML."""
    message = "the rehearsal refuses this"
    if as_xml:
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        return 400, {"Content-Type": "text/xml"}, f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
    return 400, {"x-amzn-errortype": code}, json.dumps({"__type": code, "message": message})


def _set_stack(told: dict[str, str]) -> None:
    for account in cloudformation_backends.values():
        for backend in account.values():
            for stack in backend.stacks.values():
                if stack.name == told["name"]:
                    stack.status = told["status"]


_moto_call = BaseResponse.call_action


def main() -> None:
    """Serve until killed."""
    control, dispatch = Control(), moto_server.DomainDispatcherApplication
    BaseResponse.call_action = lambda response: control.call(response)
    moto_server.DomainDispatcherApplication = lambda create: control.before(dispatch(create))
    APIGatewayBackend.import_rest_api, APIGatewayBackend.put_rest_api = _import_rest_api, _put_rest_api
    RestAPI.create_deployment = _create_deployment
    ApiGatewayV2Response.create_deployment, ApiGatewayV2Response.update_stage = _deploy_sockets, _update_stage
    Stage.to_json, Api.delete_integration = _stage_of_sockets, _delete_integration
    socket_paths["{0}/v2/apis/(?P<api_id>[^/]+)/deployments$"] = ApiGatewayV2Response.dispatch
    LambdaBackend.create_event_source_mapping = _create_event_source_mapping
    LambdaResponse.get_account_settings = _get_account_settings
    lambda_paths[r"{0}/2016-08-19/account-settings/?$"] = LambdaResponse.dispatch
    CloudFormationResponse.update_termination_protection = _update_termination_protection
    moto_server.main()


if __name__ == "__main__":
    main()
