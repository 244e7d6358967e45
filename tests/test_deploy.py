"""What a deployment would do, state by state: nothing twice, nothing half, and one line when it cannot go on."""

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError

from infra import deploy, harden, settings, socket_api, stacks
from infra.deployment import Deployment, GiveUp, NotYet, load, patiently, plain_errors

ROOT = Path(__file__).parents[1]
OUTPUTS = {
    "data": {
        "TableName": "crime-reports-dev",
        "TriageQueueUrl": "https://queues/triage",
        "LettersQueueUrl": "https://q/l",
        "EvidenceBucketName": "crime-reports-dev-evidence",
    },
    "identity": {"Issuer": "https://issuer.example.com", "Audience": "client"},
}
STREAM = "arn:aws:dynamodb:eu-west-2:123456789012:table/crime-reports-dev/stream/2026-11-24T00:00:00.000"


def refusal(code: str, message: str = "", operation: str = "DescribeStacks") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class CloudFormation:
    """Stacks in given states, and what is asked of them."""

    def __init__(self, **states: str) -> None:
        self.stacks = {f"crime-reports-dev-{name}": {"StackStatus": state} for name, state in states.items()}
        self.templates = {name: (ROOT / "infra" / f"{name.rsplit('-', 1)[1]}.yaml").read_text() for name in self.stacks}
        self.done: list[str] = []

    def describe_stacks(self, StackName: str) -> Any:
        if StackName not in self.stacks:
            raise refusal("ValidationError", f"Stack with id {StackName} does not exist")
        outputs = OUTPUTS.get(StackName.rsplit("-", 1)[1], {})
        found = self.stacks[StackName]
        return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
                            **found}]}  # fmt: skip

    def get_template(self, StackName: str) -> Any:
        return {"TemplateBody": self.templates[StackName]}

    def create_stack(self, StackName: str, Parameters: Any, EnableTerminationProtection: bool, **_: Any) -> None:
        self.done.append(f"create {StackName}" + (" protected" if EnableTerminationProtection else ""))
        self.stacks[StackName] = {"StackStatus": "CREATE_COMPLETE", "Parameters": Parameters}
        self.templates[StackName] = (ROOT / "infra" / f"{StackName.rsplit('-', 1)[1]}.yaml").read_text()

    def update_stack(self, StackName: str, Parameters: Any, **_: Any) -> None:
        self.done.append(f"update {StackName}")
        self.stacks[StackName]["Parameters"] = Parameters

    def delete_stack(self, StackName: str) -> None:
        self.done.append(f"delete {StackName}")
        del self.stacks[StackName]

    def update_termination_protection(self, StackName: str, EnableTerminationProtection: bool) -> None:
        self.done.append(f"protect {StackName}: {EnableTerminationProtection}")

    def get_waiter(self, name: str) -> Any:
        return self

    def wait(self, **_: Any) -> None:
        """Everything is done at once."""


class DynamoDB:
    def describe_table(self, TableName: str) -> Any:
        return {"Table": {"LatestStreamArn": STREAM}}


class SocketApis:
    """WebSocket APIs by id, each with its name and stages, and what is asked of them."""

    def __init__(self, **apis: str) -> None:
        self.names, self.stages = dict(apis), {api: [] for api in apis}  # type: dict[str, str], dict[str, list[str]]
        self.done: list[str] = []

    def get_paginator(self, name: str) -> Any:
        assert name == "get_apis"
        return SimpleNamespace(paginate=lambda: [{"Items": [{"ApiId": api, "Name": self.names[api]}]}
                                                 for api in self.names])  # fmt: skip

    def get_stages(self, ApiId: str) -> Any:
        return {"Items": [{"StageName": name} for name in self.stages[ApiId]]}

    def create_api(self, Name: str, **_: Any) -> Any:
        self.names["made"], self.stages["made"] = Name, []
        self.done.append("make")
        return {"ApiId": "made"}

    def create_deployment(self, ApiId: str) -> Any:
        self.done.append("deploy")
        return {"DeploymentId": "d1"}

    def create_stage(self, ApiId: str, StageName: str, DeploymentId: str) -> None:
        self.done.append(f"stage {StageName} of {DeploymentId}")
        self.stages[ApiId].append(StageName)


