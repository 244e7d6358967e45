"""The running service against its own description: schemathesis sends what `/openapi.json` allows, and what not.

Bounded, so that all of it ends well within a minute, and the same in each run.
"""

import pytest
import requests
import schemathesis
from conftest import Runner
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from users import Officer, Public, example

from chalicelib.handlers.openapi import document

# Every check is on, but that valid data is accepted where rules are beyond a schema: an answer that sends the person
# to 999, two dates in order, a key used before; an offence of the table, an outcome that fits, a reference that is
# there; the last month after the first.
RULES_BEYOND_THE_SCHEMA = [
    "POST /reports",
    "POST /triage/{reference}/crime",
    "POST /triage/{reference}/not-crime",
    "POST /triage/{reference}/disposal",
    "GET /statistics",
]
CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {
            "max-examples": 10,
            "deterministic": True,
            "database": "none",
            "with-security-parameters": False,
        },
        "checks": {"missing_required_header": {"expected-statuses": [428]}},  # what HTTP has for If-Match
        "operations": [
            {"include-name": name, "checks": {"positive_data_acceptance": {"enabled": False}}}
            for name in RULES_BEYOND_THE_SCHEMA
        ]
        + [{"include-name": "GET /triage", "parameters": {"cursor": ""}}],  # a cursor is ours to make
    }
)
DESCRIPTION = schemathesis.openapi.from_dict(document(""), config=CONFIG)


@pytest.fixture(scope="module")
def officer(stack: Runner) -> Officer:
    return Officer(stack, "supervisor")


@pytest.fixture(scope="module")
def references(stack: Runner) -> dict[str, str]:
    """For each address, a report of its own that is there."""
    made = {path: Public(stack).report(example()) for path in document("")["paths"] if "{reference}" in path}
    stack.idle()
    return made


def test_description_is_the_one_that_is_served(stack: Runner) -> None:
    assert requests.get(f"{stack.url}/openapi.json", timeout=30).json() == document("")


@DESCRIPTION.parametrize()
def test_service_is_as_described(
    case: schemathesis.Case, stack: Runner, officer: Officer, references: dict[str, str]
) -> None:
    about_a_report_that_is_there(case, officer, references)
    locked = "security" in case.operation.definition.raw
    case.call_and_validate(base_url=stack.url, headers=officer.headers if locked else {})


def about_a_report_that_is_there(case: schemathesis.Case, officer: Officer, references: dict[str, str]) -> None:
    """Put a real reference and its version where any would do: else every answer is 404, and no body is ever read."""
    if is_valid(case, ParameterLocation.PATH):
        reference = references[case.path]
        case.path_parameters["reference"] = reference
        if is_valid(case, ParameterLocation.HEADER) and "If-Match" in case.headers:
            case.headers["If-Match"] = officer.get(f"/triage/{reference}").headers["ETag"]


def is_valid(case: schemathesis.Case, part: ParameterLocation) -> bool:
    """Whether this part of the request was made to fit the description."""
    made = case.meta.components.get(part) if case.meta else None
    return made is not None and made.mode.is_positive
