"""A month at the force: people report, officers work through what came, the rule takes what they left."""

import heapq
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta
from itertools import cycle, groupby
from typing import Any

from chalicelib.offences import suggest
from chalicelib.rule import LOOK_AHEAD
from chalicelib.times import local, read_stamp
from chalicelib.triage import assess
from infra.replay.months import SEED, WORK, Fate, Plan
from infra.replay.people import People, body
from infra.replay.service import Service

OFFICERS = ("Asha Bell", "Tom Carver", "Rosa Dunne", "Ian Ekwall")
NEAR = timedelta(minutes=30)  # of a moment: to move the clock costs more than half an hour matters
BEFORE_DEADLINE = timedelta(minutes=1)  # the rule looks further ahead: a stop this long before finds it in time

Report = dict[str, Any]


class Force:
    """Plays the month of `plan` against `service`."""

    def __init__(self, service: Service, pool: Executor, plan: Plan) -> None:
        self._service, self._pool, self._plan = service, pool, plan
        self._people = People(f"{SEED} {plan.month}")
        self._comes, self._fates = plan.comes, plan.fates
        self._told: list[Report] = []  # what was reported, by place
        self._place: dict[str, int] = {}  # of a report, by its reference
        self._left: list[datetime] = []  # deadlines of what is left to the rule: a heap
        self._at: datetime | None = None  # where the clock was moved to last
        self._tokens = [service.token("officer", name) for name in OFFICERS]

    @property
    def not_crimed(self) -> list[str]:
        """References of the reports that were to be closed without a crime."""
        return [reference for reference, place in self._place.items() if self._fates[place].reason]

    def play(self, tell: Callable[[datetime, int], None]) -> None:
        """Go through the month; `tell` hears of each moment, and of how many reports have come."""
        due = {at: [place for place, _ in places] for at, places in groupby(enumerate(self._comes), lambda one: one[1])}
        for moment in self._plan.moments:
            self._go_on_to(moment)
            self._submit(due.get(moment, []))
            if local(moment).hour == WORK:
                self._work()
            tell(moment, len(self._place))
        self._service.rest()

    def _go_on_to(self, moment: datetime) -> None:
        """With a stop before deadlines that would be missed: those of the day before, some seconds after the hour."""
        while self._left and self._left[0] <= moment + BEFORE_DEADLINE:
            self._forward_to(self._left[0] - BEFORE_DEADLINE)
        if self._at is None or self._at < moment - NEAR:  # else this day's begins where the rule has just run
            self._forward_to(moment)

    def _forward_to(self, moment: datetime) -> None:
        """The rule then crimes what is due soon."""
        self._service.forward_to(moment)
        self._at = moment
        while self._left and self._left[0] <= moment + LOOK_AHEAD:
            heapq.heappop(self._left)

    # The public

    def _submit(self, places: list[int]) -> None:
        for place in places:
            self._told.append(self._tell(place))
        for place, receipt in zip(places, self._pool.map(self._send, places), strict=True):
            self._place[receipt["reference"]] = place
            if self._fates[place].is_left:
                heapq.heappush(self._left, read_stamp(receipt["deadline"]))

    def _tell(self, place: int) -> Report:
        fate = self._fates[place]
        if fate.original is not None:
            return self._people.again(self._told[fate.original])
        return self._people.report(self._comes[place], fate.reason, scant=bool(fate.call_back))

    def _send(self, place: int) -> Any:
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"replay-{self._plan.month}-{place}"}
        data = body(self._told[place], self._comes[place])
        return self._service.ask("POST", "/reports", 201, headers=headers, data=data).json()

    # Officers

    def _work(self) -> None:
        """Decide what is open, the most urgent first, each officer a part of it."""
        self._service.rest()  # triage goes first: the most urgent is then really on top
        heads = [head for head in self._listed() if head["status"] != "awaiting_information"]
        list(self._pool.map(self._decide, cycle(self._tokens), heads))
        list(self._pool.map(self._dispose, cycle(self._tokens), self._listed(status="awaiting_disposal")))

    def _listed(self, **query: str) -> list[Report]:
        """A list of the desk's, page by page."""
        heads, more = list[Report](), {}
        while True:
            page = self._service.get("/triage", token=self._tokens[0], limit="200", **query, **more)
            heads += page["reports"]
            if "cursor" not in page:
                return heads
            more = {"cursor": page["cursor"]}

    def _decide(self, token: str, head: Report) -> None:
        place = self._place[head["reference"]]
        fate = self._fates[place]
        if fate.is_left:
            self._change(token, head, "call-backs", {"result": "no_answer"})
            return
        if fate.call_back:
            head = self._change(token, head, "call-backs", {"result": "reached"})
        if fate.reason:
            self._change(token, head, "not-crime", self._why(fate))
        else:
            told = self._told[place]
            offence = suggest(head["category"], told, local(self._comes[place]).date()).code
            self._change(token, head, "crime", {"offence": offence, **self._disposal(place)})

    def _why(self, fate: Fate) -> dict[str, str]:
        why = {"reason": fate.reason, "rationale": "Decided on what was reported, after a second look."}
        if fate.reason == "another_force":
            return why | {"force": "Leicestershire Police"}
        if fate.original is not None:
            references = {place: reference for reference, place in self._place.items()}
            return why | {"duplicate_of": references[fate.original]}
        return why

    def _dispose(self, token: str, head: Report) -> None:
        """Say what follows from a crime of the rule's."""
        self._change(token, head, "disposal", self._disposal(self._place[head["reference"]]))

    def _disposal(self, place: int) -> dict[str, str]:
        """Investigated if an officer attends or there is something to go by; else filed."""
        told = self._told[place]
        found = assess(told["category"], told)
        return {"disposal": "further_investigation" if found.attend or found.solvability else "filed"}

    def _change(self, token: str, report: Report, change: str, decision: dict[str, str]) -> Report:
        path, version = f"/triage/{report['reference']}/{change}", f'"{report["version"]}"'
        answer: Report = self._service.ask(
            "POST", path, token=token, headers={"If-Match": version}, json=decision
        ).json()
        return answer
