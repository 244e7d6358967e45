"""The rules of a conversation: what is said stays, in one order, once, and somebody says what came of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chalicelib import chat
from chalicelib.chat import LARGEST_OF_ALL, LONGEST, PROMISE, VISITOR, Conversation, State, told
from chalicelib.chat_queue import Pace
from chalicelib.errors import InvalidAnswers, NotAllowed, Refused
from chalicelib.report import Actor
from tests.fakes import ANN, BOB, NOW

ANNA, BERT = ANN.actor, BOB.actor
VISITS = {"name": "Eve", "email": "eve@example.com"}


def begun(text: str = "My bicycle is gone") -> Conversation:
    return chat.begin("c1", VISITS, text, "m1", NOW)


def taken() -> Conversation:
    return chat.take(begun(), ANNA, NOW)


def said(conversation: Conversation) -> list[str]:
    return [entry.text for entry in conversation.entries if entry.what == "said"]


def test_it_waits_until_somebody_takes_it() -> None:
    one = begun()
    assert (one.state, one.is_listed_as, one.answer_by) == (State.WAITING, "waiting", NOW + timedelta(minutes=3))
    one = chat.take(one, ANNA, NOW)
    assert (one.state, one.is_listed_as, one.advisor) == (State.OPEN, "held", ANNA)
    assert chat.take(one, ANNA, NOW) is one


def test_what_comes_twice_is_there_once() -> None:
    one = chat.say(taken(), VISITOR, "It was red", "m2", NOW)
    assert chat.say(one, VISITOR, "It was red", "m2", NOW) is one
    one = chat.say(one, ANNA, "Where was it?", "a1", NOW)
    assert chat.say(one, ANNA, "Where was it?", "a1", NOW) is one
    assert said(one) == ["My bicycle is gone", "It was red", "Where was it?"]


def test_an_id_is_its_senders_own() -> None:
    one = chat.say(taken(), ANNA, "Hello", "same", NOW)
    assert said(chat.say(one, VISITOR, "Hello to you", "same", NOW))[-2:] == ["Hello", "Hello to you"]
    assert chat.say(one, VISITOR, "And this", "taken-2", NOW).version == one.version + 1


def test_only_who_has_it_answers() -> None:
    for one, who in ((begun(), ANNA), (taken(), BERT)):
        with pytest.raises(NotAllowed):
            chat.say(one, who, "Hello", "a1", NOW)
    with pytest.raises(NotAllowed):
        chat.take(taken(), BERT, NOW)
    assert chat.take(taken(), BERT, NOW, is_supervisor=True).advisor == BERT


@pytest.mark.parametrize("text", ["", "   ", "x" * (LONGEST + 1)])
def test_a_message_says_something_and_not_too_much(text: str) -> None:
    for words in (
        lambda: chat.say(taken(), VISITOR, text, "m2", NOW),
        lambda: chat.note(taken(), ANNA, text, "n", NOW),
    ):
        with pytest.raises(InvalidAnswers) as refused:
            words()
        assert refused.value.errors[0].field == "text"


def test_words_that_worry_raise_it_and_nothing_lowers_it() -> None:
    one = chat.say(begun(), VISITOR, "He is still here", "m2", NOW)
    assert one.priority == "urgent" and one.reasons == ("The words suggest that it is still going on",)
    assert one.entries[-1].facts["reasons"] == list(one.reasons)
    one = chat.say(one, VISITOR, "Never mind", "m3", NOW)
    assert one.priority == "urgent" and len(one.reasons) == 1
    assert chat.rank(one.priority) < chat.rank(begun().priority)
    assert not chat.say(taken(), ANNA, "Is he still here?", "a1", NOW).reasons, "an advisor asks, and tells nothing"


def test_it_is_handed_over_and_put_back_in_its_old_place() -> None:
    over = chat.hand_over(taken(), BERT, ANNA, NOW)
    assert over.advisor == BERT and [entry.what for entry in over.entries[-2:]] == ["taken", "handed_over"]
    assert told(over, 2, for_visitor=True)["entries"][0]["name"] == BERT.name, "who answers from now on"
    back = chat.put_back(over, BERT, NOW + timedelta(minutes=9))
    assert (back.advisor, back.is_listed_as, back.answer_by) == (None, "waiting", begun().answer_by)
    with pytest.raises(NotAllowed):
        chat.put_back(taken(), BERT, NOW)


def test_who_has_it_owes_an_answer_as_who_has_not_taken_it_does() -> None:
    later = NOW + timedelta(minutes=10)
    assert begun().due_at == taken().due_at == NOW + PROMISE
    one = chat.say(taken(), ANNA, "Where was it?", "a1", NOW)
    assert (one.unanswered_since, one.due_at) == (None, one.conclude_by)
    one = chat.say(chat.say(one, VISITOR, "At home", "m2", later), VISITOR, "Are you there?", "m3", later + PROMISE)
    assert (one.unanswered_since, one.due_at) == (later, later + PROMISE)
    over = chat.hand_over(one, BERT, ANNA, later + PROMISE)
    assert over.due_at == later + PROMISE, "it is owed, whoever has it"
    assert chat.end(over, VISITOR, later).due_at == one.conclude_by


def test_whoever_ends_it_an_advisor_says_what_came_of_it() -> None:
    left = chat.end(begun(), VISITOR, NOW)
    assert (left.state, left.is_listed_as) == (State.ENDED, "waiting"), "nobody has read it"
    with pytest.raises(NotAllowed):
        chat.say(left, VISITOR, "Hello?", "m2", NOW)
    read = chat.take(left, ANNA, NOW)
    assert (read.state, read.is_listed_as) == (State.ENDED, "held")
    done = chat.conclude(read, "left", ANNA, NOW)
    assert (done.state, done.is_listed_as, done.concluded_at) == (State.CONCLUDED, "kept", NOW)
    assert chat.conclude(done, "advice", ANNA, NOW) is done
    with pytest.raises(NotAllowed):
        chat.take(done, BERT, NOW, is_supervisor=True)


@pytest.mark.parametrize("how", ["reported", "nonsense", ""])
def test_it_is_not_concluded_by_what_did_not_happen(how: str) -> None:
    with pytest.raises(InvalidAnswers):
        chat.conclude(taken(), how, ANNA, NOW)


def test_a_report_concludes_it_once_it_has_ended() -> None:
    made = chat.reported(taken(), "REF1", ANNA, NOW)
    assert made.state is State.OPEN and chat.reported(made, "REF1", ANNA, NOW) is made
    assert chat.end(made, VISITOR, NOW).state is State.CONCLUDED
    ended = chat.end(taken(), VISITOR, NOW)
    assert chat.reported(ended, "REF1", ANNA, NOW).state is State.CONCLUDED
    assert chat.reported(made, "REF2", BERT, NOW).references == ["REF1", "REF2"], "it is made, whoever has it now"


def test_a_transcript_is_asked_for_five_times_at_most() -> None:
    one = chat.say(taken(), ANNA, "Hello", "a1", NOW)
    for number in range(chat.MOST_TRANSCRIPTS):
        one = chat.want_transcript(one, f"{number}@example.com", f"t{number}", NOW)
        assert chat.want_transcript(one, "again@example.com", f"t{number}", NOW) is one
    assert one.transcripts_to[-1] == "4@example.com"
    with pytest.raises(InvalidAnswers):
        chat.want_transcript(one, "sixth@example.com", "t5", NOW)


def test_a_transcript_is_of_what_somebody_has_answered() -> None:
    """Or a stranger could have us write their words to anybody."""
    with pytest.raises(InvalidAnswers):
        chat.want_transcript(taken(), "eve@example.com", "t1", NOW)


def test_the_visitor_is_told_nothing_private() -> None:
    one = chat.note(taken(), ANNA, "Known address", "n1", NOW)
    one = chat.say(chat.hand_over(one, BERT, ANNA, NOW), BERT, "Hello", "a1", NOW)
    seen = told(one, 0, for_visitor=True)
    assert [entry["what"] for entry in seen["entries"]] == ["said", "taken", "handed_over", "said"]
    assert seen["last"] == one.version and "Known address" not in str(seen) and BERT.id not in str(seen)
    whole = told(one, 2, for_visitor=False)
    assert [entry["number"] for entry in whole["entries"]] == list(range(3, one.version + 1))
    assert told(chat.conclude(one, "advice", BERT, NOW), 0, for_visitor=True)["state"] == "ended"


def test_the_wait_is_told_by_how_often_somebody_is_taken() -> None:
    assert Pace().wait(1, NOW) is None
    pace = Pace()
    for minutes in range(0, 10, 2):
        pace = pace.after(NOW, NOW + timedelta(minutes=minutes))
    now = NOW + timedelta(minutes=10)
    assert pace.wait(1, now) == 2 and pace.wait(5, now) == 10
    assert pace.within_promise == (2, 5)
    assert pace.wait(1, NOW + timedelta(hours=2)) is None, "nobody has been taken of late"
    for _ in range(Pace.KEPT):
        pace = pace.after(now, now + PROMISE)
    assert pace.within_promise == (Pace.KEPT, Pace.KEPT)


def test_a_conversation_never_outgrows_its_item_and_the_advisor_has_the_last_word() -> None:
    one, number = taken(), 0
    with pytest.raises(NotAllowed):
        while True:
            one, number = chat.say(one, VISITOR, '"' * LONGEST, f"m{number}", NOW), number + 1
    one = chat.say(one, ANNA, "I have read all of it", "a1", NOW)
    with pytest.raises(NotAllowed):
        while True:
            one, number = chat.hand_over(one, BERT if one.advisor == ANNA else ANNA, one.advisor or ANNA, NOW), 0
    assert one.advisor and sum(len(entry.text) * 2 + 300 for entry in one.entries) < LARGEST_OF_ALL + 20_000
    assert chat.conclude(chat.reported(one, "REF1", one.advisor, NOW), "reported", one.advisor, NOW).concluded_at


class Life(RuleBasedStateMachine):
    """Whatever people do, in any order and twice."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.one = NOW, begun()
        self.confirmed = [(VISITOR, "m1")]

    def does(self, what: Callable[[], Conversation]) -> bool:
        before = self.one
        try:
            after = what()
        except Refused:
            return False
        assert after.entries[: before.version] == before.entries, "what was said stays"
        if before.has_ended:
            assert not any(entry.what == "said" for entry in after.entries[before.version :])
        self.one = after
        return True

    @rule(who=st.sampled_from([VISITOR, ANNA, BERT]), id=st.sampled_from("abcdef"))
    def say(self, who: Actor, id: str) -> None:
        may = self.one.told(who, id) or (not self.one.has_ended and who in (VISITOR, self.one.advisor))
        assert self.does(lambda: chat.say(self.one, who, "words", id, self.now)) == may
        if may and (who, id) not in self.confirmed:
            self.confirmed.append((who, id))

    @rule(who=st.sampled_from([ANNA, BERT]), supervisor=st.booleans())
    def take(self, who: Actor, supervisor: bool) -> None:
        self.does(lambda: chat.take(self.one, who, self.now, supervisor))

    @rule(to=st.sampled_from([ANNA, BERT]), who=st.sampled_from([ANNA, BERT]))
    def hand_over(self, to: Actor, who: Actor) -> None:
        self.does(lambda: chat.hand_over(self.one, to, who, self.now))

    @rule(who=st.sampled_from([ANNA, BERT]))
    def put_back(self, who: Actor) -> None:
        self.does(lambda: chat.put_back(self.one, who, self.now))

    @rule(who=st.sampled_from([VISITOR, ANNA, BERT]))
    def end(self, who: Actor) -> None:
        self.does(lambda: chat.end(self.one, who, self.now))

    @rule(who=st.sampled_from([ANNA, BERT]), reference=st.sampled_from(["R1", "R2"]))
    def report(self, who: Actor, reference: str) -> None:
        assert self.does(lambda: chat.reported(self.one, reference, who, self.now))

    @rule(who=st.sampled_from([ANNA, BERT]), how=st.sampled_from(sorted(chat.CONCLUSIONS)))
    def conclude(self, who: Actor, how: str) -> None:
        self.does(lambda: chat.conclude(self.one, how, who, self.now))

    @rule(minutes=st.integers(0, 200))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def what_was_confirmed_is_there_once_and_in_order(self) -> None:
        assert [(entry.by, entry.id) for entry in self.one.entries if entry.what == "said"] == self.confirmed
        assert [entry.number for entry in self.one.entries] == list(range(1, self.one.version + 1))

    @invariant()
    def it_is_in_the_list_where_somebody_looks(self) -> None:
        one: Any = self.one
        assert one.is_listed_as == ("kept" if one.concluded_at else "held" if one.advisor else "waiting")
        assert not one.references or not one.has_ended or one.concluded_at or not one.advisor or one.state == "ended"
        assert (one.state is State.WAITING) == (not one.advisor and not one.has_ended)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
