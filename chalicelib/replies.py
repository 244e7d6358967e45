"""Canned replies: what advisors of the live chat say again and again. The one table that a force edits; pure.

A reply is sent as it stands here, or is changed in the box before. It names nobody and promises nothing that the
service does not do.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Reply(NamedTuple):
    """What the advisor chooses it by, and what the visitor reads."""

    title: str
    words: str


REPLIES: Mapping[str, Reply] = {
    "hello": Reply(
        "Say hello",
        "Hello, you are talking to an advisor of the police. How can I help?",
    ),
    "danger": Reply(
        "Ask about danger",
        "Before we go on: is anybody hurt or in danger, is it happening now, or is whoever did it still nearby?",
    ),
    "999": Reply(
        "Tell them to call 999",
        "Please call 999 now, and do not wait for an answer here. If you cannot speak, call from a mobile and press 55 "
        "when you are asked. If you have registered for it, you can text 999.",
    ),
    "where": Reply(
        "Ask where",
        "Where did it happen? An address is best, or the street and a place nearby, and the postcode.",
    ),
    "when": Reply(
        "Ask when",
        "When did it happen? If you do not know exactly, tell me the earliest and the latest time it can have been.",
    ),
    "what": Reply(
        "Ask what happened",
        "Please tell me in your own words what happened, from the beginning.",
    ),
    "things": Reply(
        "Ask what was taken or damaged",
        "What was taken or damaged? Please tell me the make, the colour, any serial or registration number, and "
        "roughly what it is worth.",
    ),
    "who": Reply(
        "Ask who did it, and who saw it",
        "Do you know or suspect who did it? Did anybody see it, or is there a camera that may have recorded it?",
    ),
    "contact": Reply(
        "Ask how to reach them",
        "What is your full name, and on what telephone number or email address can we reach you? Is it safe to call "
        "you there?",
    ),
    "moment": Reply(
        "Ask to wait",
        "One moment, please. I am still here.",
    ),
    "report": Reply(
        "Say that a report is being made",
        "I am making a report of what you have told me. It takes a few minutes. You will then get a reference, and it "
        "is decided within 24 hours whether it is recorded as a crime.",
    ),
    "101": Reply(
        "Tell them to call 101",
        "I cannot do this here. Please call 101, they can help you with it.",
    ),
    "there": Reply(
        "Ask whether they are still there",
        "Are you still there? If I do not hear from you, I shall end this conversation in a few minutes. You can begin "
        "another at any time.",
    ),
    "goodbye": Reply(
        "Say goodbye",
        "Thank you for telling us. If you think of anything else, begin another conversation or call 101. In an "
        "emergency call 999. Goodbye.",
    ),
}
