"""The table in memory does what DynamoDB does, for every way in which the service uses a table."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from chalicelib.table import ConditionFailed, Table, unmarshal
from tests.fakes import FakeTable, moto_table

MISSING = "attribute_not_exists(pk)"


@pytest.fixture(params=["fake", "moto"])
def table(request: pytest.FixtureRequest, client: Any) -> Any:
    return FakeTable() if request.param == "fake" else moto_table(client)[0]


def refused(call: Any, *args: Any, **more: Any) -> Any:
    with pytest.raises(ConditionFailed) as failure:
        call(*args, **more)
    return failure.value.item


def test_values_come_back_as_they_were_stored(table: Any) -> None:
    item = {"pk": "a", "sk": "b", "text": "ä", "empty": "", "number": 7, "bytes": b"\x00\xff", "list": ["x", ""]}
    table.put_new({**item, "nothing": None})
    assert table.get("a", "b") == item
    assert table.get("a", "c") is None


def test_new_means_new_and_a_refusal_shows_what_is_there(table: Any) -> None:
    table.put_new({"pk": "a", "sk": "b", "n": 1})
    assert refused(table.put_new, {"pk": "a", "sk": "b", "n": 2})["n"] == 1
    assert table.get("a", "b")["n"] == 1


def test_many_are_read_at_once_and_the_missing_left_out(table: Any) -> None:
    for sk in "bc":
        table.put_new({"pk": "a", "sk": sk})
    found = table.get_many([("a", "b"), ("a", "c"), ("a", "d")])
    assert sorted(item["sk"] for item in found) == ["b", "c"]
    assert table.get_many([]) == []


def test_the_same_key_twice_is_refused_as_dynamodb_does(table: Any) -> None:
    with pytest.raises(Exception):  # noqa: B017 (a different one in each)
        table.get_many([("a", "b"), ("a", "b")])


def test_update_sets_removes_appends_adds_and_keeps_what_was(table: Any) -> None:
    for _ in range(2):
        after = table.update(
            "a", "b", values={"set": "x", "gone": None}, append={"list": ["y"]}, add={"count": 5},
            copy={"was": "count"}, condition=f"{MISSING} OR attribute_exists(pk)",
        )  # fmt: skip
    assert after == table.get("a", "b") == {
        "pk": "a", "sk": "b", "set": "x", "list": ["y", "y"], "count": 10, "was": 5
    }  # fmt: skip
    table.update("a", "b", values={"set": None}, condition="attribute_exists(pk)")
    assert "set" not in table.get("a", "b")


def test_conditions(table: Any) -> None:
    assert refused(table.update, "a", "b", values={"n": 1}, condition="attribute_exists(pk)") is None
    table.put_new({"pk": "a", "sk": "b", "state": "sending", "at": "05", "n": 1})
    lease = {"condition": f"{MISSING} OR ( #state = :sending AND #at < :before )"}
    assert refused(table.update, "a", "b", values={"n": 2}, **lease, given={"sending": "sending", "before": "05"})
    assert refused(table.update, "a", "b", values={"n": 2}, **lease, given={"sending": "sent", "before": "06"})
    assert table.update("a", "b", values={"n": 2}, **lease, given={"sending": "sending", "before": "06"})["n"] == 2
    assert refused(table.update, "a", "b", values={"n": 3}, condition="#n = :was", given={"was": 1})["n"] == 2
    assert refused(table.update, "a", "b", values={"n": 3}, condition="#other = :was", given={"was": 1})
    assert table.update("a", "b", values={"n": 3}, condition="attribute_not_exists(#other)")["n"] == 3
    assert refused(table.update, "a", "b", values={"n": 4}, condition="attribute_not_exists(#state)")["n"] == 3


def test_query_of_the_table(table: Any) -> None:
    for sk in ("LETTER#2", "LETTER#1", "REPORT"):
        table.put_new({"pk": "a", "sk": sk, "said": sk})
    where: dict[str, Any] = {"where": "#pk = :pk AND begins_with(#sk, :start)", "given": {"pk": "a", "start": "LETTER"}}
    assert [item["said"] for item in table.query(**where)] == ["LETTER#1", "LETTER#2"]
    whole: dict[str, Any] = {"where": "#pk = :pk", "given": {"pk": "a"}, "limit": 1}
    assert [item["sk"] for item in table.query(**whole)] == ["LETTER#1", "LETTER#2", "REPORT"]
    assert [item["sk"] for item in table.query(**whole, backwards=True)] == ["REPORT", "LETTER#2", "LETTER#1"]


def test_a_query_gives_no_more_than_was_asked_for(table: Any) -> None:
    table.put_new({"pk": "a", "sk": "b", "worklist": "open", "urgency": "1", "category": "theft"})
    asked: dict[str, Any] = {"index": "by_urgency", "where": "#worklist = :list", "given": {"list": "open"}}
    assert list(table.query(**asked, names=("pk", "urgency", "version"))) == [{"pk": "a", "urgency": "1"}]


def test_answers_are_what_botocore_would_make_of_them(client: Any) -> None:
    """Our client takes them as they come (`table.take_as_it_comes`), another's does not."""
    ours, _ = moto_table(client)
    theirs = Table(boto3.client("dynamodb"), ours._name)
    ours.put_new({"pk": "a", "sk": "b", "text": "ä", "number": 7, "bytes": b"\x00\xff", "list": ["x", ""]})
    ways: list[Callable[[Table], Any]] = [
        lambda table: table.get("a", "b"),
        lambda table: table.get("a", "c"),
        lambda table: table.get_many([("a", "b"), ("a", "c")]),
        lambda table: list(table.query(where="#pk = :pk", given={"pk": "a"})),
        lambda table: [list(map(unmarshal, page.items)) for page in table.scan(only="#pk = :pk", given={"pk": "a"},
                                                                               after=None)],
        lambda table: table.update("a", "b", values={"text": "b"}, condition="attribute_exists(pk)"),
        lambda table: refused(table.put_new, {"pk": "a", "sk": "b"}),
    ]  # fmt: skip
    for way in ways:
        assert way(ours) == way(theirs)


