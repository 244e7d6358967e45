"""`make load`: which rate is steady, what the proof finds, whether memory grows; and the command itself, briefly."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest
from conftest import ROOT
from fakes import NOW

from infra.load import sending, soak
from infra.load.posts import Posts
from infra.load.proof import Kept, differences, unheard
from infra.load.rates import FASTEST, Tried, highest
from infra.load.sending import Answer, Post
from infra.local import dynamodb_local as database
from infra.replay.command import at_shares
from infra.replay.service import Failed

# ---- the rate


@pytest.mark.parametrize("limit", [5, 7.3, 19, 20, 39.9, 400])
def test_the_highest_rate_is_found_from_below_and_to_a_tenth(limit: float) -> None:
    tried: list[float] = []
    found = highest(lambda rate: tried.append(rate) or rate <= limit)  # type: ignore[func-returns-value]
    assert limit / 1.11 <= found <= limit
    assert found in tried and len(tried) < 14


def test_no_rate_is_steady_and_every_rate_is() -> None:
    assert highest(lambda _: False) == 0
    tried: list[float] = []
    assert highest(lambda rate: tried.append(rate) is None) == FASTEST == max(tried)


def tried(times: Sequence[float] = (20.0,) * 100, failed: int = 0, rest: float = 0.5) -> Tried:
    return Tried(10, times, failed, rest)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (tried(), ""),
        (tried([20.0] * 98 + [5_000.0] * 2), "too slow"),
        (tried([20.0] * 198 + [5_000.0]), ""),
        (tried(failed=1), "1 failed"),
        (tried(rest=2.1), "behind"),
        (tried(rest=1.9), ""),
    ],
)
def test_a_rate_is_steady_if_nothing_fails_and_nothing_waits_ever_longer(one: Tried, said: str) -> None:
    assert one.unsteady == said


def test_shares_of_times() -> None:
    assert at_shares([float(number) for number in range(100, 0, -1)]) == [51, 96, 100, 100]
    assert at_shares([7]) == [7, 7, 7, 7]
    assert at_shares([]) == [0, 0, 0, 0]


# ---- what was sent, and what is there

POSTS = [Post(f"key{number}", json.dumps({"what_happened": f"Number {number}"})) for number in range(3)]
REFERENCES = ["7K3M9QWPR2T8", "234678923467", "CDFGHJKMNPQR"]
SHOWN = ["7K3M-9QWP-R2T8", "2346-7892-3467", "CDFG-HJKM-NPQR"]
ANSWERS = {number: Answer(number, 9.0, 0.0, 201, f"/reports/{SHOWN[number]}") for number in range(3)}
THERE = [Kept(REFERENCES[number], POSTS[number].body, ("received", "triaged"), "sent", 1) for number in range(3)]


def found(there: Sequence[Kept] = THERE, **answers: Answer) -> list[str]:
    """The differences, with other answers to some posts: `answer_1=…`."""
    return list(differences(POSTS, ANSWERS | {int(name[-1]): one for name, one in answers.items()}, there))


def test_what_was_sent_answered_and_is_there_adds_up() -> None:
    assert found() == []
    assert unheard(POSTS, ANSWERS, THERE) == (0, 0)


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (THERE[1:], ["7K3M-9QWP-R2T8: was answered with 201 and is not in the table as it was sent"]),
        ([*THERE, THERE[0]._replace(reference=REFERENCES[1])], ["Post 0 is in the table 2 times"]),
        ([THERE[0]._replace(reference="RRRRRRRRRRRR"), *THERE[1:]],
         ["7K3M-9QWP-R2T8: was answered with 201 and is not in the table as it was sent"]),
        ([THERE[0]._replace(text="{}"), *THERE[1:]],
         ["7K3M-9QWP-R2T8: nobody sent this",
          "7K3M-9QWP-R2T8: was answered with 201 and is not in the table as it was sent"]),
        ([*THERE[:2], THERE[2]._replace(history=("received",))], ["CDFG-HJKM-NPQR: was received"]),
        ([*THERE[:2], THERE[2]._replace(history=("received", "triaged", "triaged"))],
         ["CDFG-HJKM-NPQR: was received, triaged, triaged"]),
        ([*THERE[:2], THERE[2]._replace(acknowledged="sending")],
         ["CDFG-HJKM-NPQR: the acknowledgement is sending, 1 letters went out"]),
        ([*THERE[:2], THERE[2]._replace(letters=2)],
         ["CDFG-HJKM-NPQR: the acknowledgement is sent, 2 letters went out"]),
    ],
)  # fmt: skip
def test_what_is_lost_twice_changed_or_not_seen_to_is_found(there: list[Kept], said: list[str]) -> None:
    assert found(there) == said


def test_an_answer_that_was_lost_is_told_apart_from_a_refusal() -> None:
    lost, refused = Answer(1, 60_000.0, 0.0, error="ECONNRESET"), Answer(1, 9.0, 0.0, 503)
    assert found(answer_1=lost) == [] == found([THERE[0], THERE[2]], answer_1=lost)
    assert unheard(POSTS, ANSWERS | {1: lost}, THERE) == (1, 1)
    assert unheard(POSTS, ANSWERS | {1: lost}, [THERE[0], THERE[2]]) == (1, 0)
    assert unheard(POSTS, {0: ANSWERS[0]}, THERE[:1]) == (2, 0), "nothing was told of them at all"
    assert found(answer_1=refused) == ["Post 1 was answered with 503 and is in the table"]
    assert found([THERE[0], THERE[2]], answer_1=refused) == []


def test_no_two_posts_are_the_same() -> None:
    posts = Posts(NOW)
    made = [posts.make() for _ in range(450)]
    assert len({post.body for post in made}) == len({post.key for post in made}) == 450


# ---- memory


def test_the_sizes_of_the_runner_and_its_children_are_read_from_what_runs() -> None:
    listing = """
      1     0   9000 /sbin/init
     70     1 204800 python -m infra.local
     71    70 102400 python -m infra.local.moto_server
     72    70 307200 java -jar DynamoDBLocal.jar -dbPath /tmp/x
     81     1 102400 python -m infra.local.moto_server
    """.strip("\n").rstrip()
    assert soak.sizes(listing, 70) == {"the service": 200, "moto": 100, "DynamoDB Local": 300}


@pytest.mark.parametrize(
    ("size", "is_growth"),
    [
        (lambda at: 130.0, False),
        (lambda at: 100 + 30 * min(1, at / 100), False),  # caches and connections, at first
        (lambda at: 130 + 1.5 * (at % 20 < 10), False),  # collected again and again
        (lambda at: 130 + 8 * (at > 440), False),  # more connections after a pause
        (lambda at: 130 - at / 100, False),
        (lambda at: 130 + at / 100, True),
    ],
)
def test_memory_grows_if_it_still_does_when_all_is_warm(size: Callable[[int], float], is_growth: bool) -> None:
    samples = [(float(at), size(at)) for at in range(0, 600, 5)]
    assert soak.growth(samples).is_growth is is_growth


# ---- the command


def test_load_goes_to_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_run", lambda *_: pytest.fail("it was sent"))
    for url in ("http://192.0.2.1/reports", "https://example.com/reports", "http://127.0.0.1.example.com/", "x"):
        with pytest.raises(Failed, match="this machine only"):
            sending.send(url, 1, [POSTS[0]], lambda _: None)


@pytest.mark.parametrize("wrong", [["--rate", "100000"], ["--rate", "5", "--seconds", "86400"], ["--seconds", "5"]])
def test_what_has_no_bound_is_refused(wrong: list[str]) -> None:
    done = load(*wrong)
    assert done.returncode == 2 and "usage" in done.stderr and not done.stdout


def test_a_few_seconds_of_load_are_answered_kept_triaged_and_acknowledged() -> None:
    if lacking := database.missing() or sending.missing():
        pytest.skip(lacking)
    done = load("--rate", "5", "--seconds", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All 30 reports that were answered with 201 are in the table" in done.stdout


def load(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "infra.load", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
