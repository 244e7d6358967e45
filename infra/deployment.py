"""What every step of a deployment works on: the project's folder, the stage in `.chalice/config.json`, the account."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore import exceptions as aws
from botocore.config import Config as ClientConfig

APP = "crime-reports"
_PATIENT = ClientConfig(retries={"mode": "standard", "max_attempts": 5})
STAGE_NAME = re.compile(r"[a-z][a-z0-9-]{0,26}")


class GiveUp(SystemExit):
    """One line for a person: what is wrong, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class Action(NamedTuple):
    """Something a step would do: what it says, and how it is done."""

    what: str
    do: Callable[[], Any]


class NotYet(Exception):
    """A step cannot say what it would do before an earlier one has been done."""


@dataclass
class Deployment:
    """One stage of the project in one account. Everything is asked of AWS anew: no step trusts an earlier run."""

    root: Path
    stage: str
    config: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """What everything of this stage is called, or begins with."""
        return f"{APP}-{self.stage}"

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables of the functions, as `.chalice/config.json` has them."""
        return dict(self._stage.get("environment_variables", {}))

    @property
    def api_stage(self) -> str:
        """The stage of API Gateway: the first part of every path under its own address."""
        return str(self._stage.get("api_gateway_stage", "api"))

    def option(self, name: str, otherwise: Any = "") -> Any:
        """A choice of this stage that Chalice knows nothing about."""
        return self._stage.get("deployment", {}).get(name, otherwise)

    @cached_property
    def account(self) -> str:
        """The account that the credentials are of."""
        return str(self.client("sts").get_caller_identity()["Account"])

    @property
    def region(self) -> str:
        """Where to deploy."""
        return str(self.client("lambda").meta.region_name)

    def now(self) -> datetime:
        """The time as AWS keeps it: this machine's clock may be wrong, and what depends on it is not this machine's."""
        answer = self.client("sts").get_caller_identity()
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])

    def client(self, service: str) -> Any:
        """A client of that service."""
        if service not in self._clients:
            self._clients[service] = boto3.client(service, config=_PATIENT)
        return self._clients[service]

    def stack_name(self, stack: str) -> str:
        """`data` -> `crime-reports-dev-data`."""
        return f"{self.name}-{stack}"

    def stack(self, stack: str) -> dict[str, Any] | None:
        """One of our stacks as CloudFormation describes it, None if there is none."""
        try:
            found = self.client("cloudformation").describe_stacks(StackName=self.stack_name(stack))["Stacks"][0]
        except aws.ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return dict(found) if found["StackStatus"] != "DELETE_COMPLETE" else None

    def outputs(self, stack: str, *wanted: str) -> dict[str, str]:
        """The outputs of one of our stacks. Raises NotYet if it is not there, GiveUp if it lacks one that is wanted."""
        found = self.stack(stack)
        if not found:
            raise NotYet(f"stack {self.stack_name(stack)}")
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        if missing := [name for name in wanted if name not in outputs]:
            raise GiveUp(f"Stack {self.stack_name(stack)} does not say its {', '.join(missing)}. Look at its "
                         "resources and events in the CloudFormation console.")  # fmt: skip
        return outputs

    def deployed(self) -> dict[str, dict[str, Any]]:
        """What Chalice wrote down of its last deployment, by name; nothing if there was none or it is lost."""
        if not self.state_file.exists():
            return {}
        return {resource["name"]: resource for resource in json.loads(self.state_file.read_text())["resources"]}

    def record(self, entry: dict[str, Any]) -> None:
        """Write down a resource as Chalice would have."""
        self.write_down([*(self.deployed() | {entry["name"]: entry}).values()])

    def write_down(self, entries: list[dict[str, Any]]) -> None:
        """In place of what Chalice wrote down."""
        state = {"resources": entries, "schema_version": "2.0", "backend": "api"}
        write(self.state_file, json.dumps(state, indent=2) + "\n")

    @property
    def state_file(self) -> Path:
        """Where Chalice writes it."""
        return self.root / ".chalice" / "deployed" / f"{self.stage}.json"

    @property
    def address(self) -> str | None:
        """Where people find the service, without a slash at the end: the stage's own choice, else API Gateway's."""
        address = self.option("address") or self.deployed().get("rest_api", {}).get("rest_api_url")
        return str(address).rstrip("/") if address else None

    @property
    def _stage(self) -> dict[str, Any]:
        return dict(self.config["stages"][self.stage])

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}


def load(root: Path, stage: str) -> Deployment:
    """The deployment of `stage`. Raises GiveUp if there is no such stage or the file cannot be read."""
    heed_aws_region()
    path = root / ".chalice" / "config.json"
    try:
        config = json.loads(path.read_text())
        stages = [name for name, settings in config["stages"].items() if name != "local" and settings.keys()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GiveUp(f".chalice/config.json cannot be read: {error}. Mend it, or take it from git again.") from None
    if stage not in stages or not STAGE_NAME.fullmatch(stage):
        what = f"There is no stage “{stage}”." if stage else "Say which stage (STAGE=dev)."
        raise GiveUp(f"{what} .chalice/config.json has: {', '.join(stages)}. For another, see “A stage of your own” in "
                     "docs/runbook.md.")  # fmt: skip
    return Deployment(root, stage, config)


def heed_aws_region() -> None:
    """The AWS command line knows AWS_REGION, botocore and Chalice only AWS_DEFAULT_REGION."""
    if region := os.environ.get("AWS_REGION"):
        os.environ["AWS_DEFAULT_REGION"] = region


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_text(text)
    os.replace(beside, path)


# What was made or changed a moment ago is not known, or not free, everywhere at once.
_SETTLING = {"BadRequestException", "ResourceInUseException", "TooManyRequestsException",
             "WAFUnavailableEntityException"}  # fmt: skip


def patiently(call: Callable[..., Any], tries: int = 10, seconds: float = 10, **arguments: Any) -> None:
    """Make a call, and make it again while AWS says that something has not settled."""
    for left in reversed(range(tries)):
        try:
            call(**arguments)
            return
        except aws.ClientError as error:
            if not left or error.response["Error"]["Code"] not in _SETTLING:
                raise
            time.sleep(seconds)


_CREDENTIALS = "Sign in again (aws sso login, or set AWS_PROFILE), then run this again."
_ANSWERS = {
    "ExpiredToken": f"Your AWS credentials have expired. {_CREDENTIALS}",
    "ExpiredTokenException": f"Your AWS credentials have expired. {_CREDENTIALS}",
    "RequestExpired": f"Your AWS credentials have expired, or this machine's clock is wrong. {_CREDENTIALS}",
    "InvalidClientTokenId": f"AWS does not know these credentials. {_CREDENTIALS}",
    "UnrecognizedClientException": f"AWS does not know these credentials. {_CREDENTIALS}",
    "SignatureDoesNotMatch": f"AWS does not accept these credentials. {_CREDENTIALS}",
}


@contextmanager
def plain_errors() -> Iterator[None]:
    """Whatever AWS refuses becomes one line that says what to do."""
    try:
        yield
    except KeyboardInterrupt:
        raise GiveUp("Stopped by you. What was done stays done: run this again, and it goes on.") from None
    except (aws.NoCredentialsError, aws.PartialCredentialsError):
        raise GiveUp("There are no AWS credentials. Sign in (aws configure sso), or set AWS_PROFILE.") from None
    except aws.ProfileNotFound as error:
        raise GiveUp(f"{error}. Set AWS_PROFILE to one of those that `aws configure list-profiles` shows.") from None
    except aws.NoRegionError:
        raise GiveUp("No AWS region is set. Choose one: export AWS_REGION=eu-west-2") from None
    except aws.ClientError as error:
        raise GiveUp(_plain(error)) from None
    except aws.WaiterError as error:
        raise GiveUp(f"AWS did not finish in time: {error}. Run this again.") from None
    except aws.BotoCoreError as error:
        raise GiveUp(
            f"AWS cannot be reached: {error}. Check the region and your connection, then run this again."
        ) from None


def _plain(error: aws.ClientError) -> str:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _ANSWERS:
        return _ANSWERS[code]
    if "AccessDenied" in code or "Unauthorized" in code:
        return f"You may not do {error.operation_name} in this account: {message} Ask its administrator for that right."
    return f"AWS refused {error.operation_name} ({code}): {message} Mend that, then run this again."
