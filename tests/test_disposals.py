"""Which Home Office outcome may stand behind a disposal."""

from typing import get_args

import pytest

from chalicelib.disposals import Disposal, outcome_for
from chalicelib.errors import InvalidAnswers

FITS = {"further_investigation": {0}, "filed": {14, 15, 16, 18, 20, 21}}  # domain.md, "Outcomes and disposals"


def test_every_disposal_is_tried() -> None:
    assert set(get_args(Disposal)) == set(FITS)


@pytest.mark.parametrize("suspect_named", [False, True])
@pytest.mark.parametrize("disposal", FITS)
def test_every_outcome(disposal: Disposal, suspect_named: bool) -> None:
    allowed = FITS[disposal] - ({18} if suspect_named else set())
    for outcome in range(23):
        if outcome in allowed:
            assert outcome_for(disposal, outcome, suspect_named) == outcome
        else:
            with pytest.raises(InvalidAnswers) as refused:
                outcome_for(disposal, outcome, suspect_named)
            (error,) = refused.value.errors
            assert error.field == "outcome" and str(min(allowed)) in error.message


def test_the_usual_outcome_is_used_when_none_is_given() -> None:
    assert outcome_for("further_investigation", None, True) == 0
    assert outcome_for("filed", None, False) == 18


def test_filing_needs_an_outcome_when_a_suspect_is_named() -> None:
    with pytest.raises(InvalidAnswers) as refused:
        outcome_for("filed", None, True)
    assert refused.value.errors[0].message.startswith("A suspect is named, so 18 cannot be used.")
