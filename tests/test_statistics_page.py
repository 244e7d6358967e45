"""`/statistics` as who may see it gets it: page, JSON and CSV, the answer to a request, and what is refused."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from door import Answer, Door
from force_figures import CRIMES, REPORTS, Kept, sums
from jsonschema import Draft202012Validator

from chalicelib import wiring
from chalicelib.pages.figures_in_words import duration, month
from chalicelib.tables import CAPTIONS, NAMES

RANGE = {"from": "2018-01", "to": "2019-06"}
SMALL = Counter({
    ("2019-05", "theft", "reports"): 40, ("2019-05", "burglary", "reports"): 3, ("2019-05", "theft", "crimes"): 2,
    ("2019-06", "theft", "reports"): 3,
})  # fmt: skip


@pytest.fixture
def door(app_module: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(wiring, "_installed", None)
    made = Door(app_module.app)
    made.clock.now = datetime(2019, 7, 9, 12, tzinfo=UTC)
    made.service.ledger = Kept(sums())  # type: ignore[assignment]
    yield made


@pytest.fixture
def public(door: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """The same, where the force shows everybody."""
    monkeypatch.setattr(door.service, "settings", _public(door.service.settings))
    return door


def _public(settings: Any) -> Any:
    return type(settings)(**{**vars(settings), "public_statistics": True})


def analyst(door: Door) -> dict[str, str]:
    return {"authorization": f"Bearer {door.directory.token(groups=['analyst'])}", "accept": "application/json"}


def ask(door: Door, path: str = "/statistics", headers: dict[str, str] | None = None, **query: str) -> Answer:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return door.ask("GET", f"{path}?{text}" if text else path, **(headers or {}))


def rows(html: str, caption: str) -> dict[str, str]:
    """A table of two columns, by its caption."""
    table = html.partition(f">{caption}</caption>")[2].partition("</table>")[0]
    found = re.findall(r'<tr><th scope="row">(.*?)</th><td[^>]*>(.*?)</td>', table, re.DOTALL)
    return {unescape(re.sub(r"\s*<.*", "", name, flags=re.DOTALL)): value for name, value in found}


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html.partition("<main")[2])).split())


# The tables of the answer, wherever they are shown


@pytest.mark.parametrize(("name", "figures", "whole"), [("reports", REPORTS, 27_537), ("crimes", CRIMES, 16_779)])
def test_the_tables_of_the_answer(public: Door, name: str, figures: dict[str, int], whole: int) -> None:
    spoken = {month(one, str): f"{count:,}" for one, count in figures.items()} | {"Total": f"{whole:,}"}
    everybody = [ask(public, **RANGE).text, ask(public, "/statistics/answer", **RANGE).text]
    public_csv, public_json = (ask(public, **RANGE, table=name, format=form).text for form in ("csv", "json"))
    public.has_session("analyst")
    for html in (*everybody, ask(public, **RANGE).text, ask(public, "/statistics/answer", **RANGE).text):
        assert rows(html, CAPTIONS[name]) == spoken
    assert ask(public, **RANGE, table=name, format="csv").text == public_csv
    assert ask(public, **RANGE, table=name, format="json").text == public_json
    assert {row["month"]: int(row[name]) for row in csv.DictReader(io.StringIO(public_csv))} == figures
    said = json.loads(public_json)
    assert {row["month"]: row[name] for row in said["rows"]} == figures and said["total"] == {name: whole}
    by_month = json.loads(ask(public, **RANGE, format="json").text)
    assert {row["month"]: row[name] for row in by_month["months"]} == figures and by_month["total"][name] == whole


def test_all_that_the_page_says(door: Door) -> None:
    door.has_session("analyst")
    html = ask(door, **RANGE).text
    text = words(html)
    assert "January 2018 to June 2019" in text and text.count("27,537") >= 2
    assert "Median time from report to crime 3 hours 5 minutes" in text
    assert "95th percentile of that time 21 hours 30 minutes" in text
    assert re.search(r"Call-back rate 7\.\d% 1,\d{3} of 27,537 reports: as it should be, under 10%", text)
    assert re.search(r"Crimed automatically \d+ By the 24-hour rule", text)
    assert rows(html, CAPTIONS["not_crimed"])["No offence in law"] != "0"
    assert "C3: a duplicate of another crime" in rows(html, CAPTIONS["cancelled"])
    ages = ("Under 6 hours", "6 to 12 hours", "12 to 18 hours", "18 to 24 hours", "Past the deadline", "Total")
    assert rows(html, CAPTIONS["open_now"]) == dict.fromkeys(ages, "0")
    assert all(f">{caption}</caption>" in html for caption in CAPTIONS.values())
    assert 'role="img"' in html and "<script" not in html


def test_one_category(door: Door) -> None:
    door.has_session("officer")
    html = ask(door, **RANGE, category="burglary").text
    assert rows(html, CAPTIONS["reports"])["March 2018"] == str(657 // 5)
    assert list(rows(html, CAPTIONS["categories"])) == ["Burglary", "Total"]
    assert "June 2019: Burglary" in words(html)


def test_without_months_the_last_twelve(door: Door) -> None:
    said = json.loads(ask(door, headers=analyst(door)).text)
    assert [row["month"] for row in said["months"]][::11] == ["2018-08", "2019-07"]
    assert said["open_now"] == {"under_6h": 0, "6h_to_12h": 0, "12h_to_18h": 0, "18h_to_24h": 0, "past_deadline": 0}
    door.has_session("analyst")
    assert "July 2019 is not over" in words(ask(door).text)


def test_every_table_can_be_fetched_by_the_links_of_the_page(door: Door) -> None:
    door.has_session("supervisor")
    found = re.findall(r'href="(/statistics\?[^"]+format=[^"]+)"', ask(door, **RANGE).text)
    links = [unescape(link) for link in found]
    assert {re.sub(r".*table=(\w+)&format=(\w+)", r"\1 \2", link) for link in links} == {
        f"{name} {form}" for name in NAMES for form in ("csv", "json")}  # fmt: skip
    for link in links:
        answer = door.get(link)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/csv" if "csv" in link else "application/json")
        if "csv" in link:
            assert re.fullmatch(r'attachment; filename="statistics-\w+-2018-01-to-2019-06.csv"',
                                answer.headers["Content-Disposition"])  # fmt: skip


def test_by_accept(door: Door) -> None:
    asked = {"text/csv": "text/csv", "*/*": "application/json", "text/html": "text/html"}
    for accept, kind in asked.items():
        answer = ask(door, headers=analyst(door) | {"accept": accept}, **RANGE)
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind)


# Who may


def test_a_token_or_a_session_and_a_bad_token_in_spite_of_a_session(door: Door) -> None:
    for role in ("analyst", "officer", "supervisor"):
        token = {"authorization": f"Bearer {door.directory.token(groups=[role])}", "accept": "*/*"}
        assert ask(door, headers=token).status == 200
        door.has_session(role)
        assert ask(door).status == ask(door, headers={"accept": "*/*"}).status == 200
        assert ask(door, headers={"accept": "*/*", "authorization": "Bearer x"}).status == 401
        door.cookies = {}
    token = {"authorization": f"Bearer {door.directory.token(groups=['cleaner'])}", "accept": "*/*"}
    assert ask(door, headers=token).status == 403


@pytest.mark.parametrize("path", ["/statistics", "/statistics/answer"])
def test_without_either(door: Door, path: str) -> None:
    answer = ask(door, path, **RANGE)
    assert answer.status == 303
    assert answer.location == f"/desk/sign-in?to={path.replace('/', '%2F')}%3Ffrom%3D2018-01%26to%3D2019-06"
    refused = ask(door, path, {"accept": "application/json"}, **RANGE)
    assert (refused.status, refused.headers["Content-Type"]) == (401, "application/problem+json")
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert ask(door, path, {"sec-fetch-mode": "cors"}).status == 401
    assert door.sign_in(f"{path}?from=2018-01").location == f"{path}?from=2018-01"


@pytest.mark.parametrize("to", ["/statisticsx", "/statistics\\x", "//statistics", "/statistics/../x", "/status", ""])
def test_only_our_own_pages_are_come_back_to(door: Door, to: str) -> None:
    assert door.sign_in(to).location == "/desk"


@pytest.mark.parametrize("to", ["", "/desk"])
def test_an_analyst_is_at_home_in_the_figures(door: Door, to: str) -> None:
    door.directory.person["groups"] = ["analyst"]
    assert door.sign_in(to).location == "/statistics"
    html = door.get("/statistics").text
    assert 'class="desk-header__name" href="/statistics"' in html and "Search reports" not in html
    refused = door.get("/desk")
    assert refused.status == 403 and "To the statistics" in refused.text


def test_an_officer_finds_the_way_there_and_back(door: Door) -> None:
    door.has_session("officer")
    assert '<a class="desk-header__link" href="/statistics">' in door.get("/desk").text
    assert '<a class="desk-header__link" href="/desk">' in door.get("/statistics").text


# Everybody


def test_what_everybody_sees(public: Door) -> None:
    html = ask(public, **RANGE).text
    text = words(html)
    assert "Crimes reported online" in text and "3 hours 5 minutes" in text
    for caption in ("letters", "open_now", "not_crimed", "cancelled"):
        assert CAPTIONS[caption] not in html
    assert 'href="/desk/sign-in?to=/statistics"' in html
    for name in ("letters", "open_now", "not_crimed", "cancelled"):
        assert ask(public, headers={"accept": "*/*"}, table=name).status == 422


def test_the_footer_leads_there_only_if_it_is_public(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'href="/statistics"' not in door.get("/").text
    monkeypatch.setattr(door.service, "settings", _public(door.service.settings))
    assert 'href="/statistics"' in door.get("/").text


def test_everybody_sees_no_month_that_is_not_over(public: Door) -> None:
    """A number that grows while one looks tells of single reports."""
    said = json.loads(ask(public, format="json").text)
    assert [row["month"] for row in said["months"]][::11] == ["2018-07", "2019-06"]
    assert ask(public, to="2019-07").status == 422


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2019, 7, 1, 12, tzinfo=UTC), "2019-05"),
        (datetime(2019, 7, 2, 22, 59, 59, tzinfo=UTC), "2019-05"),
        (datetime(2019, 7, 2, 23, tzinfo=UTC), "2019-06"),  # midnight in London
    ],
)
def test_everybody_sees_a_month_when_its_last_reports_are_decided(public: Door, now: datetime, last: str) -> None:
    """Until then a call-back may count in the month in which the report was received: 6 and later 7 are one person."""
    public.clock.now = now
    assert json.loads(ask(public, format="json").text)["months"][-1]["month"] == last
    refused = ask(public, to="2019-07" if last == "2019-06" else "2019-06")
    assert refused.status == 422 and "Give an earlier month" in refused.text


def test_small_numbers_are_for_who_is_signed_in(public: Door) -> None:
    public.service.ledger = Kept(SMALL)  # type: ignore[assignment]
    query = {"from": "2019-05", "to": "2019-06"}
    html = ask(public, **query).text
    assert rows(html, CAPTIONS["reports"]) == {"May 2019": "43", "June 2019": "fewer than 5", "Total": "at least 43"}
    assert rows(html, CAPTIONS["crimes"]) == {"May 2019": "fewer than 5", "June 2019": "0", "Total": "not shown"}
    assert rows(ask(public, **query, category="theft").text, CAPTIONS["reports"]) == {
        "May 2019": "not shown", "June 2019": "not shown", "Total": "not shown"}  # fmt: skip
    assert "Numbers from 1 to 4 are not shown" in words(html)
    said = json.loads(ask(public, **query, format="json").text)["months"]
    assert [row["reports"] for row in said] == [43, None] and said[0]["by_category"]["burglary"]["reports"] is None
    assert ask(public, **query, table="reports", format="csv").text.splitlines() == [
        "month,reports", "2019-05,43", "2019-06,"]  # fmt: skip
    public.has_session("analyst")
    assert rows(ask(public, **query).text, CAPTIONS["reports"])["June 2019"] == "3"


# The answer


def test_the_answer_to_a_request(door: Door) -> None:
    door.has_session("analyst")
    text = words(ask(door, "/statistics/answer", **RANGE).text)
    assert len(re.findall(r"\b[1-5]\) ", text)) == 5
    assert "Yes, Midshire Police has an online reporting system" in text and "is January 2018" in text
    assert "Burglary Theft Criminal damage" in text and "9 July 2019" in text
    assert re.search(r"A call-back was needed for 1,\d+ of 27,537 reports: 7\.\d%, which is under 10%", text)
    assert re.search(r"Of 16,779 crimes, 16,\d+ were recorded within 24 hours of the report: 99\.\d%", text)
    door.service.ledger = Kept(Counter())  # type: ignore[assignment]
    text = words(ask(door, "/statistics/answer").text)
    assert "no online incident report in our records yet" in text and "A call-back was needed" not in text


@pytest.mark.parametrize(("chat", "is_shown"), [(9, True), (3, False)])
def test_the_answer_tells_what_came_by_live_chat(public: Door, chat: int, is_shown: bool) -> None:
    public.service.ledger = Kept(Counter({("2019-05", "theft", "reports"): 90,  # type: ignore[assignment]
                                          ("2019-05", "theft", "live_chat.reports"): chat}))  # fmt: skip
    text = words(ask(public, "/statistics/answer", **RANGE).text)
    assert (
        "by live chat on the website. The first month in our records with a report from live chat is May 2019" in text
    )
    assert ("The numbers include 9 reports and 0 crimes from live chat." in text) is is_shown
    public.has_session("analyst")
    text = words(ask(public, "/statistics/answer", **RANGE).text)
    assert f"The numbers include {chat} reports and 0 crimes from live chat." in text


def test_the_answer_does_not_hide_a_rate_that_is_too_high(door: Door) -> None:
    door.has_session("analyst")
    door.service.ledger = Kept(Counter({("2019-06", "theft", "reports"): 90,  # type: ignore[assignment]
                                        ("2019-06", "theft", "call_backs"): 9}))  # fmt: skip
    assert "9 of 90 reports: 10.0%, which is not under 10%" in words(ask(door, "/statistics/answer").text)
    assert "9 of 90 reports: it should be under 10%" in words(ask(door).text)


@pytest.mark.parametrize("who", ["desk", "everybody"])
def test_a_page_reads_the_figures_once_and_everybody_none_for_a_minute(public: Door, who: str) -> None:
    kept, read = sums(), list[tuple[str, str]]()
    public.service.ledger.sums = lambda months: (  # type: ignore[method-assign]
        read.append((months[0], months[-1])) or kept)  # fmt: skip
    if who == "desk":
        public.has_session("analyst")
    for path in ("/statistics/answer", "/statistics", "/statistics/answer"):
        assert ask(public, path, **{"from": "2002-01", "to": "2002-02"}).status == 200
        assert "is January 2018" in words(ask(public, "/statistics/answer").text)
    ten_years = ("2010-01", "2019-07")
    of_desk = [("2002-01", "2019-07"), ten_years, ("2002-01", "2002-02"), ten_years, ("2002-01", "2019-07"), ten_years]
    assert read == (of_desk if who == "desk" else [("2000-01", "2019-07")])


# What cannot be


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2019-03", "to": "2019-02"}, "to"),
        ({"from": "2019-13"}, "from"),
        ({"from": "soon"}, "from"),
        ({"to": "2019-08"}, "to"),
        ({"from": "2030-01"}, "from"),
        ({"from": "2000-01", "to": "2019-01"}, "to"),
        ({"to": "0001-01"}, "from"),
        ({"to": "9" * 500}, "to"),
        ({"from": "%00%ff"}, "from"),
        ({"from": "2019-03%3Cscript%3E"}, "from"),
        ({"category": "arson"}, "category"),
        ({"category": "Theft"}, "category"),
        ({"table": "people"}, "table"),
        ({"format": "xml"}, "format"),
        ({"format": "page"}, "format"),
    ],
)
def test_what_cannot_be_is_refused_in_words(door: Door, query: dict[str, str], field: str) -> None:
    said = ask(door, headers=analyst(door), **query)
    assert said.status == 422
    assert [error["field"] for error in json.loads(said.text)["errors"]] == [field]
    door.has_session("analyst")
    answer = ask(door, **query)
    assert answer.status == 422 and "<title>Error: " in answer.text and "There is a problem" in answer.text
    assert "<script" not in answer.text
    link = f'href="#{field}"' in answer.text
    assert link is (field in ("from", "to", "category"))
    if query.get(field, "").isalnum() and field in ("from", "to"):
        assert f'value="{query[field][:40]}"' in answer.text


def test_all_that_is_wrong_is_said_at_once(public: Door) -> None:
    answer = ask(public, **{"from": "2019-03", "to": "2019-02", "category": "arson", "table": "x"})
    assert answer.status == 422 and len(re.findall('href="#', answer.text.partition("error-summary")[2])) >= 2
    assert 'value="2019-03"' in answer.text and 'value="2019-02"' in answer.text
    assert ask(public, "/statistics/answer", **{"from": "2019-03", "to": "2019-02"}).status == 422


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "0 minutes"), (1, "1 minute"), (60, "1 hour"), (185, "3 hours 5 minutes"), (2_879, "47 hours 59 minutes"),
     (2_880, "2 days"), (2_940, "2 days 1 hour")],
)  # fmt: skip
def test_times_in_words(minutes: int, said: str) -> None:
    assert duration(minutes, str) == said


def fits(door: Door, answer: Answer, shape: str) -> None:
    described = json.loads(ask(door, "/openapi.json").text)
    schema = {"$ref": f"#/components/schemas/{shape}", "components": described["components"]}
    Draft202012Validator(schema).validate(json.loads(answer.text))


@pytest.mark.parametrize("category", ["", "theft"])
def test_answers_are_as_they_are_described(public: Door, category: str) -> None:
    for kept in (sums(), SMALL, Counter()):
        public.service.ledger = Kept(kept)  # type: ignore[assignment]
        public.clock.now += timedelta(minutes=1)
        fits(public, ask(public, **RANGE, category=category, format="json"), "PublicFigures")
        fits(public, ask(public, headers=analyst(public), **RANGE, category=category), "Figures")
        fits(public, ask(public, headers=analyst(public), table="times"), "TableOfFigures")
    described = json.loads(ask(public, "/openapi.json").text)["paths"]["/statistics"]["get"]
    assert described["security"] == [{"token": []}, {}]
