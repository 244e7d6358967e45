"""The stage in `.chalice/config.json` and its policies: what the functions are told, filled in from the stacks."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from infra.deployment import APP, Action, Deployment, GiveUp, write

MODEL = "dev"  # the policies that people edit; those of every other stage are the same with its own name in them
FOR_PEOPLE = {
    "FORCE_NAME": "the name of the force, as letters and pages show it",
    "FORCE_CODE": "the force's number, with which its crime numbers begin",
}


def check(deployment: Deployment) -> None:
    """Raises GiveUp if a person has to choose something first."""
    asked = FOR_PEOPLE | ({"LETTER_FROM": "the address that letters come from"} if _sends(deployment) else {})
    for name, meaning in asked.items():
        if not deployment.settings.get(name):
            raise GiveUp(f"{name} is not set: put {meaning}, into stages.{deployment.stage}.environment_variables of "
                         ".chalice/config.json.")  # fmt: skip
    if deployment.api_stage != deployment.stage:  # alarms look there, and would never ring
        raise GiveUp(f"api_gateway_stage of stages.{deployment.stage} in .chalice/config.json must be "
                     f"“{deployment.stage}”, too.")  # fmt: skip
    if _sends(deployment) and not deployment.option("alarm_email"):
        raise GiveUp(f"Nobody would be woken: put alarm_email into stages.{deployment.stage}.deployment of "
                     ".chalice/config.json.")  # fmt: skip
    if bool(deployment.option("oidc_issuer")) != bool(deployment.option("oidc_audience")):
        raise GiveUp("To sign officers in elsewhere, set both oidc_issuer and oidc_audience in "
                     f"stages.{deployment.stage}.deployment of .chalice/config.json.")  # fmt: skip


def check_account(deployment: Deployment) -> None:
    """Raises GiveUp if this stage is at home in another account or region: a second service would be made here."""
    arn = deployment.settings.get("REPORTS_STREAM_ARN", "").split(":")
    home, here = (arn[4], arn[3]) if len(arn) > 4 else None, (deployment.account, deployment.region)
    if home and home != here:
        raise GiveUp(f"Stage {deployment.stage} is in account {home[0]}, {home[1]}, but these credentials are of "
                     f"account {here[0]}, {here[1]}. Set AWS_PROFILE and AWS_REGION. To move it, "
                     "take what is set of it out of .chalice/config.json.")  # fmt: skip


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
    """What the stacks say. Raises NotYet before they are there."""
    data = deployment.outputs("data")
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
        "POWERTOOLS_SERVICE_NAME": deployment.name,
        **_sign_in(deployment),
    }


def policies(deployment: Deployment) -> dict[Path, str]:
    """The policy file of each function with its text."""
    folder = deployment.root / ".chalice" / "policies"
    if deployment.stage == MODEL:
        return {}
    models = sorted((folder / MODEL).glob("*.json"))
    return {
        folder / deployment.stage / model.name: model.read_text().replace(f"{APP}-{MODEL}", deployment.name)
        for model in models
    }


def _sends(deployment: Deployment) -> bool:
    return deployment.settings.get("LETTER_SENDER") == "ses"


def _sign_in(deployment: Deployment) -> dict[str, str]:
    if deployment.option("oidc_issuer"):
        return {"OIDC_ISSUER": deployment.option("oidc_issuer"), "OIDC_AUDIENCE": deployment.option("oidc_audience")}
    identity = deployment.outputs("identity")
    return {"OIDC_ISSUER": identity["Issuer"], "OIDC_AUDIENCE": identity["Audience"]}


def _set(deployment: Deployment, name: str, value: str) -> None:
    stage = deployment.config["stages"][deployment.stage]
    stage.setdefault("environment_variables", {})[name] = value
    write(deployment.root / ".chalice" / "config.json", json.dumps(deployment.config, indent=2) + "\n")
