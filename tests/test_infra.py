"""The template: valid, within DynamoDB's limits, and with a way out for whatever cannot be processed."""

from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from cfnlint.api import lint_file
from moto import mock_aws

TEMPLATE = Path(__file__).parents[1] / "infra" / "data.yaml"
RESOURCES = yaml.safe_load(TEMPLATE.read_text())["Resources"]
TABLE = RESOURCES["ReportsTable"]["Properties"]
INDEXES = {index["IndexName"]: index for index in TABLE["GlobalSecondaryIndexes"]}
WORK_QUEUES = ("triage", "letters")


@pytest.fixture(scope="module")
def outputs() -> Any:
    """The outputs of the stack in a moto of its own."""
    with mock_aws():
        client = boto3.client("cloudformation", region_name="eu-west-2")
        client.create_stack(
            StackName="data",
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[{"ParameterKey": "Stage", "ParameterValue": "test"}],
        )
        stack = client.describe_stacks(StackName="data")["Stacks"][0]
        yield {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def queue_attributes(url: str) -> Any:
    sqs = boto3.client("sqs", region_name="eu-west-2")
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def test_template_is_valid() -> None:
    assert lint_file(TEMPLATE) == []


def test_reports_outlive_the_stack() -> None:
    assert RESOURCES["ReportsTable"]["DeletionPolicy"] == "Retain"
    assert RESOURCES["ReportsTable"]["UpdateReplacePolicy"] == "Retain"


def test_table_is_created_with_its_stream_and_indexes(outputs: Any) -> None:
    client = boto3.client("dynamodb", region_name="eu-west-2")
    table = client.describe_table(TableName=outputs["TableName"])["Table"]
    assert table["TableName"] == "crime-reports-test"
    assert table["LatestStreamArn"] == outputs["StreamArn"]
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    keys = {
        index["IndexName"]: tuple(key["AttributeName"] for key in index["KeySchema"])
        for index in table["GlobalSecondaryIndexes"]
    }
    assert keys == {
        "by_deadline": ("due", "deadline"),
        "by_urgency": ("worklist", "urgency"),
        "by_month_received": ("received_month", "received_at"),
        "by_month_crimed": ("crimed_month", "crimed_at"),
    }


@pytest.mark.parametrize("name", INDEXES)
def test_index_projects_no_key_twice(name: str) -> None:
    own = {key["AttributeName"] for key in INDEXES[name]["KeySchema"]} | {"pk", "sk"}
    assert not own & set(INDEXES[name]["Projection"]["NonKeyAttributes"])


def test_projections_stay_within_the_limits() -> None:
    counts = [len(index["Projection"]["NonKeyAttributes"]) for index in INDEXES.values()]
    assert max(counts) <= 20
    assert sum(counts) <= 100


@pytest.mark.parametrize("name", WORK_QUEUES)
def test_failed_messages_end_in_a_dead_letter_queue_for_14_days(name: str, outputs: Any) -> None:
    queue = queue_attributes(outputs[f"{name.title()}QueueUrl"])
    dead = queue_attributes(outputs[f"{name.title()}DeadQueueUrl"])
    assert dead["QueueArn"] in queue["RedrivePolicy"]
    assert '"maxReceiveCount": 5' in queue["RedrivePolicy"]
    assert int(queue["VisibilityTimeout"]) == 6 * 60
    assert int(dead["MessageRetentionPeriod"]) == 14 * 24 * 60 * 60


def test_every_queue_is_encrypted(outputs: Any) -> None:
    urls = [url for name, url in outputs.items() if name.endswith("QueueUrl")]
    assert len(urls) == 5
    assert all(queue_attributes(url)["SqsManagedSseEnabled"] == "true" for url in urls)