MODEL = '{"on": "crime-reports-dev-triage", "of": "*/dev/POST/*"}'
OURS, OTHERS = "crime-reports-dev-websocket-api", "crime-reports-dev2-websocket-api"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".chalice" / "policies" / "dev").mkdir(parents=True)
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(config))
    (tmp_path / ".chalice" / "policies" / "dev" / "on_triage.json").write_text(MODEL)
    return tmp_path


def deployment(project: Path, cloudformation: Any, stage: str = "dev") -> Deployment:
    made = load(project, stage)
    made._clients.update(cloudformation=cloudformation, dynamodb=DynamoDB(), apigatewayv2=SocketApis(s1=OURS))
    made._clients["lambda"] = SimpleNamespace(meta=SimpleNamespace(region_name="eu-west-2"))
    return made


def do_all(actions: Any) -> list[str]:
    said = []
    for action in actions:
        said.append(action.what)
        action.do()
    return said


# Stacks


def test_an_empty_account_gets_all_stacks_and_those_with_data_are_protected(project: Path) -> None:
    cloudformation = CloudFormation()
    do_all(stacks.actions(deployment(project, cloudformation)))
    assert cloudformation.done == [
        "create crime-reports-dev-data protected",
        "create crime-reports-dev-identity protected",
        "create crime-reports-dev-observability",
    ]
    assert not do_all(stacks.actions(deployment(project, cloudformation)))


@pytest.mark.parametrize("state", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_of_an_older_template_is_updated(project: Path, state: str) -> None:
    cloudformation = CloudFormation(data=state)
    cloudformation.stacks["crime-reports-dev-data"]["Parameters"] = [{"ParameterKey": "Stage", "ParameterValue": "dev"}]
    cloudformation.templates["crime-reports-dev-data"] = "of last year"
    do_all(stacks.actions(deployment(project, cloudformation)))
    assert cloudformation.done[0] == "update crime-reports-dev-data"


def test_a_changed_parameter_updates_its_stack_only(project: Path) -> None:
    cloudformation = CloudFormation()
    do_all(stacks.actions(deployment(project, cloudformation)))
    changed = deployment(project, cloudformation)
    changed.config["stages"]["dev"]["deployment"]["alarm_email"] = "duty@example.com"
    assert do_all(stacks.actions(changed)) == ["update stack crime-reports-dev-observability"]


@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"])
def test_a_stack_that_never_came_up_is_made_again(project: Path, state: str) -> None:
    cloudformation = CloudFormation(data=state)
    cloudformation.stacks["crime-reports-dev-data"]["EnableTerminationProtection"] = True  # type: ignore[assignment]
    do_all(stacks.changes(deployment(project, cloudformation), "data", {"Stage": "dev"}))
    assert cloudformation.done == [
        "protect crime-reports-dev-data: False",
        "delete crime-reports-dev-data",
        "create crime-reports-dev-data protected",
    ]


@pytest.mark.parametrize("state", ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_FAILED",
                                   "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"])  # fmt: skip
def test_a_stack_in_other_hands_is_left_alone(project: Path, state: str) -> None:
    cloudformation = CloudFormation(data=state)
    with pytest.raises(GiveUp, match=state):
        do_all(stacks.actions(deployment(project, cloudformation)))
    assert not cloudformation.done


def test_who_signs_in_elsewhere_needs_no_user_pool(project: Path) -> None:
    elsewhere = deployment(project, CloudFormation(data="CREATE_COMPLETE"))
    options = {"oidc_issuer": "https://login.example.com", "oidc_audience": "reports"}
    elsewhere.config["stages"]["dev"]["deployment"].update(options)
    assert "identity" not in stacks.wanted(elsewhere)
    found = settings.from_stacks(elsewhere)
    assert (found["OIDC_ISSUER"], found["OIDC_AUDIENCE"]) == ("https://login.example.com", "reports")


