"""Retraining, beside the closed form that must come to the same bytes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ml_core.contract import Examples, UnlearnData, UnlearnResult
from ml_core.errors import AlreadyDeletedError, DataError, NeverTrainedError, NotApplicableError
from ml_core.families.analytic_classifier import AnalyticClassifier
from ml_core.methods import acu, retrain
from tests.ml_core.datasets import changed, in_order, new_run, random_examples
from tests.ml_core.methods.heads import forget as forget_in_closed_form
from tests.ml_core.methods.heads import sha256s, trained, whole_state

EXAMPLES = random_examples(3, 40)
GONE = [3, 17, 30]
FORGET = in_order(EXAMPLES, GONE)
RETAIN = in_order(EXAMPLES, [place for place in range(40) if place not in GONE])


def forget(model: AnalyticClassifier, records: Examples, retain: Examples | None) -> UnlearnResult:
    return retrain.method.apply(model, UnlearnData(forget=records, retain=retain), retrain.Config(), new_run(1))


REFUSED: dict[str, tuple[type[Exception], Examples, Examples | None]] = {
    "no retain records": (NotApplicableError, FORGET, None),
    "a stranger to forget": (NeverTrainedError, replace(FORGET, record_ids=("a", "b", "c")), RETAIN),
    "other features": (NeverTrainedError, changed(FORGET, features=1 - FORGET.features), RETAIN),
    "a record that remains left out": (DataError, FORGET, in_order(EXAMPLES, range(4, 17))),
    "one that remains with other features": (DataError, FORGET, changed(RETAIN, features=1 - RETAIN.features)),
    "one that remains with another label": (DataError, FORGET, changed(RETAIN, labels=2 - RETAIN.labels)),
    "nothing remains of what does": (DataError, FORGET, in_order(EXAMPLES, [])),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_refuses(case: str) -> None:
    error, records, retain = REFUSED[case]
    model = trained(EXAMPLES)
    state = whole_state(model)
    with pytest.raises(error):
        forget(model, records, retain)
    assert whole_state(model) == state


@pytest.mark.parametrize("again", [forget_in_closed_form, lambda model, records: forget(model, records, RETAIN)])
def test_what_it_forgot_is_refused_by_every_method(again: Callable[[AnalyticClassifier, Examples], object]) -> None:
    model = trained(EXAMPLES)
    forget(model, FORGET, RETAIN)
    with pytest.raises(AlreadyDeletedError):
        again(model, in_order(EXAMPLES, GONE[:1]))


def test_it_comes_to_the_state_of_the_closed_form_membership_included() -> None:
    retrained, updated = trained(EXAMPLES), trained(EXAMPLES)
    result = forget(retrained, FORGET, RETAIN)
    other = forget_in_closed_form(updated, FORGET)
    assert whole_state(retrained) == whole_state(updated)
    assert result.touched == other.touched == ("gram", "moments", "weight")
    assert (result.n_forget_seen, result.n_retain_seen) == (3, 37)
    for name in sha256s(retrained):
        assert result.guarantee_terms[f"{name}_sha256"] == other.guarantee_terms[f"{name}_sha256"]


def test_either_goes_on_where_the_other_stopped() -> None:
    mixed, closed = trained(EXAMPLES), trained(EXAMPLES)
    forget_in_closed_form(mixed, in_order(EXAMPLES, [0, 1]))
    rest = [place for place in range(2, 40) if place not in GONE]
    forget(mixed, FORGET, in_order(EXAMPLES, rest))
    forget_in_closed_form(mixed, in_order(EXAMPLES, [5]))
    for records in ([0, 1], GONE, [5]):
        forget_in_closed_form(closed, in_order(EXAMPLES, records))
    assert whole_state(mixed) == whole_state(closed)


def test_forgetting_nothing_trains_nothing() -> None:
    model = trained(EXAMPLES)
    state = whole_state(model)
    result = forget(model, in_order(EXAMPLES, []), EXAMPLES)
    assert (result.touched, result.n_steps, result.n_retain_seen) == ((), 0, 0)
    assert whole_state(model) == state


def test_it_works_on_every_family_and_claims_no_more_than_the_definition() -> None:
    card = retrain.method.card()
    assert (card.families, [str(need) for need in card.needs]) == (("any",), ["retain_data"])
    assert str(card.assurance) == str(acu.method.assurance) == "exact"
