"""`make reconcile STAGE=dev`: proves now that everything adds up, and names what does not. It changes nothing."""

import sys
from pathlib import Path

from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.ledger import SETTLED_AFTER, Ledger
from chalicelib.reconciliation import Proof, Reconciliation
from chalicelib.table import Table
from chalicelib.times import stamp
from chalicelib.wiring import mint, settle
from infra import settings
from infra.deployment import Deployment, GiveUp, load, plain_errors


def prove(deployment: Deployment) -> Proof:
    """What a round through the table of a stage comes to."""
    settings.check_account(deployment)
    name = deployment.settings.get("REPORTS_TABLE")
    if not name:
        raise GiveUp(f"Stage {deployment.stage} is not deployed yet: make deploy STAGE={deployment.stage}")
    table, clock = Table(deployment.client("dynamodb"), name), deployment.now
    numbers = CrimeNumbers(table, deployment.settings["FORCE_CODE"], mint)
    everything = Reconciliation(table, numbers, Ledger(table, clock, settle), clock)
    return everything.prove(stamp(clock() - SETTLED_AFTER))


def main(stage: str) -> str:
    """The proof; SystemExit with it if there is any difference."""
    proof = prove(load(Path.cwd(), stage))
    if proof.differences:
        raise SystemExit(f"{proof.text}\nWhat to do: docs/runbook.md, “Something does not add up”")
    return proof.text


if __name__ == "__main__":
    with plain_errors():
        print(main("".join(sys.argv[1:])))
