"""The running service against its own description: schemathesis sends what `/openapi.json` allows, and what it does not.

Bounded, so that all of it ends well within a minute, and the same in each run.
"""

import requests
import schemathesis
from conftest import Runner
from schemathesis.config import SchemathesisConfig

from chalicelib.handlers.openapi import document

CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"max-examples": 20, "deterministic": True, "database": "none", "with-security-parameters": False},
    }
)
DESCRIPTION = schemathesis.openapi.from_dict(document(""), config=CONFIG)


def test_description_is_the_one_that_is_served(stack: Runner) -> None:
    assert requests.get(f"{stack.url}/openapi.json", timeout=30).json() == document("")


@DESCRIPTION.parametrize()
def test_service_is_as_described(case: schemathesis.Case, stack: Runner, supervisor: str) -> None:
    locked = "security" in case.operation.definition.raw
    headers = {"Authorization": f"Bearer {supervisor}"} if locked else {}
    case.call_and_validate(base_url=stack.url, headers=headers)


import pytest


@pytest.fixture(scope="session")
def supervisor(stack: Runner) -> str:
    return stack.token("supervisor")
