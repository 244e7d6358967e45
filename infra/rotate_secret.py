"""`make rotate-secret STAGE=dev`: a new secret for references. Reports that were sent before are still recognised."""

import sys
from pathlib import Path

from chalicelib.table import ConditionFailed, Table
from chalicelib.times import spoken
from chalicelib.token_secrets import TokenSecrets
from chalicelib.wiring import mint
from infra import settings
from infra.deployment import Deployment, GiveUp, load, plain_errors


def rotate(deployment: Deployment) -> str:
    """Add a secret, and say from when it counts. Raises GiveUp if the last one does not count yet."""
    settings.check_account(deployment)
    name = deployment.settings.get("REPORTS_TABLE")
    if not name:
        raise GiveUp(f"Stage {deployment.stage} is not deployed yet: make deploy STAGE={deployment.stage}")
    table = Table(deployment.client("dynamodb"), name)
    try:
        since = TokenSecrets(table, deployment.now, mint).rotate()
    except ConditionFailed:
        raise GiveUp("The last new secret is not in force yet. Try again in a quarter of an hour.") from None
    return f"The new secret is in force from {spoken(since)}. Nothing else has to be done."


if __name__ == "__main__":
    with plain_errors():
        print(rotate(load(Path.cwd(), "".join(sys.argv[1:]))))
