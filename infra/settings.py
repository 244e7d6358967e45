"""The stage in `.chalice/config.json` and its policies: what the functions are told, filled in from the stacks."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from chalicelib import colours, language
from chalicelib.chat_hours import CLOSED, read_hours
from chalicelib.retention import USUAL, read_periods
from chalicelib.statistics import NOT_CRIMED_REASONS
from infra import socket_api
from infra.deployment import APP, Action, Deployment, GiveUp, write

MODEL = "dev"  # the policies that people edit; those of every other stage are the same with its own name in them

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
WEB = re.compile(r"https://[^\s/]+\S*|http://(localhost|127\.0\.0\.1)(:\d+)?\S*")
ANYTHING = re.compile(r"\S.*")
TEMPLATE_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What a person chooses: what it looks like, and what it is.
VARIABLES = {
    "FORCE_NAME": (ANYTHING, "the name of the force, as letters and pages show it"),
    "FORCE_CODE": (re.compile(r"[0-9]{2}"), "the two digits of the force, with which its crime numbers begin"),
    "LETTER_SENDER": (re.compile("outbox|ses|notify"), "how letters go out: outbox (kept in the table), ses or notify"),
}
# What each way of sending letters asks for on top.
LETTERS = {
    "ses": {"LETTER_FROM": (ADDRESS, "the address that letters come from")},
    "notify": {"NOTIFY_TEMPLATE_ID": (TEMPLATE_ID, "the id of the template, as GOV.UK Notify shows it")},
}
OPTIONS = {
    "alarm_email": (ADDRESS, "the address of who is woken"),
    "log_retention_days": (re.compile(r"\d+"), "how many days logs are kept"),
    "oidc_issuer": (WEB, "the address of the directory where officers sign in, with https://"),
    "oidc_audience": (ANYTHING, "what that directory calls this service"),
    "address": (WEB, "where people find the service, with https://"),
    "requests_per_second": (re.compile(r"[1-9]\d*"), "how many requests the API takes in a second"),
    "chat_hours": (ANYTHING, "when advisors answer the chat, such as Mon-Fri 08:00-22:00"),
}


def check(deployment: Deployment) -> None:
    """Raises GiveUp, naming all that a person has to choose or mend first."""
    problems = [*_variables(deployment), *_options(deployment), *_names(deployment)]
    if problems:
        raise GiveUp(f"In stages.{deployment.stage} of .chalice/config.json: {'; '.join(problems)}.")


def _variables(deployment: Deployment) -> Iterator[str]:
    if wrong := colours.problem(str(deployment.settings.get("FORCE_COLOUR", colours.OURS)).lower()):
        yield f"FORCE_COLOUR has to be {wrong}"
    if deployment.settings.get("LANGUAGE_OF_PAGES", language.ENGLISH) not in language.codes():
        yield f"LANGUAGE_OF_PAGES has to be one of: {', '.join(language.codes())}"
    if set(str(deployment.settings.get("SECOND_LOOK", "")).split()) - set(NOT_CRIMED_REASONS):
        yield f"SECOND_LOOK has to be some of: {' '.join(NOT_CRIMED_REASONS)}"
    try:
        read_periods(str(deployment.settings.get("RETENTION", USUAL)))
    except ValueError as wrong_periods:
        yield f"RETENTION has to be {wrong_periods}"
    if deployment.settings.get("PUBLIC_STATISTICS", "no") not in ("yes", "no"):
        yield "PUBLIC_STATISTICS has to be yes or no"
    asked = VARIABLES | LETTERS.get(_sender(deployment), {})
    for name, (form, meaning) in asked.items():
        value = deployment.settings.get(name)
        if not (isinstance(value, str) and form.fullmatch(value)):
            yield f"environment_variables.{name} has to be {meaning}, in quotation marks"
    for name in deployment.settings.keys() - asked.keys():
        if not isinstance(deployment.settings[name], str):
            yield f"environment_variables.{name} has to be in quotation marks"


def _options(deployment: Deployment) -> Iterator[str]:
    chosen = deployment.config["stages"][deployment.stage].get("deployment", {})
    for name, value in chosen.items():
        if name not in OPTIONS:
            yield f"deployment.{name} is not known (known: {', '.join(OPTIONS)})"
        elif not OPTIONS[name][0].fullmatch(str(value)):
            yield f"deployment.{name} has to be {OPTIONS[name][1]}"
    if _sender(deployment) in LETTERS and "alarm_email" not in chosen:
        yield f"deployment.alarm_email has to be {OPTIONS['alarm_email'][1]}"
    try:
        read_hours(str(chosen.get("chat_hours", CLOSED)))
    except ValueError as wrong_hours:
        yield f"deployment.chat_hours cannot be read: {wrong_hours}"
    if ("oidc_issuer" in chosen) != ("oidc_audience" in chosen):
        yield "deployment needs both oidc_issuer and oidc_audience, or neither"


def _names(deployment: Deployment) -> Iterator[str]:
    """A stage that was copied from another must not keep the other's name anywhere: nor its rights."""
    if deployment.api_stage != deployment.stage:  # alarms look there, and would never ring
        yield f"api_gateway_stage has to be “{deployment.stage}”"
    functions = deployment.config["stages"][deployment.stage].get("lambda_functions", {})
    for name, function in functions.items():
        file = f"policies/{deployment.stage}/{name}.json"
        if function.get("iam_policy_file") != file:
            yield f"lambda_functions.{name}.iam_policy_file has to be “{file}”"
    if missing := {model.stem for model in _models(deployment)} - functions.keys():
        yield f"lambda_functions has to name a policy for {', '.join(sorted(missing))}, as {MODEL} does"


