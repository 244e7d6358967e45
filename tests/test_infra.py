"""The data template: valid, within DynamoDB's limits, kept, closed, and with a way out for what cannot be processed."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from cfnlint.api import lint_file
from moto import mock_aws

INFRA = Path(__file__).parents[1] / "infra"
TEMPLATE = INFRA / "data.yaml"
RESOURCES = yaml.safe_load(TEMPLATE.read_text())["Resources"]
TABLE = RESOURCES["ReportsTable"]["Properties"]
INDEXES = {index["IndexName"]: index for index in TABLE["GlobalSecondaryIndexes"]}
WORK_QUEUES = ("triage", "letters")
REPORTS = ("ReportsTable", "Key", "EvidenceBucket", "EvidenceBucketPolicy")


@pytest.fixture(scope="module")
def outputs() -> Iterator[Any]:
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


@pytest.mark.parametrize("template", sorted(path.name for path in INFRA.glob("*.yaml")))
def test_templates_are_valid(template: str) -> None:
    assert lint_file(INFRA / template) == []


# What is kept


@pytest.mark.parametrize("name", REPORTS)
def test_reports_outlive_the_stack(name: str) -> None:
    assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_nobody_deletes_the_table_by_mistake_and_every_second_of_it_can_be_had_again(outputs: Any) -> None:
    client = boto3.client("dynamodb", region_name="eu-west-2")
    assert client.describe_table(TableName=outputs["TableName"])["Table"]["DeletionProtectionEnabled"] is True
    assert TABLE["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_a_first_try_that_fails_elsewhere_has_not_made_the_protected_table_yet() -> None:
    first, waiting = set(), ["ReportsTable"]
    while waiting:
        needed = set(needs(RESOURCES[waiting.pop()])) & set(RESOURCES) - first
        first |= needed
        waiting += needed
    assert first == set(RESOURCES) - {"ReportsTable"}


def needs(value: Any) -> Iterator[str]:
    """The names of what a part of the template waits for."""
    if isinstance(value, list):
        for item in value:
            yield from needs(item)
    elif isinstance(value, dict):
        yield from value.get("DependsOn", [])
        yield from [value["Ref"]] if "Ref" in value else []
        yield from value.get("Fn::GetAtt", [])[:1]
        for item in value.values():
            yield from needs(item)


# Who can read it


def test_table_and_bucket_are_encrypted_with_the_key_of_the_stage(outputs: Any) -> None:
    # From the template: moto's table and bucket do not have all of it.
    table, bucket = TABLE["SSESpecification"], RESOURCES["EvidenceBucket"]["Properties"]["BucketEncryption"]
    (rule,) = bucket["ServerSideEncryptionConfiguration"]
    assert (table["SSEEnabled"], table["SSEType"]) == (True, "KMS")
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms" and rule["BucketKeyEnabled"] is True
    ours = {"Fn::GetAtt": ["Key", "Arn"]}
    assert table["KMSMasterKeyId"] == rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == ours
    assert RESOURCES["Key"]["Properties"]["EnableKeyRotation"] is True
    aliases = boto3.client("kms", region_name="eu-west-2").list_aliases()["Aliases"]
    targets = {alias["AliasName"]: alias.get("TargetKeyId") for alias in aliases}
    assert targets["alias/crime-reports-test"] == outputs["KeyArn"].rpartition("/")[2]  # the runbook restores with it


@pytest.mark.parametrize("action", ["Encrypt", "Decrypt", "ReEncryptFrom", "GenerateDataKey", "CreateGrant"])
def test_nobody_uses_the_key_but_through_dynamodb_and_s3_in_this_account(action: str) -> None:
    statements = RESOURCES["Key"]["Properties"]["KeyPolicy"]["Statement"]
    allowing = [one for one in statements if any(fnmatch(f"kms:{action}", allowed) for allowed in one["Action"])]
    assert allowing
    for statement in allowing:
        asked = statement["Condition"]["StringEquals"]
        services = asked["kms:ViaService"] if isinstance(asked["kms:ViaService"], list) else [asked["kms:ViaService"]]
        assert asked["kms:CallerAccount"] == {"Ref": "AWS::AccountId"}
        assert {service["Fn::Sub"].split(".")[0] for service in services} <= {"dynamodb", "s3"}


def test_evidence_is_never_public_never_overwritten_and_never_unencrypted_on_its_way(outputs: Any) -> None:
    bucket = RESOURCES["EvidenceBucket"]["Properties"]
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4 and all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
    rules = bucket["LifecycleConfiguration"]["Rules"]  # the version that counts may be one that is not current
    assert not any({"NoncurrentVersionExpiration", "ExpirationInDays"} & set(rule) for rule in rules)
    statement = RESOURCES["EvidenceBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert outputs["EvidenceBucketName"] == "crime-reports-test-evidence-123456789012"


def test_only_the_api_and_the_scanner_read_a_file_before_it_is_clean_and_only_the_scanner_says_so() -> None:
    statements = RESOURCES["EvidenceBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"][1:]
    assert [(one["Effect"], one["Principal"]) for one in statements] == [("Deny", "*"), ("Deny", "*")]
    reading, tagging = statements
    tag = "s3:ExistingObjectTag/GuardDutyMalwareScanStatus"
    assert reading["Condition"]["StringNotEquals"] == {tag: "NO_THREATS_FOUND"}
    scanner, api = {"Fn::GetAtt": ["MalwareScanRole", "Arn"]}, "role/crime-reports-${Stage}-api_handler"
    allowed = reading["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    assert scanner in allowed and len(allowed) == 2 and allowed[0]["Fn::Sub"].endswith(api)
    assert tagging["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": scanner}}
    assert {"s3:PutObjectTagging", "s3:PutObjectVersionTagging"} == set(tagging["Action"])
    plan = RESOURCES["MalwareScan"]["Properties"]
    assert plan["ProtectedResource"] == {"S3Bucket": {"BucketName": {"Ref": "EvidenceBucket"}}}
    assert plan["Actions"] == {"Tagging": {"Status": "ENABLED"}}


def test_the_longest_stage_still_has_a_bucket() -> None:
    pattern = yaml.safe_load(TEMPLATE.read_text())["Parameters"]["Stage"]["AllowedPattern"]
    longest = max((stage for length in range(1, 64) if re.fullmatch(pattern, stage := "x" * length)), key=len)
    assert len(f"crime-reports-{longest}-evidence-123456789012") <= 63  # the most that S3 takes


# The table


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
        "by_changed": ("changed", "changed_at"),
        "by_crime_number": ("crime_number",),
        "by_holder": ("claimed_by", "claimed_until"),
    }


@pytest.mark.parametrize("name", INDEXES)
def test_index_projects_no_key_twice(name: str) -> None:
    own = {key["AttributeName"] for key in INDEXES[name]["KeySchema"]} | {"pk", "sk"}
    assert not own & set(INDEXES[name]["Projection"].get("NonKeyAttributes", ()))


def test_projections_stay_within_the_limits() -> None:
    counts = [len(index["Projection"].get("NonKeyAttributes", ())) for index in INDEXES.values()]
    assert max(counts) <= 20
    assert sum(counts) <= 100


# The queues


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