def test_query_of_an_index_is_sparse_ordered_and_projected(table: Any) -> None:
    for sk, urgency in (("1", "2#b"), ("2", "1#a"), ("3", None)):
        table.put_new({"pk": "a", "sk": sk, "worklist": "open", "urgency": urgency, "category": "theft",
                       "answers": b"x", "reasons": ["why"]})  # fmt: skip
    table.put_new({"pk": "b", "sk": "1", "worklist": "other", "urgency": "1#b"})
    found = list(table.query(index="by_urgency", where="#worklist = :name AND #urgency > :after",
                             given={"name": "open", "after": " "}))  # fmt: skip
    assert [item["sk"] for item in found] == ["2", "1"]
    assert set(found[0]) == {"pk", "sk", "worklist", "urgency", "category", "reasons"}
    due = table.query(index="by_deadline", where="#due = :group AND #deadline <= :until",
                      given={"group": "new-0", "until": "x"})  # fmt: skip
    assert list(due) == []


def test_query_of_an_index_without_order_gives_the_keys(table: Any) -> None:
    for sk in "12":
        table.put_new({"pk": "a", "sk": sk, "crime_number": f"20/{sk}/26", "category": "theft"})
    table.put_new({"pk": "a", "sk": "3"})
    found = table.query(index="by_crime_number", where="#crime_number = :number", given={"number": "20/2/26"})
    assert list(found) == [{"pk": "a", "sk": "2", "crime_number": "20/2/26"}]


def test_query_keeps_back_what_is_not_wanted_and_goes_either_way(table: Any) -> None:
    for number in range(30):
        table.put_new({"pk": "a", "sk": f"{number:02}", "worklist": "open", "urgency": f"1#{number:02}",
                       "category": ("theft", "burglary")[number % 2],
                       "claimed_until": f"{number:02}" if number % 3 else None})  # fmt: skip
    where = "#worklist = :name AND #urgency BETWEEN :first AND :last"
    given = {"name": "open", "first": "1#03", "last": "1#27", "category": "theft", "now": "10"}
    only = "#category = :category AND ( attribute_not_exists(#claimed_until) OR #claimed_until <= :now )"
    wanted = [f"{number:02}" for number in (4, 6, 8, 10, 12, 18, 24)]
    for backwards in (False, True):
        found = table.query(index="by_urgency", where=where, only=only, given=given, limit=2, backwards=backwards)
        assert [item["sk"] for item in found] == (wanted[::-1] if backwards else wanted)


def test_remove_asks_first_and_shows_what_is_there(table: Any) -> None:
    table.put_new({"pk": "a", "sk": "b", "version": 2})
    assert refused(table.remove, "a", "b", condition="#version = :was", given={"was": 1})["version"] == 2
    table.remove("a", "b", condition="#version = :was", given={"was": 2})
    assert table.get("a", "b") is None
    assert refused(table.remove, "a", "b", condition="#version = :was", given={"was": 2}) is None
