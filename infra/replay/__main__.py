"""`make replay`: a month of the force's figures through the running service, or with `--all` all that it told of."""

import argparse
import os
import sys

from requests import RequestException
from rich.console import Console

from infra.replay import month, whole
from infra.replay.command import bar, end_in_good_order
from infra.replay.months import MONTHS
from infra.replay.service import Failed


def main() -> int:
    """Replay what was asked for; the exit code says whether the figures agree."""
    asked, console = _asked(), Console()
    end_in_good_order()
    try:
        return 0 if (whole if asked.all else month).replay(asked, bar(console), console) else 1
    except KeyboardInterrupt:
        console.print("Ended. The same command goes on after the last whole month." if asked.all else "Ended.")
        return 130
    except (Failed, RequestException) as failure:
        print(failure if isinstance(failure, Failed) else "The service does not answer", file=sys.stderr)
        return 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.replay", description=__doc__)
    parser.add_argument("--month", default="2019-03", help="such as 2019-03, the busiest")
    parser.add_argument("--all", action="store_true", help="all months; goes on where the last time ended")
    parser.add_argument("--fresh", action="store_true", help="with --all: begin with the first month again")
    parser.add_argument(
        "--port", type=int, default=os.environ.get("PORT") or 8000, help="of the service (0 picks a free one)"
    )
    parser.add_argument("--reports", type=int, help="fewer than the month had, for a quick look")
    parser.add_argument("--stay", action="store_true", help="leave the service running until Ctrl-C")
    asked = parser.parse_args()
    if asked.all:
        return asked
    figures = MONTHS.get(asked.month)
    if not figures or figures.crimes is None:
        raise SystemExit(f"{asked.month} cannot be replayed: reports and crimes are both known from 2018-03 to 2019-06")
    asked.reports = figures.reports if asked.reports is None else asked.reports
    if not 1 <= asked.reports <= figures.reports:
        raise SystemExit(f"--reports is a number from 1 to {figures.reports}, the reports of {asked.month}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
