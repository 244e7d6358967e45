"""Logs, alarms and the dashboard: nothing unwatched, nobody woken for nothing, and each alarm says what to do."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from chalicelib.telemetry import METRICS, NAMESPACE

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "infra" / "observability.yaml"
RESOURCES = yaml.safe_load(TEMPLATE.read_text())["Resources"]
DATA = yaml.safe_load((ROOT / "infra" / "data.yaml").read_text())["Resources"]
ALARMS = {
    name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == "AWS::CloudWatch::Alarm"
}
HEADINGS = set(re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE))
NAME = "crime-reports-test"
SPEAK_EVERY_MINUTE = {"RuleHasNotRun", "ReportOverdue"}
SPEAKS_EVERY_NIGHT = {"NothingIsReconciled"}


def substituted(value: Any) -> Any:
    """A value of the template for the stage `test`."""
    if isinstance(value, dict) and "Fn::Sub" in value:
        return value["Fn::Sub"].replace("${Stage}", "test")
    return "test" if value == {"Ref": "Stage"} else value


def metrics(alarm: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of all that an alarm watches."""
    queries = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    for one in queries or [alarm]:
        dimensions = {dimension["Name"]: substituted(dimension["Value"]) for dimension in one["Dimensions"]}
        yield one["Namespace"], one["MetricName"], dimensions


def watched(namespace: str, metric: str, dimension: str) -> set[str]:
    """Which queues, functions, … have an alarm on that metric."""
    return {
        dimensions[dimension]
        for alarm in ALARMS.values()
        for its_namespace, name, dimensions in metrics(alarm)
        if (its_namespace, name) == (namespace, metric) and dimension in dimensions
    }


@pytest.fixture(scope="module")
def functions(app_module: Any) -> set[str]:
    """The names Chalice gives to the functions of the app."""
    app = app_module.app
    sources = [*app.event_sources, *app.websocket_handlers.values()]
    return {NAME} | {f"{NAME}-{source.name}" for source in sources}