def test_officers_come_back_to_the_address_once_it_is_known(project: Path) -> None:
    cloudformation = CloudFormation()
    do_all(stacks.actions(deployment(project, cloudformation)))
    state = {"resources": [{"name": "rest_api", "rest_api_url": "https://abc.example.com/dev/"}]}
    (project / ".chalice" / "deployed").mkdir()
    (project / ".chalice" / "deployed" / "dev.json").write_text(json.dumps(state))
    assert do_all(stacks.sign_in_actions(deployment(project, cloudformation))) == [
        "update stack crime-reports-dev-identity"
    ]
    parameters = cloudformation.stacks["crime-reports-dev-identity"]["Parameters"]
    assert {"ParameterKey": "DeskUrl", "ParameterValue": "https://abc.example.com/dev/desk"} in parameters
    assert not do_all(stacks.actions(deployment(project, cloudformation)))


# The WebSocket API


def with_sockets(project: Path, **apis: str) -> tuple[Deployment, SocketApis]:
    made, client = deployment(project, CloudFormation()), SocketApis(**apis)
    made._clients["apigatewayv2"] = client
    return made, client


def test_a_websocket_api_is_made_written_down_and_once_it_has_routes_put_into_effect(project: Path) -> None:
    """Its address is known before there is anything behind it."""
    made, client = with_sockets(project, other=OTHERS)
    with pytest.raises(NotYet):
        socket_api.addresses(made)
    do_all(socket_api.before(made))
    (written,) = made.deployed().values()
    assert (written["name"], written["websocket_api_id"]) == ("websocket_api", "made")
    place = "made.execute-api.eu-west-2.amazonaws.com/dev"
    assert socket_api.addresses(made) == {"CHAT_SOCKET": f"wss://{place}", "CHAT_MANAGEMENT": f"https://{place}"}
    do_all(socket_api.after(made))
    assert client.done == ["make", "deploy", "stage dev of d1"]
    assert not do_all(socket_api.before(made)) and not do_all(socket_api.after(made))


def test_a_websocket_api_that_nobody_wrote_down_is_ours_by_its_name(project: Path) -> None:
    """We died after it was made, or the record is lost or of one that is gone. Of two, the one that is written down."""
    made, client = with_sockets(project, other=OTHERS, lost=OURS)
    assert do_all(socket_api.before(made)) == ["take over the WebSocket API lost"]
    client.names["second"] = client.names["lost"]
    assert not do_all(socket_api.before(made)) and socket_api.socket_api(made) == "lost"
    del client.names["lost"]
    assert do_all(socket_api.before(made)) == ["take over the WebSocket API second"]
    assert not client.done


# Settings


def test_what_the_stacks_say_is_written_into_the_stage_once(project: Path) -> None:
    stacked = CloudFormation(data="CREATE_COMPLETE", identity="CREATE_COMPLETE")
    do_all(settings.actions(deployment(project, stacked)))
    written = json.loads((project / ".chalice" / "config.json").read_text())["stages"]["dev"]["environment_variables"]
    assert written["REPORTS_STREAM_ARN"] == STREAM and written["OIDC_AUDIENCE"] == "client"
    assert written["FORCE_NAME"] == "Midshire Police"  # what a person chose stays
    assert not do_all(settings.actions(deployment(project, stacked)))


def test_settings_wait_for_the_stacks(project: Path) -> None:
    with pytest.raises(NotYet):
        do_all(settings.actions(deployment(project, CloudFormation())))


def test_another_stage_gets_the_same_policies_under_its_own_name(project: Path) -> None:
    other = deployment(project, CloudFormation(), "prod")
    with pytest.raises(NotYet):
        do_all(settings.actions(other))
    text = (project / ".chalice" / "policies" / "prod" / "on_triage.json").read_text()
    assert text == '{"on": "crime-reports-prod-triage", "of": "*/prod/POST/*"}'


def test_a_person_is_told_what_to_choose(project: Path) -> None:
    with pytest.raises(GiveUp) as refused:
        settings.check(deployment(project, None, "prod"))
    assert all(name in str(refused.value) for name in ("FORCE_NAME", "FORCE_CODE", "LETTER_FROM", "alarm_email"))
    settings.check(deployment(project, None))


