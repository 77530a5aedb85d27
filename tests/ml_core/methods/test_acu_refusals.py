"""What is refused, and that after each refusal the model is as it was, to the last byte."""

from collections.abc import Callable

import pytest
import torch

from ml_core.contract import Examples, Run, UnlearnData
from ml_core.errors import (
    AlreadyDeletedError,
    Cancelled,
    DataError,
    NeverTrainedError,
    NotApplicableError,
    NumericalError,
    UnlearningError,
)
from ml_core.families.analytic_classifier import AnalyticClassifier
from ml_core.methods import acu
from tests.ml_core.datasets import changed, in_order, random_examples
from tests.ml_core.methods.heads import forget, trained, whole_state


def with_another_label(records: Examples) -> Examples:
    return changed(records, labels=(records.labels + 1) % 3)


def with_other_features(records: Examples) -> Examples:
    features = records.features.clone()
    features[-1, 0] = 1 - features[-1, 0].round()
    return changed(records, features=features)


def with_swapped_contents(records: Examples) -> Examples:
    return changed(records, features=records.features.flip(0), labels=records.labels.flip(0))


def with_a_stranger_among_them(records: Examples) -> Examples:
    stranger = random_examples(9, 1, prefix="stranger")
    return Examples(
        features=torch.cat([records.features, stranger.features]),
        labels=torch.cat([records.labels, stranger.labels]),
        record_ids=records.record_ids + stranger.record_ids,
        person_ids=records.person_ids + stranger.person_ids,
    )


def under_other_names(records: Examples) -> Examples:
    return random_examples(3, len(records), prefix="other")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(under_other_names, id="never trained: other ids"),
        pytest.param(with_a_stranger_among_them, id="never trained: one stranger among trained records"),
        pytest.param(with_another_label, id="changed label"),
        pytest.param(with_other_features, id="changed features of the last record"),
        pytest.param(with_swapped_contents, id="contents swapped between records"),
    ],
)
def test_it_refuses_records_it_was_not_trained_on(spoil: Callable[[Examples], Examples]) -> None:
    examples = random_examples(3, 40)
    model = trained(examples)
    state = whole_state(model)
    with pytest.raises(NeverTrainedError):
        forget(model, spoil(in_order(examples, range(4))))
    assert whole_state(model) == state


@pytest.mark.parametrize("again", [pytest.param([0], id="alone"), pytest.param([7, 8, 0], id="among others")])
def test_it_refuses_a_record_that_was_already_deleted(again: list[int]) -> None:
    examples = random_examples(3, 40)
    model = trained(examples)
    forget(model, in_order(examples, [0, 1]))
    state = whole_state(model)
    with pytest.raises(AlreadyDeletedError):
        forget(model, in_order(examples, again))
    assert whole_state(model) == state


def test_it_refuses_features_of_another_width() -> None:
    model = trained(random_examples(3, 40))
    state = whole_state(model)
    with pytest.raises(DataError, match=r"\[N, 5\]"):
        forget(model, random_examples(3, 4, n_features=6))
    assert whole_state(model) == state


def test_it_refuses_a_model_of_another_family() -> None:
    examples = random_examples(3, 40)
    model = trained(examples)
    model.family = "causal_lm"
    with pytest.raises(NotApplicableError, match="causal_lm"):
        forget(model, in_order(examples, [0]))


def empty_the_gram_diagonal(model: AnalyticClassifier) -> None:
    model.gram.diagonal().zero_()


def empty_the_moments(model: AnalyticClassifier) -> None:
    model.moments.zero_()


def make_the_gram_indefinite(model: AnalyticClassifier) -> None:
    model.gram[0, 1] = model.gram[1, 0] = 1e15


@pytest.mark.parametrize("damage", [empty_the_gram_diagonal, empty_the_moments, make_the_gram_indefinite])
def test_it_refuses_damaged_moments(damage: Callable[[AnalyticClassifier], None]) -> None:
    examples = random_examples(3, 40)
    model = trained(examples)
    damage(model)
    state = whole_state(model)
    with pytest.raises(NumericalError):
        forget(model, in_order(examples, [0, 1]))
    assert whole_state(model) == state


def test_it_refuses_moments_that_never_held_the_records_though_the_arithmetic_would_go_through() -> None:
    """Faint records: what is missing is less than the penalty, so the system stays positive definite."""
    examples = random_examples(3, 40)
    faint = changed(examples, features=examples.features / 20)
    model = trained(faint, width=0)
    model.gram.zero_()
    state = whole_state(model)
    with pytest.raises(NumericalError, match="do not contain the records"):
        forget(model, in_order(faint, [0]))
    assert whole_state(model) == state


def test_the_accuracy_asked_for_is_relative_to_the_size_of_the_weight() -> None:
    examples = random_examples(3, 40)
    result = forget(twin := trained(examples), in_order(examples, [0]))
    relative = float(result.guarantee_terms["error_bound"]) / float(torch.linalg.matrix_norm(twin.weight))
    with pytest.raises(NumericalError, match="larger gamma"):
        forget(trained(examples), in_order(examples, [0]), acu.Config(largest_error=relative * 0.99))
    forget(trained(examples), in_order(examples, [0]), acu.Config(largest_error=relative * 1.01))


def test_it_refuses_a_solution_less_accurate_than_asked_for() -> None:
    examples = random_examples(3, 10)
    model = trained(examples, width=64, gamma=1e-9)
    state = whole_state(model)
    with pytest.raises(NumericalError, match="larger gamma"):
        forget(model, in_order(examples, [0]), acu.Config(largest_error=1e-15))
    assert whole_state(model) == state


def test_messages_of_refusal_name_no_record_and_no_person() -> None:
    examples = random_examples(3, 40, prefix="alice")
    model = trained(examples)
    forget(model, in_order(examples, [0]))
    for records in (in_order(examples, [0]), with_another_label(in_order(examples, [1])), random_examples(8, 3)):
        with pytest.raises(UnlearningError) as refused:
            forget(model, records)
        assert not any(name in str(refused.value) for name in (*records.record_ids, *records.person_ids))


@pytest.mark.parametrize("n_steps", range(4))
def test_a_cancelled_deletion_leaves_the_model_as_it_was(n_steps: int) -> None:
    examples = random_examples(3, 40)
    model = trained(examples)
    state = whole_state(model)
    answers = iter([False] * n_steps + [True])
    run = Run(generator=torch.Generator(), is_cancelled=lambda: next(answers))
    with pytest.raises(Cancelled):
        acu.method.apply(model, UnlearnData(forget=in_order(examples, [0])), acu.Config(), run)
    assert whole_state(model) == state
