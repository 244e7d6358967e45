"""The firewall: holds off a flood and plain attacks, and never refuses a report for what it says."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

TEMPLATE = Path(__file__).parents[1] / "infra" / "data.yaml"
FIREWALL = yaml.safe_load(TEMPLATE.read_text())["Resources"]["Firewall"]["Properties"]
RULES = sorted(FIREWALL["Rules"], key=lambda rule: rule["Priority"])
BODY = {
    "awswaf:managed:aws:core-rule-set:CrossSiteScripting_Body",
    "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body",
}
SHELL = "awswaf:managed:aws:known-bad-inputs:Log4JRCE_URIPath"
LISTED = "awswaf:managed:aws:amazon-ip-list:AWSManagedIPReputationList"


class Request(NamedTuple):
    """A request as the firewall sees it: `labels` are what AWS's rules found in it."""

    method: str
    path: str
    labels: frozenset[str] = frozenset()


def matches(statement: dict[str, Any], request: Request) -> bool:
    """Whether a statement of ours is true of a request."""
    ((kind, of),) = statement.items()
    match kind:
        case "AndStatement":
            return all(matches(one, request) for one in of["Statements"])
        case "OrStatement":
            return any(matches(one, request) for one in of["Statements"])
        case "NotStatement":
            return not matches(of["Statement"], request)
        case "ByteMatchStatement":
            assert (of["FieldToMatch"], of["PositionalConstraint"]) == ({"Method": {}}, "EXACTLY")
            return bool(of["SearchString"] == request.method)
        case "RegexMatchStatement":
            assert of["FieldToMatch"] == {"UriPath": {}}
            return re.search(of["RegexString"], request.path) is not None
        case "LabelMatchStatement" if of["Scope"] == "NAMESPACE":
            return any(label.startswith(of["Key"]) for label in request.labels)
        case "LabelMatchStatement":
            return of["Key"] in request.labels
    raise NotImplementedError(kind)


def answer(request: Request, sent_before: int = 0) -> int:
    """What the firewall says to a request of an address that has sent so many like it in the last five minutes."""
    for rule in RULES:
        statement = rule["Statement"]
        if "ManagedRuleGroupStatement" in statement:
            assert rule["OverrideAction"] == {"Count": {}}  # so it labels, and goes on
            continue
        if limit := statement.get("RateBasedStatement"):
            hit = sent_before > limit["Limit"] and matches(limit["ScopeDownStatement"], request)
        else:
            hit = matches(statement, request)
        if hit:
            return int(rule["Action"]["Block"].get("CustomResponse", {}).get("ResponseCode", 403))
    assert FIREWALL["DefaultAction"] == {"Allow": {}}
    return 200


@pytest.mark.parametrize("path", ["/prod/reports", "/prod/report/burglary", "/reports", "/prod/triage/7K3M/not-crime"])
@pytest.mark.parametrize("labels", [BODY, {SHELL}, {LISTED}, BODY | {SHELL, LISTED}])
def test_nothing_that_is_posted_is_refused_for_what_it_says_or_where_it_comes_from(path: str, labels: set[str]) -> None:
    assert answer(Request("POST", path, frozenset(labels))) == 200


def test_an_attack_on_an_address_is_refused() -> None:
    assert answer(Request("GET", "/prod/reports/${jndi:ldap}", frozenset({SHELL}))) == 403
    assert answer(Request("GET", "/prod/report/burglary")) == 200


@pytest.mark.parametrize(
    "rule", ["SizeRestrictions_Cookie_Header", "EC2MetaDataSSRF_Cookie", "CrossSiteScripting_Cookie"]
)
def test_the_cookies_of_the_forces_website_keep_nobody_from_the_form(rule: str) -> None:
    cookie = Request("GET", "/report/burglary", frozenset({f"awswaf:managed:aws:core-rule-set:{rule}"}))
    assert answer(cookie) == 200


def test_a_flood_of_reports_is_refused_and_a_busy_phone_network_is_not(app_module: Any) -> None:
    takes_reports = [path for path in app_module.app.routes if path.startswith("/report")]
    posted = [path for path in takes_reports if "POST" in app_module.app.routes[path]]
    assert {"/reports", "/report/{category}"} <= set(posted)
    for path in posted:
        for address in (path, f"/prod{path}"):
            assert answer(Request("POST", address), sent_before=300) == 200  # a country's peak, from one address
            assert answer(Request("POST", address), sent_before=1_000) == 429
    assert answer(Request("GET", "/prod/report/theft"), sent_before=1_000) == 200
    assert answer(Request("POST", "/prod/triage/next"), sent_before=1_000) == 200


@pytest.mark.parametrize(
    "path", ["/drafts/0/happened", "/prod/drafts/0/items/1/remove", "/prod/status", "/status/R/add"]
)
def test_a_flood_of_pages_is_refused_and_many_people_who_write_at_once_are_not(path: str) -> None:
    assert answer(Request("POST", path), sent_before=300 * 20) == 200  # a country's peak, page by page
    assert answer(Request("POST", path), sent_before=10_000) == 429
    assert answer(Request("GET", path), sent_before=10_000) == 200


def test_a_listed_address_may_send_reports_but_fewer() -> None:
    listed = Request("POST", "/prod/reports", frozenset({LISTED}))
    assert answer(listed, sent_before=60) == 200  # one report, page by page
    assert answer(Request("POST", "/prod/drafts/0/you", frozenset({LISTED})), sent_before=60) == 200
    assert answer(Request("GET", "/prod/status", frozenset({LISTED})), sent_before=700) == 429


def test_the_refusal_says_what_to_do() -> None:
    floods = [rule["Action"]["Block"]["CustomResponse"] for rule in RULES if "RateBasedStatement" in rule["Statement"]]
    assert [response["CustomResponseBodyKey"] for response in floods] == ["TooMany", "TooMany", "TooManyPages"]
    for response in floods:
        assert response["ResponseHeaders"] == [{"Name": "Retry-After", "Value": "300"}]
    bodies = FIREWALL["CustomResponseBodies"]
    problem = json.loads(bodies["TooMany"]["Content"])
    assert (problem["type"], problem["status"]) == ("about:blank", 429)
    assert "101" in problem["detail"]
    assert "<p>This page was not saved." in bodies["TooManyPages"]["Content"]
    assert "999" in bodies["TooManyPages"]["Content"]


def test_no_request_is_shown_to_anybody() -> None:
    views = [FIREWALL["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in RULES)]
    assert not any(view["SampledRequestsEnabled"] for view in views)
