"""The officers' endpoint over HTTP: who may do what, versions, claims, the work list, decisions, and what is logged."""

import base64
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from conftest import Runner
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from users import JSON, Officer, Public, Records, at_once, example

from chalicelib.reference import derive, show

UNKNOWN = show(derive(bytes(16)))
HANDLE_REPORTS, SEE_FIGURES = {"officer", "supervisor"}, {"officer", "supervisor", "analyst"}
MOVES = ["claim", "release", "call-backs", "crime", "not-crime", "disposal", "notes"]
ROUTES = [
    ("GET", "/triage", HANDLE_REPORTS),
    ("GET", f"/triage/{UNKNOWN}", HANDLE_REPORTS),
    *(("POST", f"/triage/{UNKNOWN}/{move}", HANDLE_REPORTS) for move in MOVES),
    ("GET", "/statistics", SEE_FIGURES),
]
LOCKED = [*((method, path) for method, path, _ in ROUTES), ("POST", "/triage/next")]
BODIES: dict[str, dict[str, Any]] = {
    "claim": {},
    "release": {},
    "call-backs": {"result": "requested"},
    "crime": {"offence": "45", "disposal": "further_investigation"},
    "not-crime": {"reason": "no_offence", "rationale": "It was lent"},
    "disposal": {"disposal": "filed", "outcome": 14},
    "notes": {"text": "Seen"},
}
LEASE = 30 * 60


@pytest.fixture
def public(stack: Runner) -> Public:
    return Public(stack)


@pytest.fixture
def olive(stack: Runner) -> Officer:
    return Officer(stack, name="Olive Officer")


@pytest.fixture
def peter(stack: Runner) -> Officer:
    return Officer(stack, name="Peter Piper")


@pytest.fixture
def reference(stack: Runner, public: Public) -> str:
    """A report that triage is done with."""
    made = public.report(example())
    stack.idle()
    return made


@pytest.fixture(scope="module")
def untouched(stack: Runner) -> str:
    """A report for tests in which every change is refused."""
    made = Public(stack).report(example())
    stack.idle()
    return made


@pytest.fixture(scope="module")
def desk() -> Iterator[Runner]:
    """A service of our own: nobody else takes reports from the list, and its clock may be moved."""
    runner = Runner()
    try:
        yield runner
    finally:
        runner.stop()


