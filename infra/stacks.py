"""The CloudFormation stacks: made or changed to be as the templates say, mended if an earlier try was cut off."""

from collections.abc import Iterator
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError, WaiterError

from infra.deployment import Action, Deployment, GiveUp

TEMPLATES = Path(__file__).parent
NEVER_CAME_UP = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"}
STUCK = {"UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"}
KEPT = {"data", "identity"}  # what nobody may delete by mistake


def wanted(deployment: Deployment) -> dict[str, dict[str, str]]:
    """The stacks of this stage, in order, with their parameters."""
    stacks = {"data": {"Stage": deployment.stage}, "identity": _identity(deployment)}
    if deployment.option("oidc_issuer"):  # officers sign in elsewhere
        del stacks["identity"]
    return stacks | {"observability": _observability(deployment)}


def actions(deployment: Deployment) -> Iterator[Action]:
    """What has to be done to each stack."""
    for stack, parameters in wanted(deployment).items():
        yield from changes(deployment, stack, parameters)


def sign_in_actions(deployment: Deployment) -> Iterator[Action]:
    """Where to send officers back to is known once there is an address."""
    if "identity" in wanted(deployment) and deployment.stack("identity"):
        yield from changes(deployment, "identity", _identity(deployment))


def changes(deployment: Deployment, stack: str, parameters: dict[str, str]) -> Iterator[Action]:
    """What has to be done to one stack. Raises GiveUp if it is in nobody's hands but CloudFormation's."""
    found = deployment.stack(stack)
    status = found["StackStatus"] if found else None
    name = deployment.stack_name(stack)
    if status in STUCK or ((status or "").endswith("_IN_PROGRESS") and status not in NEVER_CAME_UP):
        raise GiveUp(_why_not(name, str(status)))
    if status in NEVER_CAME_UP:
        yield Action(f"delete stack {name}, which never came up ({status})", partial(delete, deployment, stack))
    if not found or status in NEVER_CAME_UP:
        yield Action(f"create stack {name}", partial(_apply, deployment, stack, parameters, "create"))
    elif not _is_current(deployment, stack, found, parameters):
        yield Action(f"update stack {name}", partial(_apply, deployment, stack, parameters, "update"))


def delete(deployment: Deployment, stack: str) -> None:
    """Delete a stack, and wait until it is gone."""
    client, name = deployment.client("cloudformation"), deployment.stack_name(stack)
    if (deployment.stack(stack) or {}).get("EnableTerminationProtection"):
        client.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    client.delete_stack(StackName=name)
    _wait(deployment, stack, "delete")


def _identity(deployment: Deployment) -> dict[str, str]:
    address = deployment.address
    return {"Stage": deployment.stage} | ({"DeskUrl": f"{address}/desk"} if address else {})


def _observability(deployment: Deployment) -> dict[str, str]:
    days, email = deployment.option("log_retention_days", 30), deployment.option("alarm_email")
    return {"Stage": deployment.stage, "LogRetentionDays": str(days), "AlarmEmail": email}


def _is_current(deployment: Deployment, stack: str, found: dict[str, Any], parameters: dict[str, str]) -> bool:
    template = deployment.client("cloudformation").get_template(StackName=deployment.stack_name(stack))["TemplateBody"]
    has = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in found.get("Parameters", [])}
    return template == _template(stack) and parameters.items() <= has.items()


def _template(stack: str) -> str:
    return (TEMPLATES / f"{stack}.yaml").read_text()


def _apply(deployment: Deployment, stack: str, parameters: dict[str, str], verb: str) -> None:
    client, name = deployment.client("cloudformation"), deployment.stack_name(stack)
    request: dict[str, Any] = {
        "StackName": name,
        "TemplateBody": _template(stack),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": [{"Key": "service", "Value": deployment.name}],
    }
    if verb == "create":
        request["EnableTerminationProtection"] = stack in KEPT
    else:  # what we do not know now, such as the address before the record is found again, stays
        request["Parameters"] += [
            {"ParameterKey": key, "UsePreviousValue": True} for key in _others(deployment, stack, parameters)
        ]
    try:
        getattr(client, f"{verb}_stack")(**request)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return
        raise
    _wait(deployment, stack, verb)


def _others(deployment: Deployment, stack: str, parameters: dict[str, str]) -> list[str]:
    known = yaml.safe_load(_template(stack))["Parameters"]
    has = [parameter["ParameterKey"] for parameter in (deployment.stack(stack) or {}).get("Parameters", [])]
    return [name for name in has if name in known and name not in parameters]


def _wait(deployment: Deployment, stack: str, verb: str) -> None:
    client, name = deployment.client("cloudformation"), deployment.stack_name(stack)
    try:
        client.get_waiter(f"stack_{verb}_complete").wait(StackName=name, WaiterConfig={"Delay": 5, "MaxAttempts": 360})
    except WaiterError:
        raise GiveUp(f"CloudFormation could not {verb} {name}: {_first_failure(client, name)}. Mend that, then run "
                     "this again.") from None  # fmt: skip


def _first_failure(client: Any, name: str) -> str:
    events = client.describe_stack_events(StackName=name)["StackEvents"]  # the latest first
    events = list(takewhile(lambda event: event.get("ResourceStatusReason") != "User Initiated", events))
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    if not failed:
        return "see its events in the console"
    return f"{failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason', 'no reason given')}"


def _why_not(name: str, status: str) -> str:
    if status in STUCK:
        return (f"Stack {name} is in {status}. In the CloudFormation console, look at its events, mend the cause and "
                "choose “Continue update rollback” (or delete it again), then run this again.")  # fmt: skip
    return f"Stack {name} is being changed at the moment ({status}). Wait until that is done, then run this again."
