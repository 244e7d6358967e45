"""What the monthly figures say, in words: cells, key figures, remarks, and sentences for an answer.

Each function is given `say`: `said` for what everybody may see, in the language of the force, `str` for the desk.
"""

import calendar
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from chalicelib.forms import TITLES
from chalicelib.forms.desk import CODES, REASONS
from chalicelib.report import LIVE_CHAT
from chalicelib.tables import AtLeast, Between, Cell, Figures, Gap, Part, Table, part, share

Say = Callable[[str], str]

MOST_CALL_BACKS = 10
"""Per cent of the reports that may need a call-back. Source: the force's answer of 2019."""

_PARTS = ("call_backs", "crimed_within_24h", "crimed_automatically")
_AGES = {"under_6h": "Under 6 hours", "6h_to_12h": "6 to 12 hours", "12h_to_18h": "12 to 18 hours",
         "18h_to_24h": "18 to 24 hours", "past_deadline": "Past the deadline"}  # fmt: skip
_UNKNOWN = {"not_known": "Not known"}
_NAMES = {"category": TITLES | _UNKNOWN, "reason": REASONS, "code": CODES, "age": _AGES}


class Key(NamedTuple):
    """A figure that matters most, and what it means."""

    label: str
    value: str
    words: str


def duration(minutes: int, say: Say) -> str:
    """`3 hours 5 minutes`; days from two on."""
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        parts = [(hours // 24, say("day"), say("days")), (hours % 24, say("hour"), say("hours"))]
    else:
        parts = [(hours, say("hour"), say("hours")), (rest, say("minute"), say("minutes"))]
    words = [f"{count} {one if count == 1 else many}" for count, one, many in parts if count]
    return " ".join(words) or f"0 {say('minutes')}"


def short_duration(minutes: int, say: Say) -> str:
    """`3 h 5 min`, for tables."""
    hours, rest = divmod(minutes, 60)
    return f"{hours} {say('h')} {rest} {say('min')}" if hours else f"{rest} {say('min')}"


def month(name: Any, say: Say) -> str:
    """`2018-03` as the force writes it: March 2018."""
    return f"{say(calendar.month_name[int(name[5:])])} {name[:4]}"


def cell(content: Cell, kind: str, say: Say) -> str:
    """A cell of a table whose column is of that kind."""
    if isinstance(content, Gap):
        return say(content.value)
    if isinstance(content, AtLeast):
        return say("at least {count}").format(count=f"{content.least:,}")
    if isinstance(content, Between):
        return say("{least}% to {most}%").format(**content._asdict())
    if kind == "month":
        return month(content, say)
    if kind in _NAMES:
        return say(_NAMES[kind][str(content)])
    if kind == "minutes":
        return short_duration(int(content), say)
    return f"{content}%" if kind == "percent" else f"{content:,}"


def keys(told: Figures, made: Mapping[str, Table], say: Say) -> list[Key]:
    """The figures of the whole range that matter most; `made` are its tables."""
    found = [
        Key(say(made[name].caption), cell(made[name].total[0], "count", say), "") for name in ("reports", "crimes")
    ]
    if "time_to_crime" in told.total:
        found += [*_of_crimes(told, say), *_of_call_backs(told, say)]
    return found


def remarks(told: Figures, made: Mapping[str, Table], say: Say) -> Iterator[str]:
    """What a reader has to know of the numbers."""
    yield say("Months are calendar months in London. A report counts in the month it was received, a crime in the "
              "month it was recorded.")  # fmt: skip
    yield say("Reports and crimes count whether they came by an online form or by live chat. What was told in the live "
              "chat was received when it was told.")  # fmt: skip
    yield say("A crime that was cancelled later still counts as recorded.")
    if "imported" in told.total:
        yield say("What is imported was counted before this service. Of it only the two totals are known: times, "
                  "call-backs and shares leave it out, and its categories and sources are not known.")  # fmt: skip
    if told.rows[-1]["month"] == told.running:
        yield say("{month} is not over: its numbers are those so far.").format(month=month(told.running, say))
    gaps = {content for table in made.values() for line in table.lines for content in line.cells}
    if Gap.NOT_KNOWN in gaps:
        yield say("A number that is not known is not in the total.")
    if gaps & {Gap.FEW, Gap.NOT_SHOWN} and told.is_public:
        yield say(
            "Numbers from 1 to 4 are not shown, nor are those from which they could be worked out. A total of "
            "which a part is not shown says what it is at least. Shares are of the months that show them."
        )


def sentences(told: Figures, say: Say) -> dict[str, str]:
    """What an answer has to say of the `call_backs`, of crimes `within` 24 hours, of those recorded `automatically`,
    and of what came by `live_chat`: no text where it cannot be said.
    """
    if "time_to_crime" not in told.total:
        return dict.fromkeys(("call_backs", "within", "automatically", "live_chat"), "")
    called, within, automatically = (part(told.total, name) for name in _PARTS)
    told_of = {True: say("{percent}, which is under {limit}%"), False: say("{percent}, which is not under {limit}%"),
               None: "{percent}"}[_is_under(called)]  # fmt: skip
    rate = f"{say('A call-back was needed for {part} of {whole} reports:')} {told_of}."
    in_time = say("Of {whole} crimes, {part} were recorded within 24 hours of the report: {percent}.")
    if within and within.least == within.of:
        in_time = say("All {whole} crimes were recorded within 24 hours of the report.")
    by_rule = say("Of {whole} crimes, {part} were recorded like that.")
    return {"call_backs": _filled(rate, called, say), "within": _filled(in_time, within, say),
            "automatically": _filled(by_rule, automatically, say), "live_chat": _of_chat(told, say)}  # fmt: skip


def _of_chat(told: Figures, say: Say) -> str:
    reports, crimes = (told.total["by_source"][LIVE_CHAT][what] for what in ("reports", "crimes"))
    if not reports or crimes is None:  # none, or not shown
        return ""
    words = say("The numbers include {reports} reports and {crimes} crimes from live chat. All others came by the "
                "online forms, or were counted before this service.")  # fmt: skip
    return words.format(reports=f"{reports:,}", crimes=f"{crimes:,}")


def _of_crimes(told: Figures, say: Say) -> Iterator[Key]:
    total, within = told.total, part(told.total, "crimed_within_24h")
    times, automatically = total["time_to_crime"], part(total, "crimed_automatically")
    gap = Gap.NOT_SHOWN if not within or within.of else _of_nothing(told)
    yield Key(say("Crimes recorded within 24 hours"), cell(_share(within, told), "percent", say),
              _filled(say("{part} of {whole} crimes"), within, say))  # fmt: skip
    for label, time, words in (
        (say("Median time from report to crime"), "median_minutes",
         say("Half of the crimes were recorded within this time")),
        (say("95th percentile of that time"), "p95_minutes", say("95 in 100 crimes were recorded within this time")),
    ):  # fmt: skip
        known = times[time] is not None
        yield Key(label, _time(times[time], gap, say), words if known else "")
    by_rule = _count(automatically, say) if automatically and automatically.of else ""
    yield Key(say("Crimed automatically"), by_rule or say(gap.value),
              say("By the 24-hour rule, as nobody had decided") if by_rule else "")  # fmt: skip


def _of_call_backs(told: Figures, say: Say) -> Iterator[Key]:
    called = part(told.total, "call_backs")
    words = {True: say("{part} of {whole} reports: as it should be, under {limit}%"),
             False: say("{part} of {whole} reports: it should be under {limit}%"),
             None: say("{part} of {whole} reports")}[_is_under(called)]  # fmt: skip
    yield Key(say("Call-back rate"), cell(_share(called, told), "percent", say), _filled(words, called, say))


def _share(one: Part | None, told: Figures) -> Cell:
    return _of_nothing(told) if one and not one.of else share(one)


def _of_nothing(told: Figures) -> Gap:
    """Why there is no share: nothing was counted here, and of what was imported it is not known."""
    return Gap.NOT_KNOWN if "imported" in told.total else Gap.NONE


def _is_under(called: Part | None) -> bool | None:
    """Whether fewer are called back than the force says; None if that cannot be told."""
    if not called or not called.of:
        return None
    under = {100 * count < MOST_CALL_BACKS * called.of for count in (called.least, called.most)}
    return under.pop() if len(under) == 1 else None


def _filled(words: str, one: Part | None, say: Say) -> str:
    if not one or not one.of:
        return ""
    return words.format(part=_count(one, say), whole=f"{one.of:,}", percent=cell(share(one), "percent", say),
                        limit=MOST_CALL_BACKS)  # fmt: skip


def _count(one: Part | None, say: Say) -> str:
    if not one:
        return ""
    return (
        f"{one.least:,}"
        if one.least == one.most
        else say("{least} to {most}").format(least=f"{one.least:,}", most=f"{one.most:,}")
    )


def _time(minutes: int | None, gap: Gap, say: Say) -> str:
    return say(gap.value) if minutes is None else duration(minutes, say)
