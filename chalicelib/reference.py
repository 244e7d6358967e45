"""References: what a person keeps and reads out on the telephone, such as `7K3M-9QWP-R2T8`.

Twelve symbols of an alphabet of 23 that leaves out what can be misread or form words (of 2 and Z, of 8 and B only the
digit stays; none of 0 O, 1 I L, 5 S, U V, A, E). Eleven are a keyed digest of the submission's token (about 50 bits),
the last checks them. As 23 is a prime, the check finds every single wrong symbol and every swap of two.
"""

import hashlib
import hmac
import itertools
from collections.abc import Iterator

ALPHABET = "2346789CDFGHJKMNPQRTWXY"
LENGTH = 12
_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}
_WEIGHT_OF_CHECK = pow(LENGTH, -1, len(ALPHABET))
_SPOKEN = dict(
    C="Charlie", D="Delta", F="Foxtrot", G="Golf", H="Hotel", J="Juliet", K="Kilo", M="Mike", N="November",
    P="Papa", Q="Quebec", R="Romeo", T="Tango", W="Whiskey", X="X-ray", Y="Yankee",
)  # fmt: skip


def derive(digest: bytes) -> str:
    """The reference for a secret, random-looking `digest` of at least 16 bytes."""
    number, symbols = int.from_bytes(digest[:16], "big"), ""
    for _ in range(LENGTH - 1):
        number, index = divmod(number, len(ALPHABET))
        symbols += ALPHABET[index]
    return symbols + _check(symbols)


def token_digest(secret: bytes, token: str, attempt: int = 0) -> bytes:
    """What a submission's token becomes under the service's secret; another `attempt` gives another reference."""
    return hmac.digest(secret, f"{attempt}|{token}".encode(), hashlib.sha256)


def candidates(secret: bytes, token: str) -> Iterator[tuple[str, bytes]]:
    """The references that a token may come under, in order, each with its digest. The first is nearly always free."""
    for attempt in itertools.count():
        digest = token_digest(secret, token, attempt)
        yield derive(digest), digest


def smoke_token(secret: bytes) -> str:
    """The token that marks a report as the smoke test's: an Idempotency-Key known to who can read the secret alone."""
    return "key:" + hmac.digest(secret, b"smoke test", hashlib.sha256).hex()


def parse(text: str) -> str | None:
    """The plain twelve symbols of what a person typed (any case, spaces, hyphens), or None if it is no reference."""
    plain = "".join(text.split()).replace("-", "").upper()
    well_formed = len(plain) == LENGTH and set(plain) <= set(ALPHABET)
    return plain if well_formed and _check(plain[:-1]) == plain[-1] else None


def show(plain: str) -> str:
    """`7K3M9QWPR2T8` -> `7K3M-9QWP-R2T8`."""
    return "-".join(plain[start : start + 4] for start in range(0, LENGTH, 4))


def spell(plain: str) -> str:
    """How to say it: digits as they are, letters in the spelling alphabet, a dash between the groups."""
    groups = show(plain).split("-")
    return " – ".join(", ".join(_SPOKEN.get(symbol, symbol) for symbol in group) for group in groups)


def _check(symbols: str) -> str:
    total = sum(weight * _VALUES[symbol] for weight, symbol in enumerate(symbols, start=1))
    return ALPHABET[-total * _WEIGHT_OF_CHECK % len(ALPHABET)]
