"""Deletion from a ridge head: the bytes left behind are those of a head that never saw the records."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_core.contract import Examples
from ml_core.digests import tensor_sha256
from ml_core.errors import (
    AlreadyDeletedError,
)
from ml_core.families.analytic_classifier import AnalyticClassifier, family
from tests.ml_core.datasets import changed, digits, in_order, new_run, random_examples, without
from tests.ml_core.methods.heads import forget, sha256s, trained, whole_state
from tests.ml_core.test_ridge import true_error

Batches = list[list[int]]


@st.composite
def deletions(draw: st.DrawFn, n_records: int, n_most: int) -> Batches:
    """Some records in random order, cut into ragged batches: single records, blocks, or all at once."""
    chosen = draw(st.lists(st.integers(0, n_records - 1), unique=True, min_size=1, max_size=n_most))
    cuts = sorted(draw(st.sets(st.integers(1, len(chosen)), max_size=6)) | {len(chosen)})
    return [chosen[start:end] for start, end in pairwise([0, *cuts])]


def require_equal_to_retraining(model: AnalyticClassifier, retain: Examples) -> None:
    fresh = family.train(retain, model.config, new_run(5))
    assert sha256s(model) == sha256s(fresh)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    order=st.permutations(range(30)),
    batches=deletions(30, 30),
    width=st.sampled_from([0, 1, 7, 40]),
    n_features=st.sampled_from([1, 2, 5]),
)
def test_every_deletion_equals_retraining_on_random_data(
    seed: int, order: Sequence[int], batches: Batches, width: int, n_features: int
) -> None:
    examples = random_examples(seed, 30, n_features=n_features)
    model = trained(in_order(examples, order), width=width)
    gone: list[int] = []
    for batch in batches:
        forget(model, in_order(examples, batch))
        gone += batch
        remaining = [number for number in reversed(range(30)) if number not in gone]
        require_equal_to_retraining(model, in_order(examples, remaining))


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(300)), batches=deletions(300, 120))
def test_any_order_and_batching_equals_retraining_on_digits(order: Sequence[int], batches: Batches) -> None:
    examples = digits(300)
    model = trained(in_order(examples, order), width=160, n_classes=10)
    for batch in batches:
        forget(model, in_order(examples, batch))
    gone = [examples.record_ids[number] for batch in batches for number in batch]
    require_equal_to_retraining(model, without(examples, gone))


@settings(max_examples=20, deadline=None)
@given(writers=st.lists(st.integers(0, 49), unique=True, min_size=1, max_size=8))
def test_persons_forgotten_one_by_one_or_together_leave_the_same_bytes(writers: list[int]) -> None:
    examples = digits(600)
    one_by_one = trained(examples, width=96, n_classes=10)
    together = family.copy(one_by_one)
    persons = [f"writer-{number}" for number in writers]
    for person in persons:
        forget(one_by_one, examples.of_persons([person]))
    forget(together, examples.of_persons(persons))
    assert sha256s(one_by_one) == sha256s(together)
    require_equal_to_retraining(together, without(examples, examples.of_persons(persons).record_ids))


@pytest.mark.parametrize("width", [pytest.param(0, id="pixels as they are"), pytest.param(512, id="expanded")])
def test_all_digits_trained_and_a_writer_deleted_record_by_record(width: int) -> None:
    examples = digits()
    model = trained(examples, width=width, n_classes=10)
    writer = examples.of_persons(["writer-77"])
    for record_id in writer.record_ids:
        forget(model, writer.subset([record_id]))
    require_equal_to_retraining(model, without(examples, writer.record_ids))


def test_the_moments_are_the_integers_that_plain_python_sums() -> None:
    examples = random_examples(2, 12, n_features=3)
    model = trained(examples, width=0)
    forget(model, in_order(examples, [3, 5]))
    kept = [number for number in range(12) if number not in (3, 5)]
    rows = [[int(value * 255 + 0.5) for value in examples.features[number].tolist()] for number in kept]
    gram = [[sum(row[i] * row[j] for row in rows) for j in range(3)] for i in range(3)]
    moments = [
        [sum(row[i] for row, number in zip(rows, kept, strict=True) if examples.labels[number] == c) for c in range(3)]
        for i in range(3)
    ]
    assert model.gram.tolist() == gram
    assert model.moments.tolist() == moments


def test_forgetting_everyone_equals_training_on_nobody() -> None:
    examples = random_examples(3, 10)
    model = trained(examples)
    forget(model, examples)
    require_equal_to_retraining(model, in_order(examples, []))
    assert model.members.n_held == 0
    assert not bool(model.gram.any() | model.weight.any())


def test_records_without_any_ink_leave_no_sign_behind() -> None:
    """0 * -5 is -0, and x - x is +0: no zero of one sign may stand where retraining has the other."""
    examples = random_examples(3, 6, n_features=1)
    blank = changed(examples, features=torch.zeros(6, 1, dtype=torch.float64))
    model = trained(blank)
    forget(model, in_order(blank, [0, 1, 2, 3]))
    require_equal_to_retraining(model, in_order(blank, [4, 5]))


def test_deletion_goes_on_after_storage(tmp_path: Path) -> None:
    examples = random_examples(3, 40)
    model = trained(examples)
    forget(model, in_order(examples, [0, 1]))
    family.save(model, tmp_path / "stored")
    loaded = family.load(tmp_path / "stored", torch.device("cpu"))
    with pytest.raises(AlreadyDeletedError):
        forget(loaded, in_order(examples, [1]))
    forget(loaded, in_order(examples, [2]))
    require_equal_to_retraining(loaded, in_order(examples, range(3, 40)))


# What it reports.


def test_it_reports_what_it_did_and_on_what_the_claim_rests() -> None:
    examples = random_examples(3, 40)
    model = trained(examples)
    result = forget(model, in_order(examples, range(4)))
    assert (result.touched, result.n_steps) == (("gram", "moments", "weight"), 1)
    assert (result.n_forget_seen, result.n_retain_seen) == (4, 0)
    terms = dict(result.guarantee_terms)
    assert (terms["n_before"], terms["n_after"]) == (40, 36)
    assert terms["ridge"] == pytest.approx(0.1 * 255**2)
    for name, tensor in model.named_tensors().items():
        assert terms[f"{name}_sha256"] == tensor_sha256(tensor)


def test_the_reported_bound_covers_the_true_error_of_the_weight() -> None:
    examples = random_examples(3, 40)
    model = trained(examples, width=12, gamma=1e-4)
    result = forget(model, in_order(examples, range(4)))
    terms = result.guarantee_terms
    error = true_error(model.gram, model.moments, float(terms["ridge"]), model.weight)
    assert 0 < error <= float(terms["error_bound"])


def test_forgetting_nothing_reports_nothing() -> None:
    examples = random_examples(3, 40)
    model = trained(examples)
    state = whole_state(model)
    result = forget(model, in_order(examples, []))
    assert (result.touched, result.n_steps, result.n_forget_seen) == ((), 0, 0)
    assert whole_state(model) == state
