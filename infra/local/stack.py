"""AWS on one machine: moto as a server on a loopback port, with the project's CloudFormation template applied."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import yaml

from infra.local.children import end_with_parent

TEMPLATE = Path(__file__).parents[1] / "data.yaml"
STAGE = "local"
REGION = "eu-west-2"
VISIBILITY_SECONDS = 2  # a failed message is tried again soon: people are watching
# Who was killed while sending a letter is waited for so long, and the message comes only five times: on AWS it stays
# hidden for longer each time, here it has to be shorter than all five.
LETTER_LEASE = timedelta(seconds=3 * VISIBILITY_SECONDS)


def use_only(aws_endpoint: str) -> None:
    """Forget the caller's AWS and make the local one the only one that any client of this process can reach."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


@contextmanager
def moto() -> Iterator[str]:
    """Run moto for as long as the context lasts; gives its endpoint. In a process of its own: it keeps a core busy."""
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.moto_server"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us; we end it in our own time
        preexec_fn=end_with_parent(),
    )
    assert process.stdout
    try:
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError("moto did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()  # it holds everything in memory: nothing to save
        process.wait()


def client(service: str, endpoint: str) -> Any:
    """A client of the AWS on this machine that is at `endpoint`, whatever the environment says."""
    made: Any = boto3.client  # by a name that is not known yet
    return made(service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id="local",
                aws_secret_access_key="local")  # fmt: skip


def apply_template(visibility_seconds: int = VISIBILITY_SECONDS) -> dict[str, str]:
    """Create what `infra/data.yaml` describes; gives the outputs of the stack."""
    parameters = {"Stage": STAGE, "VisibilityTimeout": str(visibility_seconds)}
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName=f"crime-reports-{STAGE}-data",
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    stack = cloudformation.describe_stacks(StackName=f"crime-reports-{STAGE}-data")["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    boto3.client("s3").put_bucket_versioning(  # the template says so, and moto does not hear it
        Bucket=outputs["EvidenceBucketName"], VersioningConfiguration={"Status": "Enabled"}
    )
    return outputs


def create_table(endpoint: str, name: str) -> str:
    """Create the template's table under `name` in a DynamoDB that has no CloudFormation; gives its stream's ARN. One
    that is there already, from the last time, is left as it is.
    """
    properties = yaml.safe_load(TEMPLATE.read_text())["Resources"]["ReportsTable"]["Properties"]
    wanted = ("BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")
    dynamodb = client("dynamodb", endpoint)
    with suppress(dynamodb.exceptions.ResourceInUseException):
        dynamodb.create_table(
            TableName=name,
            StreamSpecification=properties["StreamSpecification"] | {"StreamEnabled": True},
            **{key: properties[key] for key in wanted},
        )
    return str(dynamodb.describe_table(TableName=name)["Table"]["LatestStreamArn"])