class ParameterStore:
    """Has one parameter of a kind, or none."""

    class exceptions:
        class ParameterNotFound(Exception):
            pass

    def __init__(self, kind: str | None) -> None:
        self.kind = kind

    def get_parameter(self, Name: str) -> Any:
        if not self.kind or Name != "/crime-reports-dev/notify-api-key":
            raise self.exceptions.ParameterNotFound
        return {"Parameter": {"Type": self.kind, "Value": "ciphertext"}}


def by_notify(project: Path, kind: str | None) -> Deployment:
    made = deployment(project, CloudFormation(data="CREATE_COMPLETE", identity="CREATE_COMPLETE"))
    made._clients["ssm"] = ParameterStore(kind)
    made.config["stages"]["dev"]["environment_variables"] |= {
        "LETTER_SENDER": "notify",
        "NOTIFY_TEMPLATE_ID": "f33517ff-2a88-4f6e-b855-c550268ce08a",
    }
    made.config["stages"]["dev"]["deployment"] |= {"alarm_email": "duty@example.com"}
    return made


@pytest.mark.parametrize("kind", [None, "String"])
def test_letters_by_notify_need_its_key_in_the_parameter_store(project: Path, kind: str | None) -> None:
    settings.check(by_notify(project, kind))
    with pytest.raises(GiveUp, match="/crime-reports-dev/notify-api-key"):
        settings.check_letters(by_notify(project, kind))
    settings.check_letters(by_notify(project, "SecureString"))
    settings.check_letters(deployment(project, None))


def test_functions_are_told_where_the_key_of_notify_is_and_where_people_find_us(project: Path) -> None:
    plain = settings.from_stacks(
        deployment(project, CloudFormation(data="CREATE_COMPLETE", identity="CREATE_COMPLETE"))
    )
    assert not {"NOTIFY_KEY_PARAMETER", "SERVICE_URL"} & plain.keys()
    assert (plain["CHAT_HOURS"], plain["CHAT_SOCKET"]) == ("closed", "wss://s1.execute-api.eu-west-2.amazonaws.com/dev")
    made = by_notify(project, "SecureString")
    chosen = {"address": "https://report.example.com/", "chat_hours": "Mon-Fri 08:00-22:00, Sat 09:00-18:00"}
    made.config["stages"]["dev"]["deployment"] |= chosen
    settings.check(made)
    found = settings.from_stacks(made)
    assert found["NOTIFY_KEY_PARAMETER"] == "/crime-reports-dev/notify-api-key"
    assert found["SERVICE_URL"] == "https://report.example.com"
    assert found["CHAT_HOURS"] == chosen["chat_hours"]