def check_account(deployment: Deployment) -> None:
    """Raises GiveUp if this stage is at home in another account or region: a second service would be made here."""
    arn = deployment.settings.get("REPORTS_STREAM_ARN", "").split(":")
    home, here = (arn[4], arn[3]) if len(arn) > 4 else None, (deployment.account, deployment.region)
    if home and home != here and f":table/{deployment.name}/" in deployment.settings["REPORTS_STREAM_ARN"]:
        raise GiveUp(f"Stage {deployment.stage} is in account {home[0]}, {home[1]}, but these credentials are of "
                     f"account {here[0]}, {here[1]}. Set AWS_PROFILE and AWS_REGION. To move it, "
                     "take what is set of it out of .chalice/config.json.")  # fmt: skip


def check_letters(deployment: Deployment) -> None:
    """Raises GiveUp if letters go by GOV.UK Notify and its key is not where the functions look for it."""
    if _sender(deployment) != "notify":
        return
    name, store = notify_key_parameter(deployment), deployment.client("ssm")
    try:
        kind = store.get_parameter(Name=name)["Parameter"]["Type"]  # what is in it stays encrypted
    except store.exceptions.ParameterNotFound:
        kind = None
    if kind != "SecureString":
        raise GiveUp(f"The key of GOV.UK Notify is not in the parameter store as the SecureString {name}. "
                     "docs/runbook.md, “Letters by GOV.UK Notify”, says how to put it there.")  # fmt: skip


def actions(deployment: Deployment) -> Iterator[Action]:
    """Which settings and policies are not yet as they have to be."""
    for path, text in policies(deployment).items():
        if not path.exists() or path.read_text() != text:
            yield Action(f"write {path.relative_to(deployment.root)}", partial(write, path, text))
    found = from_stacks(deployment)
    changed = {name: value for name, value in found.items() if deployment.settings.get(name) != value}
    for name, value in changed.items():
        yield Action(f"set {name} = {value}", partial(_set, deployment, name, value))


def from_stacks(deployment: Deployment) -> dict[str, str]:
    """What the stacks and the WebSocket API say. Raises NotYet before they are there."""
    data = deployment.outputs("data", "TableName", "TriageQueueUrl", "LettersQueueUrl", "EvidenceBucketName")
    table = data["TableName"]
    # Of the table itself: the stack does not notice when it is made anew, from a backup say, with another stream.
    described = deployment.client("dynamodb").describe_table(TableName=table)["Table"]
    if "LatestStreamArn" not in described:
        raise GiveUp(
            f"Table {table} has no stream. docs/runbook.md, “Restore from a backup”, says how to switch it on."
        )
    return {
        "REPORTS_TABLE": table,
        "REPORTS_STREAM_ARN": described["LatestStreamArn"],
        "TRIAGE_QUEUE_URL": data["TriageQueueUrl"],
        "LETTERS_QUEUE_URL": data["LettersQueueUrl"],
        "EVIDENCE_BUCKET": data["EvidenceBucketName"],
        "POWERTOOLS_SERVICE_NAME": deployment.name,
        **_sign_in(deployment),
        **_letters(deployment),
        "CHAT_HOURS": str(deployment.option("chat_hours", CLOSED)),
        **socket_api.addresses(deployment),
    }


def policies(deployment: Deployment) -> dict[Path, str]:
    """The policy file of each function with its text."""
    folder = deployment.root / ".chalice" / "policies"
    if deployment.stage == MODEL:
        return {}
    return {
        folder / deployment.stage / model.name: _renamed(model.read_text(), deployment) for model in _models(deployment)
    }


def _models(deployment: Deployment) -> list[Path]:
    return sorted((deployment.root / ".chalice" / "policies" / MODEL).glob("*.json"))


def _renamed(policy: str, deployment: Deployment) -> str:
    """For this stage: our things have its name in theirs, and connections are under the stage of API Gateway."""
    return policy.replace(f"{APP}-{MODEL}", deployment.name).replace(f"/{MODEL}/", f"/{deployment.api_stage}/")


def _sender(deployment: Deployment) -> str:
    return str(deployment.settings.get("LETTER_SENDER"))


def notify_key_parameter(deployment: Deployment) -> str:
    """Where the key of GOV.UK Notify is kept: in the parameter store, not in the repository."""
    return f"/{deployment.name}/notify-api-key"


def _letters(deployment: Deployment) -> dict[str, str]:
    found = {"SERVICE_URL": str(deployment.option("address")).rstrip("/")} if deployment.option("address") else {}
    if _sender(deployment) == "notify":
        found["NOTIFY_KEY_PARAMETER"] = notify_key_parameter(deployment)
    return found


def _sign_in(deployment: Deployment) -> dict[str, str]:
    if deployment.option("oidc_issuer"):
        return {"OIDC_ISSUER": deployment.option("oidc_issuer"), "OIDC_AUDIENCE": deployment.option("oidc_audience")}
    identity = deployment.outputs("identity", "Issuer", "Audience")
    return {"OIDC_ISSUER": identity["Issuer"], "OIDC_AUDIENCE": identity["Audience"]}


def _set(deployment: Deployment, name: str, value: str) -> None:
    stage = deployment.config["stages"][deployment.stage]
    stage.setdefault("environment_variables", {})[name] = value
    write(deployment.root / ".chalice" / "config.json", json.dumps(deployment.config, indent=2) + "\n")
