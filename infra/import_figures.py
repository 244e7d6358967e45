"""`make import-figures STAGE=prod FILE=figures.csv`: figures from before the service, into a stage or a `make run`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from chalicelib.errors import Refused
from chalicelib.imported import read
from chalicelib.imported_months import ImportedMonths
from chalicelib.statistics import Imported
from chalicelib.table import Table
from chalicelib.times import month
from infra import settings
from infra.deployment import Deployment, GiveUp, load, plain_errors

USAGE = (
    "Say where to and what: make import-figures STAGE=dev FILE=figures.csv (or URL=http://127.0.0.1:8000 for make run)"
)
PATIENCE_SECONDS = 30


def import_into(deployment: Deployment, file: bytes) -> tuple[dict[str, Imported], dict[str, Imported]]:
    """The months of `file` into a stage: what was imported, and what it replaces. Raises Refused, and nothing is."""
    settings.check_account(deployment)
    name = deployment.settings.get("REPORTS_TABLE")
    if not name:
        raise GiveUp(f"Stage {deployment.stage} is not deployed yet: make deploy STAGE={deployment.stage}")
    months = read(file, month(deployment.now()))
    return months, ImportedMonths(Table(deployment.client("dynamodb"), name)).replace(months)


def main(where: str, path: str) -> str:
    """Import the file at `path` into a stage or the service at an address, and say what was; SystemExit with each line
    that is wrong.
    """
    if not where or not path:
        raise GiveUp(USAGE)
    try:
        file = Path(path).read_bytes()
    except OSError as error:
        raise GiveUp(f"{path} cannot be read: {error.strerror}") from None
    if where.startswith(("http://", "https://")):
        return _send(where.rstrip("/"), file)
    try:
        months, before = import_into(load(Path.cwd(), where), file)
    except Refused as refused:
        errors = [{"field": field, "message": message} for field, message in refused.errors]
        raise SystemExit(_complaint(refused.title, refused.detail, errors)) from None
    return f"{_imported(len(months), len(before))}\n{_sums(months)}"


def _send(url: str, file: bytes) -> str:
    try:
        answer = requests.post(
            f"{url}/dev/figures", data=file, headers={"Content-Type": "text/csv"}, timeout=PATIENCE_SECONDS
        )
    except requests.RequestException:
        raise GiveUp(f"Nothing answers at {url}: make run starts a service there") from None
    if answer.status_code == 404:
        raise GiveUp(f"{url} is not a service of make run: for a deployed stage, say STAGE=…")
    said = answer.json()
    if answer.status_code != 200:
        raise SystemExit(_complaint(said["title"], said.get("detail", ""), said.get("errors", [])))
    return _imported(said["months"], said["replaced"])


def _complaint(title: str, detail: str, errors: list[dict[str, Any]]) -> str:
    lines = [f"{error['field']}: {error['message']}" for error in errors]
    return "\n".join([f"{title}.", *([detail] if detail else []), *lines, "Nothing was imported."])


def _imported(months: int, before: int) -> str:
    replaced = f" The {_months(before)} that were imported before are replaced." if before else ""
    return f"{_months(months)} imported.{replaced}"


def _months(count: int) -> str:
    return "1 month" if count == 1 else f"{count} months"


def _sums(months: Mapping[str, Imported]) -> str:
    unknown = sum(figures.crimes is None for figures in months.values())
    reports = sum(figures.reports for figures in months.values())
    crimes = sum(figures.crimes or 0 for figures in months.values())
    aside = f" (crimes are not known of {_months(unknown)})" if unknown else ""
    return f"{min(months)} to {max(months)}: {reports:,} reports, {crimes:,} crimes{aside}."


if __name__ == "__main__":
    with plain_errors():
        print(main(*[*sys.argv[1:], "", ""][:2]))