@pytest.mark.parametrize(
    ("part", "name", "value", "words"),
    [
        ("environment_variables", "FORCE_CODE", 20, "in quotation marks"),
        ("environment_variables", "FORCE_CODE", "2 0", "two digits"),
        ("environment_variables", "FORCE_NAME", " ", "name of the force"),
        ("environment_variables", "FORCE_COLOUR", "#ffdd00", "FORCE_COLOUR has to be darker"),
        ("environment_variables", "FORCE_COLOUR", "blue", "such as #0b4f6c"),
        ("environment_variables", "SECOND_LOOK", "no_offence boredom", "SECOND_LOOK has to be some of: no_offence"),
        ("environment_variables", "RETENTION", "filed=6", "missing: not_crimed, cancelled, further_inv"),
        ("environment_variables", "PUBLIC_STATISTICS", "maybe", "PUBLIC_STATISTICS has to be yes or no"),
        ("environment_variables", "FORCE_COLOUR", 7, "FORCE_COLOUR has to be a colour"),
        ("environment_variables", "LETTER_SENDER", "smtp", "outbox"),
        ("environment_variables", "LETTER_SENDER", "ses", "LETTER_FROM has to be"),
        ("environment_variables", "LETTER_SENDER", "notify", "NOTIFY_TEMPLATE_ID has to be the id of the template"),
        ("environment_variables", "WEBSITE_ORIGINS", ["https://example.com"], "in quotation marks"),
        ("deployment", "alarm_email", "duty", "alarm_email has to be"),
        ("deployment", "oidc_issuer", "https://login.example.com", "both oidc_issuer and oidc_audience"),
        ("deployment", "oidc_issuer", "login.example.com", "with https://"),
        ("deployment", "log_retention_days", "long", "log_retention_days has to be"),
        ("deployment", "requests_per_second", 0, "requests_per_second has to be how many requests"),
        ("deployment", "requests_per_second", "10.5", "requests_per_second has to be how many requests"),
        ("deployment", "alarm_mail", "duty@example.com", "alarm_mail is not known"),
        ("deployment", "chat_hours", "Mon-Fri 8-22", "chat_hours cannot be read: “Mon-Fri 8-22” is not like Mon-Fri"),
        ("deployment", "chat_hours", "", "deployment.chat_hours has to be when advisors answer the chat"),
        (
            "lambda_functions",
            "on_triage",
            {"iam_policy_file": "policies/prod/on_triage.json"},
            "policies/dev/on_triage",
        ),
    ],
)
def test_what_a_person_chose_wrongly_is_told_before_anything_is_done(
    project: Path, part: str, name: str, value: Any, words: str
) -> None:
    wrong = deployment(project, None)
    wrong.config["stages"]["dev"][part][name] = value
    with pytest.raises(GiveUp, match=words):
        settings.check(wrong)


def test_a_stage_says_how_many_requests_it_takes(project: Path) -> None:
    stage = deployment(project, None)
    assert harden.limits_of(stage) == (harden.RATE_PER_SECOND, 2 * harden.RATE_PER_SECOND)
    stage.config["stages"]["dev"]["deployment"]["requests_per_second"] = 1000
    settings.check(stage)
    assert harden.limits_of(stage) == (1000, 2000)


def test_a_stage_that_was_copied_does_not_keep_the_rights_of_the_other(project: Path) -> None:
    copied = deployment(project, None)
    copied.config["stages"]["staging"], copied.stage = copied.config["stages"]["dev"], "staging"
    with pytest.raises(GiveUp, match=r"policies/staging/api_handler\.json") as refused:
        settings.check(copied)
    assert "api_gateway_stage has to be “staging”" in str(refused.value)


def test_a_stage_from_before_a_function_is_told_which_policy_it_lacks(project: Path) -> None:
    (project / ".chalice" / "policies" / "dev" / "websocket_message.json").write_text("{}")
    older = deployment(project, None)
    settings.check(older)
    del older.config["stages"]["dev"]["lambda_functions"]["websocket_message"]
    with pytest.raises(GiveUp, match="lambda_functions has to name a policy for websocket_message, as dev does"):
        settings.check(older)


def test_a_stack_without_what_it_should_say_is_told(project: Path) -> None:
    found = deployment(project, CloudFormation(identity="CREATE_COMPLETE"))
    assert found.outputs("identity", "Issuer")["Issuer"] == "https://issuer.example.com"
    with pytest.raises(GiveUp, match="does not say its Domain"):
        found.outputs("identity", "Issuer", "Domain")


# Bad input


@pytest.mark.parametrize("stage", ["", "local", "staging", "Dev", "../dev"])
def test_no_such_stage(project: Path, stage: str) -> None:
    with pytest.raises(GiveUp, match=r"There is no stage|Say which stage"):
        load(project, stage)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"stages": 3}', '{"stages": {"dev": 3}}'])
