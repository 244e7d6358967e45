"""The life of a report, from its first page until it is erased, step by step through the service's own doors."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

import yaml

from bench.capacity import size
from bench.stage import Stage, Step, Took
from chalicelib.forms import EXAMPLES
from chalicelib.rule import LOOK_AHEAD
from chalicelib.times import stamp
from infra.local.stack import TEMPLATE
from infra.replay.people import People, body

OTHERS = 55  # open reports beside the one: more than a page of the queue
TOLD = EXAMPLES["burglary"]
PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(400)
FORM = "application/x-www-form-urlencoded"
EACH_MINUTE = "Each minute: what is due, and what waits"
HOURLY = "Each hour: housekeeping with nothing to do"
NIGHTLY = "Each night: counting with nothing there"
_INDEXES = yaml.safe_load(TEMPLATE.read_text())["Resources"]["ReportsTable"]["Properties"]["GlobalSecondaryIndexes"]


class Left(NamedTuple):
    """Bytes that the report leaves behind: in the table, in all as they are billed (with the index entries, and 100 for
    each), and what one look at a page of the queue leaves.
    """

    in_table: int
    in_all: int
    by_a_look: int


class Life(Stage):
    """The report, who made it, who decides it, and what else is in the table."""

    def __init__(self, app: Any, endpoint: str) -> None:
        super().__init__(app, endpoint)
        self._people = People("capacity")
        self.reference, self._added_up_to, self._others_came = "", "", self.clock.now
        self.left = Left(0, 0, 0)

    def live(self, tell: Callable[[str], None]) -> dict[str, Took]:
        """All of it once, and what each step takes."""
        return self.play(self.steps(), tell)

    def steps(self) -> Iterator[Step]:
        """What happens, in its order."""
        yield from self._with_nothing_to_do()
        self._others_report()
        yield from self._reporting_at_once()
        yield from self._reporting_page_by_page()
        yield from self._behind_the_stream()
        yield from self._at_the_desk()
        yield from self._asking_where_it_stands()
        yield from self._when_the_day_is_over()
        yield from self._when_the_years_are_over()

    def _with_nothing_to_do(self) -> Iterator[Step]:
        self._wake("keep_house")
        self.clock.advance(hours=1)
        yield Step(HOURLY, lambda: self._wake("keep_house"))
        yield Step(NIGHTLY, lambda: self._wake("reconcile"))

    def _others_report(self) -> None:
        self._others_came = self.clock.now
        for number in range(OTHERS):
            told = body(self._people.report(self.clock.now, "", scant=False), self.clock.now).decode()
            self._post_json(told, f"other-{number}")
            self.clock.advance(seconds=1)  # so that the lists have one order, whatever the references are
        self._go_through(self._items("REPORT"))

    # The public

    def _reporting_at_once(self) -> Iterator[Step]:
        sent = json.dumps(EXAMPLES["theft"])
        yield Step("A report is sent", lambda: self._post_json(sent, "the-one"))
        yield Step("The same is sent again", lambda: self._post_json(sent, "the-one"))
        form = urlencode([*_flat(EXAMPLES["criminal_damage"]), ("token", "of-the-form")])
        yield Step("A report is sent, all on one page",
                   lambda: self.public.ask("POST", "/reports", form, content_type=FORM))  # fmt: skip
        self._go_through([item for item in self._items("REPORT") if item["version"] == {"N": "1"}])

    def _reporting_page_by_page(self) -> Iterator[Step]:
        yield self._opened("/report/burglary")
        for linked in re.findall(r'(?:href|src)="(/static/[^"]+)"', self.public.page.text):
            yield Step("A style sheet or picture is opened", lambda linked=linked: self.anybody.get(linked))
        while not self.public.at.endswith("/check"):
            self.clock.advance(seconds=30)
            yield from self._page(self.public.at)
        yield Step("A draft is sent as a report", lambda: self._sent("check", declaration="yes"))
        yield Step("The page with its reference", lambda: self.public.get(self.public.page.path))
        self.reference = self.public.at.rpartition("/")[2]

    def _page(self, here: str) -> Iterator[Step]:
        """One page answered, and the next one opened."""
        match here.rpartition("/")[2]:
            case "items":
                yield from self._items_told(here)
            case "files":
                yield from self._file_added(here)
            case "you":  # they stop for today, and come back by a link
                yield from self._break(here)
        name = here.rpartition("/")[2] if "/drafts/" in here else "before"
        yield Step("A page of questions is answered", lambda: self._sent(name, **self._answers(TOLD)))
        yield self._opened(self.public.page.path)

    def _items_told(self, here: str) -> Iterator[Step]:
        for item in TOLD["items"]:
            (add,) = re.findall(r'href="([^"]+/items/[0-9a-f]{32})">Add', self.public.page.text)
            yield self._opened(add)
            said = self._answers(item)
            yield Step("A page of questions is answered", lambda add=add, said=said: self._sent(add, **said))
            yield self._opened(here)

    def _file_added(self, here: str) -> Iterator[Step]:
        self.bucket.files[self.bucket.invited] = PHOTO
        added = self.bucket.invited.partition("/")[2]
        yield Step("A file has been added", lambda: self.public.get(f"{here}?added={added}"))

    def _break(self, here: str) -> Iterator[Step]:
        save = here.replace("/you", "/save")
        yield self._opened(save)
        yield Step("A return link is asked for", lambda: self._sent("save", email="sam@example.com"))
        yield Step("The return link is sent", lambda: self._message("on_letter", self.sqs.messages.pop()))
        self.public.get(here)

    def _asking_where_it_stands(self) -> Iterator[Step]:
        path, asked = f"/status/{self.reference}", {"reference": self.reference, **{"email": TOLD["contact"]["email"]}}
        self.public.get("/status")
        yield Step("Somebody says which report is theirs", lambda: self.public.submit("/status", **asked))
        yield Step("The page where it stands", lambda: self.public.get(path))
        self.public.get(f"{path}/add")
        yield Step("Something is added to it", lambda: self._sent("add", text="The neighbour saw a white van."))

    # Behind the stream

    def _behind_the_stream(self) -> Iterator[Step]:
        images = (self._items("REPORT") * 2)[:100]
        yield Step("The stream hands over 100 changes", lambda: self._stream(images))
        image = self._items("REPORT", self.reference)
        yield Step("The stream hands over a change", lambda: self._stream(image))
        told = self.sqs.messages.pop()
        yield Step("Triage assesses a report", lambda: self._message("on_triage", told))
        yield Step("A letter is sent", lambda: self._message("on_letter", told))

    # The desk

    def _at_the_desk(self) -> Iterator[Step]:
        yield Step("An officer is led to the sign-in", lambda: self.officer.get("/desk/sign-in"))
        yield Step("An officer comes back from it", lambda: self._signed_in("officer"))
        yield Step("A page of the queue is opened", lambda: self.officer.get("/desk"))
        yield Step("The next report is taken", lambda: self.officer.submit("/next"))
        taken = f"/desk/reports/{self.reference}"
        self.officer.get(taken)
        self._decided(taken, "claim")
        yield self._read(taken)
        self.clock.advance(minutes=5)
        yield Step("A report is held on to", lambda: self._held_on_to(taken))
        self.officer.get("/desk")
        yield Step("A report is searched for", lambda: self.officer.submit("/search", search="Fairweather"))
        yield from self._decision(taken, "call-back", "A call-back is noted", result="reached", note="They were in.")
        crimed = {"offence": "28E", "follows": "further_investigation", "note": "An officer attends."}
        yield from self._decision(taken, "crime", "A report is crimed", **crimed)
        told = self._asked_for(taken)
        yield Step("A letter is sent", lambda: self._message("on_letter", told))
        why = {"reason": "no_offence", "rationale": "The owner has found it again."}
        yield from self._decision(self._next(), "not-crime", "A report is closed without a crime", **why)

    def _decision(self, report: str, name: str, words: str, **said: str) -> Iterator[Step]:
        """Its form, the letter if one follows, and the decision itself, which leads back to the report."""
        opened = "The form of a decision is opened"
        if name == "call-back":
            self._settle_figures(report)
            opened = "The form of a call-back is opened"
        yield Step(opened, lambda: self.officer.get(f"{report}/{name}"))
        if name not in ("call-back", "erase"):
            yield Step("A letter is shown before it goes", lambda: self._decided(report, name, **said))
            said["confirmed"] = "yes"
        yield Step(words, lambda: self._decided(report, name, **said))
        yield self._read(report)

    # By the clock

    def _when_the_day_is_over(self) -> Iterator[Step]:
        yield Step(EACH_MINUTE, lambda: self._wake("crime_due_reports"))
        self.clock.now = self._others_came + timedelta(days=1)
        soon = stamp(self.clock.now + LOOK_AHEAD)
        due = sum("due" in item and item["deadline"]["S"] <= soon for item in self._items("REPORT"))
        yield Step("The 24-hour rule crimes a report", lambda: self._wake("crime_due_reports"), due, EACH_MINUTE)
        self._sign_in("supervisor")
        listed = self.officer.get("/desk?list=awaiting_disposal")
        automatic = re.findall(r'href="(/desk/reports/[^"?]+)"', listed.text)[0]
        self.officer.get(automatic)
        said = {"follows": "further_investigation", "note": "To be looked into."}
        yield from self._decision(automatic, "disposal", "A crime is disposed of", **said)
        self._wake("crime_due_reports")
        yield from self._figures()

    def _figures(self) -> Iterator[Step]:
        self.left = self._left()
        self.clock.advance(minutes=20)
        changed = sum(item["changed_at"]["S"] > self._added_up_to for item in self._items("") if "changed" in item)
        yield Step("The figures are moved on, for each change", lambda: self._wake("keep_house"), changed, HOURLY)
        yield Step("The statistics of a year are opened", lambda: self.officer.get("/statistics"))
        yield Step("Everybody's statistics are opened", lambda: self.anybody.get("/statistics"))
        yield Step("The same within a minute", lambda: self.anybody.get("/statistics"))
        all_reports = len(self._items("REPORT"))
        yield Step(
            "Everything is counted again, for each report", lambda: self._wake("reconcile"), all_reports, NIGHTLY
        )

    def _when_the_years_are_over(self) -> Iterator[Step]:
        self._sign_in("supervisor")
        report = f"/desk/reports/{self.reference}"
        self.officer.get(report)
        yield from self._decision(report, "erase", "A report is erased", text="The person asked for it.")
        for _ in range(3):  # what was on its way then has arrived two hours later
            self.clock.advance(hours=1)
            yield Step("What an erased report has left is looked for", lambda: self._wake("keep_house"), beside=HOURLY)
        self.clock.advance(days=7)
        yield Step("A draft is forgotten", lambda: self._wake("keep_house"), beside=HOURLY)

    # What the steps share

    def _next(self) -> str:
        self.officer.get("/desk")
        path = self.officer.submit("/next").path.partition("?")[0]
        self.officer.get(path)
        return path

    def _settle_figures(self, report: str) -> None:
        """What has changed is older than ten minutes, and added up; and the session is in use."""
        self.clock.advance(minutes=15)
        self._added_up_to = stamp(self.clock.now)
        self._wake("keep_house")
        self.officer.get(report)

    def _opened(self, path: str) -> Step:
        return Step("A page of questions is opened", lambda: self.public.get(path))

    def _read(self, report: str) -> Step:
        return Step("A report is opened", lambda: self.officer.get(report))

    def _held_on_to(self, report: str) -> None:
        """As the script of its page does."""
        token = re.findall(r'name="token" value="([^"]+)"', self.officer.page.text)[0]
        self.officer.ask("POST", f"{report}/renew", urlencode({"token": token}), content_type=FORM)

    def _answers(self, told: Mapping[str, Any]) -> dict[str, str]:
        """Those of `told` that the page asks for."""
        asked = set(re.findall(r'name="([^"]+)"', self.public.page.text))
        return {name: value for name, value in _flat(told) if name in asked}

    def _asked_for(self, report: str) -> str:
        """The message that the last change of a report leads to."""
        self._stream(self._items("REPORT", report.rpartition("/")[2]))
        return self.sqs.messages.pop()

    def _left(self) -> "Left":
        plain, items = self.reference.replace("-", ""), self._all_items()
        of_lists = [item for item in items if item.get("what") == {"S": "list"}]
        of_it = [item for item in items if plain in json.dumps(item, default=str) and item not in of_lists]
        return Left(sum(map(size, of_it)), sum(map(stored, of_it)), max(map(size, of_lists)))


def stored(item: Mapping[str, Any]) -> int:
    """Bytes that DynamoDB bills for keeping an item with its index entries: 100 more for each."""
    indexes = [index for index in _INDEXES if all(one["AttributeName"] in item for one in index["KeySchema"])]
    entries = [{name: value for name, value in item.items() if name in _projected(index)} for index in indexes]
    return sum(size(one) + 100 for one in (item, *entries))


def _projected(index: Mapping[str, Any]) -> set[str]:
    keys = {one["AttributeName"] for one in index["KeySchema"]}
    return keys | {"pk", "sk", *index["Projection"].get("NonKeyAttributes", ())}


def _flat(answers: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The pairs that a browser would send for `answers`."""
    if isinstance(answers, Mapping):
        for key, value in answers.items():
            yield from _flat(value, f"{name}.{key}" if name else key)
    elif isinstance(answers, list):
        for index, value in enumerate(answers):
            yield from _flat(value, f"{name}.{index}" if isinstance(value, Mapping) else name)
    elif name.rpartition("_")[2] in ("date", "on"):
        yield from zip((f"{name}.year", f"{name}.month", f"{name}.day"), answers.split("-"), strict=True)
    else:
        yield name, str(answers)