def problem_of(answer: requests.Response, status: int) -> dict[str, Any]:
    """The problem document of a refusal."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    document: dict[str, Any] = answer.json()
    assert (document["status"], bool(document["title"]), bool(document["type"])) == (status, True, True)
    return document


def fields_of(answer: requests.Response) -> list[str]:
    """The fields that a 422 complains of."""
    return [error["field"] for error in problem_of(answer, 422)["errors"]]


# ---- who may come in


@pytest.mark.parametrize("role", sorted(SEE_FIGURES))
@pytest.mark.parametrize(("method", "path", "roles"), ROUTES)
def test_each_role_gets_as_far_as_it_may(stack: Runner, method: str, path: str, roles: set[str], role: str) -> None:
    headers = Officer(stack, role).headers
    answer = requests.request(method, stack.url + path, headers=headers, timeout=30)
    if role not in roles:
        problem_of(answer, 403)
    else:
        found = {"GET": 404 if UNKNOWN in path else 200, "POST": 428}[method]
        assert answer.status_code == found


def test_analyst_does_not_take_reports(stack: Runner) -> None:
    problem_of(Officer(stack, "analyst").post("/triage/next"), 403)


def test_every_locked_address_of_the_description_is_tried_here(stack: Runner) -> None:
    paths = requests.get(f"{stack.url}/openapi.json", timeout=30).json()["paths"]
    locked = {
        (method.upper(), path.replace("{reference}", UNKNOWN))
        for path, methods in paths.items()
        for method, operation in methods.items()
        if operation.get("security")
    }
    assert locked == set(LOCKED)


def bad_tokens(runner: Runner) -> dict[str, str | None]:
    """`Authorization` headers that must not let anybody in, by what is wrong with them."""
    good = runner.token("supervisor")
    head, body, signature = good.split(".")
    published = requests.get(f"{runner.url}/dev/issuer/.well-known/jwks.json", timeout=30).json()
    (key,) = KeySet.import_key_set(published).keys
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    own = RSAKey.generate_key(2048)
    pem = key.as_pem(private=False)  # type: ignore[union-attr]
    unsigned = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': key.kid})}.{body}"
    mac = base64.urlsafe_b64encode(hmac.digest(pem, unsigned.encode(), "sha256")).decode().rstrip("=")
    other_body = _part({**claims, "sub": "Somebody else"})
    return {
        "none": None,
        "empty": "",
        "scheme alone": "Bearer",
        "another scheme": f"Basic {good}",
        "garbage": "Bearer x.y.z",
        "one part": "Bearer " + "x" * 50,
        "too long": "Bearer " + "x" * 10_000,
        "no signature": f"Bearer {head}.{body}.",
        "other claims": f"Bearer {head}.{other_body}.{signature}",
        "alg none": f"Bearer {_part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "HS256 with the public key": f"Bearer {unsigned}.{mac}",
        "unknown kid": "Bearer " + jwt.encode({"alg": "RS256", "kid": "somebody-else"}, claims, own),
        "known kid, other key": "Bearer " + jwt.encode({"alg": "RS256", "kid": key.kid}, claims, own),
        "no kid, other key": "Bearer " + jwt.encode({"alg": "RS256"}, claims, own),
        "header is a list": f"Bearer {_part([1])}.{body}.{signature}",
        "not ASCII": "Bearer \u00e9.\u00e9.\u00e9",
    }


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_nobody_comes_in_without_a_valid_token(stack: Runner) -> None:
    for wrong, authorization in bad_tokens(stack).items():
        headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
        for method, path in LOCKED:
            answer = requests.request(method, stack.url + path, headers=headers, timeout=30)
            assert answer.status_code == 401, (wrong, method, path, answer.text)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert problem_of(answer, 401)["title"] == "Sign in to see this"


# ---- versions


def test_change_without_a_version(olive: Officer, untouched: str) -> None:
    for move in MOVES:
        problem_of(olive.post(f"/triage/{untouched}/{move}", BODIES[move]), 428)


@pytest.mark.parametrize("tag", ['"two"', "*", '"1", "2"', '"-1"', '"1.0"', '""', '"' + "9" * 30 + '"', '"\u00b2"'])
def test_change_with_a_version_that_is_none(olive: Officer, untouched: str, tag: str) -> None:
    problem_of(olive.post(f"/triage/{untouched}/claim", If_Match=tag.encode("latin-1")), 400)  # type: ignore[arg-type]


def test_change_of_what_somebody_else_has_changed(olive: Officer, peter: Officer, reference: str) -> None:
    read = olive.read(reference)
    peter.done(reference, "notes", text="I was first")
    now = peter.read(reference)
    for move in MOVES:
        document = problem_of(olive.change(reference, move, read["version"], **BODIES[move]), 412)
        assert (document["version"], document["changed_by"]) == (read["version"] + 1, "Peter Piper")
        assert document["changed_at"] == now["history"][-1]["at"]
    assert peter.read(reference) == now


def test_version_is_told_as_etag_and_moves_by_one(olive: Officer, reference: str) -> None:
    read = olive.get(f"/triage/{reference}")
    version = read.json()["version"]
    assert read.headers["ETag"] == f'"{version}"'
    changed = olive.post(f"/triage/{reference}/notes", BODIES["notes"], If_Match=read.headers["ETag"])
    assert (changed.json()["version"], changed.headers["ETag"]) == (version + 1, f'"{version + 1}"')


def test_of_many_who_decide_at_once_one_wins(stack: Runner, reference: str) -> None:
    officers = [Officer(stack, name=f"Officer {number}") for number in range(16)]
    version = officers[0].read(reference)["version"]
    answers = at_once(16, lambda number: officers[number].change(reference, "crime", version, **BODIES["crime"]))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 15
    assert [entry["what"] for entry in officers[0].read(reference)["history"]].count("crimed") == 1


# ---- claims


def test_claim_keeps_others_out_and_names_its_holder(olive: Officer, peter: Officer, reference: str) -> None:
    assert olive.done(reference, "claim")["claimed_by"] == "Olive Officer"
    for move in MOVES:
        document = problem_of(peter.change(reference, move, **BODIES[move]), 409)
        assert document["holder"] == "Olive Officer"
        assert "Olive Officer" in document["detail"]
    assert olive.done(reference, "notes", text="Still mine")["claimed_by"] == "Olive Officer"
    assert "claimed_by" not in olive.done(reference, "release")
    assert peter.done(reference, "claim")["claimed_by"] == "Peter Piper"


def test_supervisor_may_take_a_report_over(stack: Runner, olive: Officer, reference: str) -> None:
    olive.done(reference, "claim")
    supervisor = Officer(stack, "supervisor", "Sunil Supervisor")
    assert supervisor.done(reference, "claim")["claimed_by"] == "Sunil Supervisor"
    assert problem_of(olive.change(reference, "notes", text="x"), 409)["holder"] == "Sunil Supervisor"


def test_claim_ends_with_its_lease(desk: Runner) -> None:
    olive, peter = Officer(desk, name="Olive Officer"), Officer(desk, name="Peter Piper")
    reference = Public(desk).report(example())
    desk.idle()
    olive.done(reference, "claim")
    desk.advance(LEASE - 60)
    problem_of(peter.change(reference, "notes", text="x"), 409)
    olive.done(reference, "claim")  # once more for half an hour
    desk.advance(LEASE - 60)
    problem_of(peter.change(reference, "notes", text="x"), 409)
    desk.advance(60)
    assert "claimed_by" not in peter.read(reference)
    assert peter.done(reference, "claim")["claimed_by"] == "Peter Piper"


def test_claim_does_not_stop_the_24_hour_rule(desk: Runner) -> None:
    olive, reference = Officer(desk), Public(desk).report(example())
    desk.idle()
    desk.advance(24 * 3600 - LEASE // 2)
    olive.done(reference, "claim")
    desk.advance(LEASE // 2)
    report = olive.read(reference)
    assert (report["status"], report["crimed_by"]) == ("crimed", "24-hour rule")
    assert "claimed_by" not in report
    assert olive.get("/triage").json() == {"reports": []}


# ---- decisions


def test_call_backs(olive: Officer, reference: str) -> None:
    assert olive.done(reference, "call-backs", result="requested")["status"] == "awaiting_information"
    assert olive.done(reference, "call-backs", result="no_answer")["status"] == "awaiting_information"
    assert olive.done(reference, "call-backs", result="left_message", note="With her son")["status"] == (
        "awaiting_information"
    )
    assert olive.done(reference, "call-backs", result="reached", note="It was a grey van")["status"] == "queued"
    attempts = [entry for entry in olive.read(reference)["history"] if entry["what"] == "call_back"]
    assert [entry["result"] for entry in attempts] == ["requested", "no_answer", "left_message", "reached"]
    assert [entry.get("note") for entry in attempts] == [None, None, "With her son", "It was a grey van"]
    assert {entry["by"] for entry in attempts} == {"Olive Officer"}


def test_crime_with_a_disposal(olive: Officer, public: Public) -> None:
    reference = public.report(example(suspects__names=None))
    head = olive.done(reference, "crime", offence="45", disposal="filed", note="No lines to follow")
    assert (head["status"], head["offence"], head["disposal"], head["outcome"]) == ("crimed", "45", "filed", 18)
    assert head["crimed_by"] == "Olive Officer"
    assert olive.read(reference)["history"][-1]["note"] == "No lines to follow"
    reopened = olive.done(reference, "disposal", disposal="further_investigation")
    assert (reopened["disposal"], reopened["outcome"]) == ("further_investigation", 0)
    assert reopened["crime_number"] == head["crime_number"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"offence": "99Z"}, "offence"),
        ({"offence": ""}, "offence"),
        ({"disposal": "closed"}, "disposal"),
        ({"disposal": "filed", "outcome": 18}, "outcome"),  # a suspect is named
        ({"disposal": "filed"}, "outcome"),  # which means 18
        ({"disposal": "filed", "outcome": 0}, "outcome"),
        ({"disposal": "filed", "outcome": 23}, "outcome"),
        ({"disposal": "filed", "outcome": "many"}, "outcome"),
        ({"outcome": 14}, "outcome"),
        ({"note": "x" * 4_001}, "note"),
        ({"note": "\x00"}, "note"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_crime_that_cannot_be(
    stack: Runner, olive: Officer, untouched: str, changes: dict[str, Any], field: str
) -> None:
    version = olive.read(untouched)["version"]
    taken = Records(stack).keys("CRIME_NUMBERS#")
    assert fields_of(olive.change(untouched, "crime", version, **(BODIES["crime"] | changes))) == [field]
    assert olive.read(untouched)["version"] == version
    assert Records(stack).keys("CRIME_NUMBERS#") == taken  # no number was wasted on it


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "no_offence"}, "rationale"),
        ({"reason": "no_offence", "rationale": " "}, "rationale"),
        ({"reason": "no_offence", "rationale": "x" * 4_001}, "rationale"),
        ({"reason": "boredom", "rationale": "x"}, "reason"),
        ({"reason": "another_force", "rationale": "x"}, "force"),
        ({"reason": "another_force", "rationale": "x", "force": " "}, "force"),
        ({"reason": "duplicate", "rationale": "x"}, "duplicate_of"),
        ({"reason": "duplicate", "rationale": "x", "duplicate_of": UNKNOWN}, "duplicate_of"),
        ({"reason": "duplicate", "rationale": "x", "duplicate_of": "nonsense"}, "duplicate_of"),
        ({"reason": "duplicate", "rationale": "x", "duplicate_of": "itself"}, "duplicate_of"),
    ],
)
def test_not_crime_that_cannot_be(olive: Officer, untouched: str, body: dict[str, str], field: str) -> None:
    sent = body | ({"duplicate_of": untouched.lower()} if body.get("duplicate_of") == "itself" else {})
    assert fields_of(olive.change(untouched, "not-crime", **sent)) == [field]
    assert olive.read(untouched)["status"] == "queued"


@pytest.mark.parametrize("reason", ["no_offence", "contrary_evidence", "victim_unconfirmed"])
def test_not_crime(olive: Officer, reference: str, reason: str) -> None:
    head = olive.done(reference, "not-crime", reason=reason, rationale="Told at the door")
    assert (head["status"], head["not_crimed_reason"]) == ("not_crimed", reason)
    assert olive.read(reference)["history"][-1]["note"] == "Told at the door"


def test_not_crime_as_a_duplicate(olive: Officer, public: Public, reference: str) -> None:
    again = public.report(example())
    olive.done(again, "not-crime", reason="duplicate", rationale="Sent twice", duplicate_of=reference)
    entry = olive.read(again)["history"][-1]
    assert entry["duplicate_of"].replace("-", "") == reference.replace("-", "")


@pytest.mark.parametrize(
    ("decision", "allowed"),
    [("crime", ["claim", "release", "disposal", "notes"]), ("not-crime", ["crime", "notes"])],
)
def test_move_that_is_not_allowed_says_which_are(
    olive: Officer, reference: str, decision: str, allowed: list[str]
) -> None:
    olive.done(reference, decision, **BODIES[decision])
    for move in sorted(set(MOVES) - set(allowed)):
        document = problem_of(olive.change(reference, move, **BODIES[move]), 409)
        assert document["allowed"] == allowed
        assert ", ".join(allowed) in document["detail"]
    for move in allowed:
        olive.done(reference, move, **BODIES[move])


def test_open_report_has_no_disposal(olive: Officer, untouched: str) -> None:
    document = problem_of(olive.change(untouched, "disposal", **BODIES["disposal"]), 409)
    assert document["allowed"] == ["claim", "release", "call-backs", "crime", "not-crime", "notes"]


def test_same_disposal_again_is_refused(olive: Officer, reference: str) -> None:
    olive.done(reference, "crime", **BODIES["crime"])
    problem_of(olive.change(reference, "disposal", disposal="further_investigation"), 409)


@pytest.mark.parametrize("move", ["call-backs", "crime", "not-crime", "disposal", "notes"])
@pytest.mark.parametrize(
    ("sent", "content_type", "status"),
    [
        (b"{", JSON, 400),
        (b"", JSON, 400),
        (b"\xff", JSON, 400),
        (b"[" * 50_000, JSON, 400),
        (b"[]", JSON, 400),
        (b"{}", JSON, 422),
        (b'"x"', JSON, 400),
        (b'{"text": 7, "result": [], "reason": {}, "offence": null, "disposal": 1.5}', JSON, 422),
        (b'{"text": "\\ud800", "result": "\\ud800", "reason": "x", "offence": "x", "disposal": "x"}', JSON, (400, 422)),
        (b'{"text": "' + b"x" * 300_000 + b'"}', JSON, 413),
        (b"text=x", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
    ],
)
def test_bad_bodies(
    olive: Officer, untouched: str, move: str, sent: bytes, content_type: str, status: int | tuple[int, ...]
) -> None:
    headers = olive.headers | {"If-Match": '"2"', "Content-Type": content_type}
    answer = requests.post(f"{olive.url}/triage/{untouched}/{move}", data=sent, headers=headers, timeout=30)
    assert answer.status_code in (status if isinstance(status, tuple) else (status,)), answer.text
    problem_of(answer, answer.status_code)
    assert olive.read(untouched)["version"] == 2


@pytest.mark.parametrize("reference", [UNKNOWN, "nonsense", "%2e%2e", "x" * 500, "\u00e9"])
def test_no_such_report(olive: Officer, reference: str) -> None:
    problem_of(olive.get(f"/triage/{reference}"), 404)
    problem_of(olive.post(f"/triage/{reference}/claim", If_Match='"1"'), 404)


# ---- the work list


def test_most_urgent_is_first_then_nearest_deadline_and_next_takes_them_so(desk: Runner) -> None:
    public, officer = Public(desk), Officer(desk)
    calm = example(
        suspects=None, evidence=None, harm=None, about__vehicle_registration=None, what_happened="It was gone"
    )
    quiet = public.report(calm)
    desk.advance(60)
    urgent = public.report(example("criminal_damage"))
    desk.advance(60)
    quieter, high = public.report(calm), public.report(example("burglary"))
    desk.advance(60)
    desk.idle()
    heads = officer.get("/triage").json()["reports"]
    expected = [(urgent, "urgent"), (high, "high"), (quiet, "standard"), (quieter, "standard")]
    assert [(head["reference"], head["priority"]) for head in heads] == expected
    assert {"reference", "category", "status", "priority", "reasons", "received_at", "deadline", "version"} == set(
        heads[0]
    )
    for reference, _ in expected:
        taken = officer.post("/triage/next")
        assert (taken.status_code, taken.json()["reference"]) == (200, reference)
        assert taken.json()["claimed_by"] == "Olive Officer"
        assert "answers" in taken.json()
        assert taken.headers["ETag"] == f'"{taken.json()["version"]}"'
    assert officer.post("/triage/next").status_code == 204
    assert {head["claimed_by"] for head in officer.get("/triage").json()["reports"]} == {"Olive Officer"}

    desk.advance(LEASE)
    assert officer.post("/triage/next").json()["reference"] == urgent
    for reference, _ in expected:
        officer.done(reference, "not-crime", **BODIES["not-crime"])
    assert officer.get("/triage").json() == {"reports": []}


def test_next_gives_no_report_to_two_officers(desk: Runner) -> None:
    public = Public(desk)
    made = {public.report(example()) for _ in range(10)}
    desk.idle()
    officers = [Officer(desk, name=f"Officer {number}") for number in range(16)]
    answers = at_once(16, lambda number: officers[number].post("/triage/next"))
    taken = [answer.json()["reference"] for answer in answers if answer.status_code == 200]
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [204] * 6
    assert sorted(taken) == sorted(made)
    for reference in made:
        Officer(desk, "supervisor").done(reference, "not-crime", **BODIES["not-crime"])


def test_pages_of_the_list_have_every_report_once(desk: Runner) -> None:
    public, officer = Public(desk), Officer(desk)
    made = [public.report(example(category)) for category in ("burglary", "theft", "criminal_damage") * 3]
    desk.idle()
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 4}
    for _ in range(3):
        page = officer.get("/triage", **query).json()
        seen += [head["reference"] for head in page["reports"]]
        query["cursor"] = page.get("cursor")
    assert query["cursor"] is None  # the last page was not full
    assert sorted(seen) == sorted(made)
    assert seen == [head["reference"] for head in officer.get("/triage").json()["reports"]]

    thefts = officer.get("/triage", category="theft", priority="high", status="queued").json()["reports"]
    assert {head["reference"] for head in thefts} == set(made[1::3])
    assert officer.get("/triage", status="received").json() == {"reports": []}
    assert officer.get("/triage", priority="standard").json() == {"reports": []}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": ""},
        {"limit": "\u0661"},
        {"status": "crimed"},
        {"category": "arson"},
        {"priority": "low"},
        {"cursor": "%"},
        {"cursor": "\u00e9"},
        {"cursor": "eA"},
        {"cursor": "x" * 4_000},
    ],
)
def test_list_that_cannot_be(olive: Officer, query: dict[str, str]) -> None:
    assert fields_of(olive.get("/triage", **query)) == list(query)


def test_no_more_than_200_at_a_time(olive: Officer) -> None:
    assert olive.get("/triage", limit=200).status_code == 200


# ---- what is logged


def test_who_saw_what_is_logged(stack: Runner, public: Public) -> None:
    records, reader = Records(stack), Officer(stack, name="Rita Reader")
    reference = public.report(example())
    stack.idle()
    reader.read(reference)
    listed = reader.get("/triage", category="theft").json()["reports"]
    plain = reference.replace("-", "")
    found = [item for item in records.items() if item["sk"]["S"].startswith("ACCESS#")]
    seen = [item for item in found if item["pk"]["S"] == f"REPORT#{plain}"]
    own = [item for item in found if item["pk"]["S"] == "OFFICER#Rita Reader"]
    assert sorted(item["what"]["S"] for item in own) == ["list", "read"]
    lists = [item for item in own if item["what"]["S"] == "list"]
    assert [(item["officer_name"]["S"], item["what"]["S"]) for item in seen] == [("Rita Reader", "read")]
    assert [item["what"]["S"] for item in lists] == ["list"]
    logged = [each["S"] for each in lists[0]["references"]["L"]]
    assert logged == [head["reference"].replace("-", "") for head in listed] != []


def test_report_taken_from_the_list_is_logged_as_seen(desk: Runner) -> None:
    plain = Public(desk).report(example()).replace("-", "")
    desk.idle()
    taker = Officer(desk, name="Tariq Taker")
    taken = taker.post("/triage/next").json()["reference"].replace("-", "")
    found = Records(desk).items()
    assert plain in {item["pk"]["S"].removeprefix("REPORT#") for item in found}
    seen = [item for item in found if item["pk"]["S"] == f"REPORT#{taken}" and item["sk"]["S"].startswith("ACCESS#")]
    assert ("Tariq Taker", "next") in {(item["officer_name"]["S"], item["what"]["S"]) for item in seen}


def test_refused_readers_see_nothing_and_leave_no_trace_of_reading(stack: Runner, reference: str) -> None:
    refused = Officer(stack, "analyst").get(f"/triage/{reference}")
    assert reference not in refused.text
    keys = Records(stack).keys(f"REPORT#{reference.replace('-', '')}")
    assert not [sk for _, sk in keys if sk.startswith("ACCESS#")]
