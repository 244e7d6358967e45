"""`make chat-load`: many conversations of the live chat at once, over the service on this machine."""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError
from requests import RequestException
from rich.console import Console
from rich.table import Table as Shown

from chalicelib.chats import Chats
from chalicelib.handlers.sockets import MESSAGES
from chalicelib.wiring import mint, utc_now
from infra.chat_load.people import Advisor, Visitor
from infra.chat_load.proof import differences
from infra.chat_load.talk import Watch
from infra.replay.command import SHARES, at_shares, bar, end_in_good_order
from infra.replay.service import Failed, Service, running

MOST_SHOWN = 20
MOST_MESSAGES = MESSAGES.most // 2  # some go out twice


def main() -> int:
    """Talk, prove, tell; the exit code says whether everything is there."""
    asked, console = _asked(), Console()
    end_in_good_order()
    try:
        with running(0, datetime.now(UTC), CHAT_HOURS="Mon-Sun 00:00-24:00") as service:
            return 0 if _load(service, asked, console) else 1
    except KeyboardInterrupt:
        console.print("Ended.")
        return 130
    except (Failed, RequestException, BotoCoreError) as failure:
        print(
            failure if isinstance(failure, Failed) else "The service does not answer: nothing is proved",
            file=sys.stderr,
        )
        return 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.chat_load", description=__doc__)
    parser.add_argument("--conversations", type=int, default=200, help="at once")
    parser.add_argument("--advisors", type=int, default=20, help="who share them")
    parser.add_argument("--messages", type=int, default=6, help="of each visitor, each answered by the advisor")
    asked = parser.parse_args()
    if min(asked.conversations, asked.advisors, asked.messages) < 1:
        parser.error("all numbers are from 1")
    if asked.messages > MOST_MESSAGES:
        parser.error(f"--messages is {MOST_MESSAGES} at most: whoever says more in a minute is refused")
    return asked


def _load(service: Service, asked: argparse.Namespace, console: Console) -> bool:
    service.ask("GET", "/chat")  # templates are compiled by whoever comes first, and 200 at once would all do it
    watch = Watch()
    with bar(console) as progress:
        task = progress.add_task("Messages answered", total=asked.conversations * asked.messages)
        visitors = [Visitor(service, number, asked.messages, watch, lambda: progress.advance(task))
                    for number in range(asked.conversations)]  # fmt: skip
        share = -(-asked.conversations // asked.advisors)
        advisors = [Advisor(service, number, share, watch) for number in range(asked.advisors)]
        took = _talk(visitors, advisors)
    found = proved(service, visitors, advisors)
    _tell(console, watch, asked, took)
    for line in found[:MOST_SHOWN]:
        console.print(line, highlight=False)
    if not found:
        console.print("Nothing is lost, nothing is there twice, and both sides saw one order.")
    return not found


def _talk(visitors: Sequence[Visitor], advisors: Sequence[Advisor]) -> float:
    """Let them talk until every visitor has been answered; how many seconds that took."""
    began = time.monotonic()
    for one in (*advisors, *visitors):
        one.start()
    for visitor in visitors:
        visitor.join()
    for advisor in advisors:
        advisor.stop.set()
    for advisor in advisors:
        advisor.join()
    return time.monotonic() - began


def proved(service: Service, visitors: Sequence[Visitor], advisors: Sequence[Advisor]) -> list[str]:
    """What does not add up between the table and what each side saw; nothing, if all does."""
    people: list[Visitor | Advisor] = [*visitors, *advisors]
    failed = [one.failure for one in people if one.failure]
    chats = _chats(service)
    answering = {chat: talk for advisor in advisors for chat, talk in advisor.talks.items()}
    for visitor in visitors:
        id = visitor.chat
        if id in answering:
            failed += differences(chats.find(id), visitor.talk, answering[id])
        else:
            failed.append(f"{visitor.name}: nobody took the conversation")
    return failed


def _chats(service: Service) -> Chats:
    """The conversations in the table itself, not what the service says of them."""
    nobody: Any = None  # is told, or looked at
    return Chats(service.table(), nobody, nobody, nobody, utc_now, mint)


def _tell(console: Console, watch: Watch, asked: argparse.Namespace, took: float) -> None:
    said = len(watch.took.get("A message is confirmed", ()))
    console.print(f"{asked.conversations} conversations, {asked.advisors} advisors, {said} messages in {took:.0f} s: "
                  f"{said / took:.0f} a second", highlight=False)  # fmt: skip
    shown = Shown("Milliseconds", "times", *SHARES)
    for column in shown.columns[1:]:
        column.justify = "right"
    for what, seconds in sorted(watch.took.items()):
        shown.add_row(what, f"{len(seconds):,}", *(f"{1000 * one:,.0f}" for one in at_shares(seconds)))
    console.print(shown)


if __name__ == "__main__":
    sys.exit(main())
