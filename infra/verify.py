"""`make verify STAGE=dev`: verifies the history of every report now, and names those that are broken."""

import sys
from pathlib import Path

from chalicelib.reference import parse, show
from chalicelib.table import Table
from chalicelib.verification import Verification
from infra import settings
from infra.deployment import Deployment, GiveUp, load, plain_errors


def verify(deployment: Deployment) -> tuple[int, list[str]]:
    """How many reports are whole, and a line for each that is not."""
    settings.check_account(deployment)
    name = deployment.settings.get("REPORTS_TABLE")
    if not name:
        raise GiveUp(f"Stage {deployment.stage} is not deployed yet: make deploy STAGE={deployment.stage}")
    broken: list[str] = []
    everything = Verification(Table(deployment.client("dynamodb"), name), deployment.now)
    done = everything.verify_all(lambda key, fault: broken.append(f"{_shown(key)}: {fault}"))
    return done.verified, broken


def main(stage: str) -> str:
    """Say that all are whole; SystemExit with the broken ones if any is not."""
    verified, broken = verify(load(Path.cwd(), stage))
    whole = f"{verified} {'history is' if verified == 1 else 'histories are'} whole"
    if broken:
        lines = [*broken, f"{whole}, {len(broken)} broken. What to do: docs/runbook.md, “A history is broken”"]
        raise SystemExit("\n".join(lines))
    return f"{whole}, none is broken"


def _shown(key: str) -> str:
    return show(key) if parse(key) else "A report whose key is no reference"


if __name__ == "__main__":
    with plain_errors():
        print(main("".join(sys.argv[1:])))
