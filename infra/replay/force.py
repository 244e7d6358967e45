"""A month at the force: people report, officers work through what came, the rule takes what they left."""

import heapq
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta
from itertools import groupby
from threading import Event
from typing import Any

from chalicelib.rule import LOOK_AHEAD
from chalicelib.times import local, read_stamp
from infra.replay.months import SEED, Fate, Plan
from infra.replay.people import People, body
from infra.replay.service import Service

OFFICERS = ("Asha Bell", "Tom Carver")
ROUND = 23  # the hour at which officers work through what came: nothing is left for the next month
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
            if local(moment).hour == ROUND:
                self._work()
            tell(moment, len(self._place))
        self._service.rest()

    def _go_on_to(self, moment: datetime) -> None:
        while self._left and (stop := self._left[0] - BEFORE_DEADLINE) <= moment:
            self._service.forward_to(stop)
            while self._left and self._left[0] <= stop + LOOK_AHEAD:
                heapq.heappop(self._left)
        self._service.forward_to(moment)

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
        self._service.rest()  # triage goes first: the most urgent is then really on top
        nothing_left = Event()
        list(self._pool.map(lambda token: self._take_all(token, nothing_left), self._tokens))
        self._dispose_of_all(self._tokens[0])

    def _take_all(self, token: str, nothing_left: Event) -> None:
        """Until one of the officers finds nothing left: what the others hold, they decide."""
        while not nothing_left.is_set():
            answer = self._service.ask("POST", "/triage/next", 200, 204, token=token)
            if answer.status_code == 204:
                nothing_left.set()
            else:
                self._decide(token, answer.json())

    def _decide(self, token: str, report: Report) -> None:
        fate = self._fates[self._place[report["reference"]]]
        if fate.is_left:
            self._change(token, report, "call-backs", {"result": "no_answer"})
            return
        if fate.call_back:
            report |= self._change(token, report, "call-backs", {"result": "reached"})
        if fate.reason:
            self._change(token, report, "not-crime", self._why(fate))
        else:
            offence = report["suggested_offence"]["code"]
            self._change(token, report, "crime", {"offence": offence, "disposal": _disposal(report)})

    def _why(self, fate: Fate) -> dict[str, str]:
        why = {"reason": fate.reason, "rationale": "Decided on what was reported, after a second look."}
        if fate.reason == "another_force":
            return why | {"force": "Leicestershire Police"}
        if fate.original is not None:
            references = {place: reference for reference, place in self._place.items()}
            return why | {"duplicate_of": references[fate.original]}
        return why

    def _dispose_of_all(self, token: str) -> None:
        """Give a disposal to what the rule crimed."""
        listed = self._service.get("/triage", token=token, status="awaiting_disposal", limit="200")
        for head in listed["reports"]:
            report = self._service.get(f"/triage/{head['reference']}", token=token)
            self._change(token, report, "disposal", {"disposal": _disposal(report)})

    def _change(self, token: str, report: Report, change: str, decision: dict[str, str]) -> Report:
        path, version = f"/triage/{report['reference']}/{change}", f'"{report["version"]}"'
        answer: Report = self._service.ask(
            "POST", path, token=token, headers={"If-Match": version}, json=decision
        ).json()
        return answer


def _disposal(report: Report) -> str:
    """Investigated if an officer attends or there is something to go by; else filed."""
    return "further_investigation" if report["attend"] or report["solvability"] else "filed"