def test_a_broken_file_of_stages(project: Path, text: str) -> None:
    (project / ".chalice" / "config.json").write_text(text)
    with pytest.raises(GiveUp, match="cannot be read"):
        load(project, "dev")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (KeyboardInterrupt(), "Stopped by you"),
        (NoCredentialsError(), "no AWS credentials"),
        (NoRegionError(), "No AWS region is set"),
        (refusal("ExpiredToken"), "have expired"),
        (refusal("InvalidClientTokenId"), "does not know these credentials"),
        (refusal("AccessDeniedException", "no right", "CreateRole"), "may not do CreateRole"),
        (refusal("LimitExceeded", "too many\n things"), "too many things"),
        (EndpointConnectionError(endpoint_url="https://nowhere.example.com"), "cannot be reached"),
    ],
)
def test_what_aws_refuses_is_one_line_that_says_what_to_do(error: BaseException, says: str) -> None:
    with pytest.raises(GiveUp, match=says) as refused, plain_errors():
        raise error
    assert "\n" not in str(refused.value)


def test_the_region_of_the_command_line_is_ours(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore knows AWS_DEFAULT_REGION only; the command line, and people, set AWS_REGION."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert load(project, "dev").region == "eu-west-2"


class Account:
    """An account that may run so many functions at once, and has given some to one of ours."""

    class exceptions:
        ResourceNotFoundException = KeyError

    def __init__(self, unreserved: int, ours: int | None) -> None:
        self.unreserved, self.ours = unreserved, ours

    def get_account_settings(self) -> Any:
        return {"AccountLimit": {"UnreservedConcurrentExecutions": self.unreserved}}

    def get_function_concurrency(self, FunctionName: str) -> Any:
        if self.ours is None:
            raise KeyError(FunctionName)
        return {"ReservedConcurrentExecutions": self.ours}


@pytest.mark.parametrize(
    ("unreserved", "ours", "enough"), [(200, None, False), (201, None, True), (100, 100, True), (10, 0, False)]
)
def test_an_account_that_can_reserve_nothing_is_found_out_before(
    project: Path, unreserved: int, ours: int | None, enough: bool
) -> None:
    small = deployment(project, None, "prod")
    small._clients["lambda"] = Account(unreserved, ours)
    with nullcontext() if enough else pytest.raises(GiveUp, match="too few to reserve"):
        deploy._check_concurrency(small)


def test_a_stage_stays_in_its_account_and_region(project: Path) -> None:
    moved = deployment(project, None)
    moved.__dict__["account"] = "123456789012"
    moved._clients["lambda"] = SimpleNamespace(meta=SimpleNamespace(region_name="eu-west-2"))
    settings.check_account(moved)  # not deployed yet
    moved.config["stages"]["dev"]["environment_variables"]["REPORTS_STREAM_ARN"] = STREAM
    settings.check_account(moved)
    moved.__dict__["account"] = "210987654321"
    with pytest.raises(GiveUp, match="is in account 123456789012, eu-west-2"):
        settings.check_account(moved)


def test_what_has_not_settled_is_tried_again_and_what_is_refused_is_not() -> None:
    tried: list[str] = []

    def settling(code: str) -> None:
        tried.append(code)
        if len(tried) < 3:
            raise refusal(code)

    patiently(settling, seconds=0, code="ResourceInUseException")
    assert len(tried) == 3
    with pytest.raises(ClientError):
        patiently(lambda: settling(tried.clear() or "AccessDenied"), seconds=0)  # type: ignore[func-returns-value]
    with pytest.raises(ClientError):
        patiently(lambda: settling(tried.clear() or "TooManyRequestsException"), seconds=0)  # type: ignore[func-returns-value]


def test_only_what_this_try_failed_at_is_told(project: Path) -> None:
    """The events of a stack go back to its beginning, the latest first."""
    events = [("Queue", "DELETE_COMPLETE", ""), ("Queue", "CREATE_FAILED", "Resource creation cancelled"),
              ("Table", "CREATE_FAILED", "it exists"), ("stack", "CREATE_IN_PROGRESS", "User Initiated"),
              ("Old", "CREATE_FAILED", "of last year")]  # fmt: skip
    made = [{"LogicalResourceId": name, "ResourceStatus": status, "ResourceStatusReason": why}
            for name, status, why in events]  # fmt: skip
    client = SimpleNamespace(describe_stack_events=lambda StackName: {"StackEvents": made})
    assert stacks._first_failure(client, "stack") == "Table: it exists"
