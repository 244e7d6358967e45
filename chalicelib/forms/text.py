"""Text that people type: which characters it may have, and the one form in which it is kept."""

import re
import unicodedata

from pydantic_core import PydanticCustomError

# Characters that hide, reorder or stand for nothing. Written as escapes that Python, Rust and ECMAScript all read.
_NEVER = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffd\u202a-\u202e\u2066-\u2069"
_LINE_BREAKS = r"\u0009\u000a\u000d\u2028\u2029"
_REFUSED = re.compile(rf"[{_NEVER}\ud800-\udfff]")
_BROKEN_LINE = re.compile(f"[{_LINE_BREAKS}]")


def clean(text: str, *, long: bool, longest: int) -> str:
    """`text` without the space around it, in Unicode's composed form; only `long` text may have line breaks, tabs."""
    if _REFUSED.search(text):
        raise tail("must not include characters that cannot be printed")
    if not long and _BROKEN_LINE.search(text):
        raise tail("must be on one line, without tabs")
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    # Composing takes quadratic time. What is too long is refused anyway.
    return unicodedata.normalize("NFC", text) if len(text) <= longest else text


def pattern(*, long: bool, filled: bool = False) -> str:
    """The same rule as a regular expression for JSON Schema; `filled` text has more in it than spaces."""
    refused = _NEVER if long else _NEVER + _LINE_BREAKS
    return rf"^[^{refused}]*[^\s{refused}][^{refused}]*$" if filled else f"^[^{refused}]*$"


def tail(words: str) -> PydanticCustomError:
    """The error of an answer that breaks a rule; `words` follow the question's noun in the message."""
    return PydanticCustomError("rule", words)