@pytest.fixture(scope="module")
def outputs() -> Iterator[Any]:
    """The outputs of the stack in a moto of its own."""
    with mock_aws():
        client = boto3.client("cloudformation", region_name="eu-west-2")
        client.create_stack(
            StackName="observability",
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[
                {"ParameterKey": "Stage", "ParameterValue": "test"},
                {"ParameterKey": "LogRetentionDays", "ParameterValue": "14"},
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        stack = client.describe_stacks(StackName="observability")["Stacks"][0]
        yield {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def test_every_function_and_the_api_have_a_log_that_is_not_kept_forever(outputs: Any, functions: set[str]) -> None:
    groups = boto3.client("logs", region_name="eu-west-2").describe_log_groups()["logGroups"]
    assert {group["logGroupName"] for group in groups} == {
        f"/aws/apigateway/{NAME}",
        f"/aws/apigateway/{NAME}-chat",
        *(f"/aws/lambda/{function}" for function in functions),
    }
    assert {group["retentionInDays"] for group in groups} == {14}


def test_the_role_of_the_whole_account_outlives_the_stage(outputs: Any) -> None:
    assert RESOURCES["ApiGatewayLogRole"]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert outputs["ApiGatewayLogRoleArn"].startswith("arn:aws:iam::123456789012:role/")


# What is watched


def test_every_dead_letter_queue_wakes_somebody_with_its_first_message() -> None:
    queues = {
        substituted(resource["Properties"]["QueueName"])
        for resource in DATA.values()
        if resource["Type"] == "AWS::SQS::Queue"
    }
    dead = {queue for queue in queues if queue.endswith("-dead")}
    assert len(dead) == 3
    assert watched("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName") == dead
    assert watched("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName") == queues - dead


def test_every_function_the_table_and_each_index_are_watched_for_throttling(functions: set[str]) -> None:
    table = DATA["ReportsTable"]["Properties"]
    indexes = {index["IndexName"] for index in table["GlobalSecondaryIndexes"]}
    assert watched("AWS/Lambda", "Throttles", "FunctionName") == functions
    for kind in ("Read", "Write"):
        assert watched("AWS/DynamoDB", f"{kind}ThrottleEvents", "TableName") == {NAME}
        assert watched("AWS/DynamoDB", f"{kind}ThrottleEvents", "GlobalSecondaryIndexName") == indexes


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_something_that_somebody_says(name: str, functions: set[str]) -> None:
    watching = list(metrics(ALARMS[name]))
    assert 0 < len(watching) <= 10  # CloudWatch takes no more
    for namespace, metric, dimensions in watching:
        if namespace == NAMESPACE:
            assert metric in METRICS and dimensions == {"service": NAME}
        if namespace == "AWS/Lambda":
            assert dimensions["FunctionName"] in functions
        if namespace == "AWS/ApiGateway":
            assert dimensions == {"ApiName": "crime-reports", "Stage": "test"}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_api_of_a_stage_is_found_under_the_stages_name(stage: str) -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    assert (config["app_name"], config["stages"][stage]["api_gateway_stage"]) == ("crime-reports", stage)


# Who is woken, by what


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_reaches_somebody_twice_and_names_a_chapter_of_the_runbook(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Alarms"}]
    assert RESOURCES["Alarms"]["Type"] == "AWS::SNS::Topic"
    means, _, chapter = alarm["AlarmDescription"].partition(" What to do: docs/runbook.md, ")
    assert len(means) > 30 and chapter.strip("“”.") in HEADINGS


def test_who_is_woken_may_be_left_open() -> None:
    assert RESOURCES["WhoIsWoken"]["Condition"] == "SomebodyIsWoken"
    assert RESOURCES["WhoIsWoken"]["Properties"]["Endpoint"] == {"Ref": "AlarmEmail"}


def test_a_night_in_which_nothing_happens_wakes_nobody_unless_the_rule_is_silent() -> None:
    breaching = {name for name, alarm in ALARMS.items() if alarm["TreatMissingData"] == "breaching"}
    assert breaching == SPEAK_EVERY_MINUTE | SPEAKS_EVERY_NIGHT
    assert {alarm["TreatMissingData"] for alarm in ALARMS.values()} == {"breaching", "notBreaching"}


@pytest.mark.parametrize("name", ["ReportOverdue", "RuleFails"])
def test_one_late_or_failed_run_of_the_rule_wakes_nobody_and_five_minutes_of_it_do(name: str) -> None:
    alarm = ALARMS[name]
    assert 1 < alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"]
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 5 * 60


def test_one_who_waits_for_four_minutes_wakes_nobody_and_what_goes_on_does() -> None:
    """After three minutes somebody counts as waiting for too long; nothing is concluded with six hours left."""
    waits, overdue = ALARMS["ChatsWait"], ALARMS["ChatsOverdue"]
    assert waits["Threshold"] == overdue["Threshold"] == 0
    assert waits["Period"] * waits["DatapointsToAlarm"] == 5 * 60
    assert overdue["Period"] * overdue["EvaluationPeriods"] <= 15 * 60


def rings(name: str, **values: float) -> bool:
    """Whether an alarm's sum is beyond its threshold."""
    (query,) = [query for query in ALARMS[name]["Metrics"] if "Expression" in query]
    functions = {"IF": lambda condition, then, otherwise: then if condition else otherwise}
    return bool(eval(query["Expression"], functions, values) > ALARMS[name]["Threshold"])


def test_one_failed_request_wakes_nobody_and_an_outage_does_also_at_night() -> None:
    assert not rings("ApiFails", requests=1, failed=1)
    assert rings("ApiFails", requests=6, failed=6)  # one visitor who tries again
    assert not rings("ApiFails", requests=1_000, failed=6)
    assert rings("ApiFails", requests=1_000, failed=100)


def test_one_cold_start_wakes_nobody() -> None:
    assert not rings("ApiSlow", requests=1, slowest=8_000)
    assert not rings("ApiSlow", requests=500, slowest=2_500)
    assert rings("ApiSlow", requests=500, slowest=5_000)


# The dashboard


@pytest.fixture(scope="module")
def widgets(outputs: Any) -> Any:
    """The dashboard's widgets as CloudWatch gets them."""
    client = boto3.client("cloudwatch", region_name="eu-west-2")
    return json.loads(client.get_dashboard(DashboardName=NAME)["DashboardBody"])["widgets"]


def shown(widgets: Any) -> Iterator[list[str]]:
    """The metrics on the dashboard in full: there a point means “as in the line before”."""
    for widget in widgets:
        before: list[str] = []
        for *fields, _ in widget["properties"].get("metrics", []):
            before = [before[place] if field == "." else field for place, field in enumerate(fields)]
            yield before


def test_the_dashboard_shows_every_metric_and_every_alarm(widgets: Any) -> None:
    ours = {metric for namespace, metric, *of in shown(widgets) if (namespace, of) == (NAMESPACE, ["service", NAME])}
    assert ours == set(METRICS)
    alarms = {arn.rpartition(":")[2] for widget in widgets for arn in widget["properties"].get("alarms", [])}
    assert alarms == {substituted(alarm["AlarmName"]) for alarm in ALARMS.values()}


def test_the_dashboard_fits_on_one_screen_and_nothing_covers_another(widgets: Any) -> None:
    squares = [
        (column, row)
        for widget in widgets
        for column in range(widget["x"], widget["x"] + widget["width"])
        for row in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(squares) == len(set(squares))
    assert max(column for column, _ in squares) < 24 and max(row for _, row in squares) < 18
