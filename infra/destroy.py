"""`make destroy STAGE=dev`: takes the functions, the API, the logs and alarms away. Reports and accounts stay."""

import sys
from collections.abc import Callable
from pathlib import Path

from infra import settings, stacks
from infra.deploy import chalice
from infra.deployment import Deployment, GiveUp, load, plain_errors

STAYS = """What stays: the table with every report and its key, the evidence bucket, the queues, the web ACL (stack
{data}), and the officers' accounts, unless they are elsewhere (stack {identity}). make deploy STAGE={stage} brings the
service back with all of them. docs/runbook.md says how to delete them for good."""


def destroy(deployment: Deployment, ask: Callable[[str], str]) -> None:
    """Take the service away once a person has typed the stage's name. Raises GiveUp if it is not to be done."""
    settings.check_account(deployment)
    left = deployment.stack("observability")
    if not deployment.deployed() and not left:
        raise GiveUp(f"{deployment.name} is offline already, as far as this folder knows. If its record was lost "
                     f"(.chalice/deployed/{deployment.stage}.json), make deploy STAGE={deployment.stage} finds what "
                     "there is.")  # fmt: skip
    print(f"This takes {deployment.name} in account {deployment.account}, {deployment.region} offline.")
    print(STAYS.format(data=deployment.stack_name("data"), identity=deployment.stack_name("identity"),
                       stage=deployment.stage))  # fmt: skip
    if ask(f"Type {deployment.stage} to go on: ").strip() != deployment.stage:
        raise GiveUp("Nothing was changed.")
    if deployment.deployed():
        chalice(deployment, "delete")
    if left:
        stacks.delete(deployment, "observability")
    print(f"{deployment.name} is offline. Its reports are where they were.")


def _ask(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        return ""


if __name__ == "__main__":
    with plain_errors():
        destroy(load(Path.cwd(), "".join(sys.argv[1:])), _ask)
