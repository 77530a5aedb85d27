"""Who is in a model: no stranger, nobody twice, nobody under other contents; and no record can be read from it."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ml_core.contract import Examples
from ml_core.errors import AlreadyDeletedError, ArtifactError, NeverTrainedError, UnlearningError
from ml_core.linear import quantise
from ml_core.membership import Membership, draw_key, enrol, locate, without
from tests.ml_core.datasets import changed, in_order, random_examples

KEY = draw_key(torch.Generator().manual_seed(4))
EXAMPLES = random_examples(1, 20)


def levels(examples: Examples) -> Tensor:
    return quantise(examples.features, 0.0, 1.0, 8)


def enrolled(examples: Examples = EXAMPLES, key: Tensor = KEY) -> Membership:
    return enrol(key, examples, levels(examples))


def found(membership: Membership, examples: Examples) -> list[int]:
    return locate(membership, examples, levels(examples))


# Refusals.


def other_labels(examples: Examples) -> Examples:
    return changed(examples, labels=(examples.labels + 1) % 3)


def other_features(examples: Examples) -> Examples:
    return changed(examples, features=1 - examples.features)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        pytest.param(random_examples(1, 3, prefix="x"), "3 of 3 records were never", id="strangers"),
        pytest.param(random_examples(1, 22), "2 of 22 records were never", id="two strangers among members"),
        pytest.param(other_labels(in_order(EXAMPLES, [4, 5])), "2 of 2 records have features or a label", id="labels"),
        pytest.param(other_features(in_order(EXAMPLES, [4])), "1 of 1 records have features", id="features"),
    ],
)
def test_it_refuses_what_was_never_trained(records: Examples, message: str) -> None:
    with pytest.raises(NeverTrainedError, match=message):
        found(enrolled(), records)


def test_it_refuses_what_was_deleted_before() -> None:
    membership = without(enrolled(), found(enrolled(), in_order(EXAMPLES, [3, 4])))
    with pytest.raises(AlreadyDeletedError, match="1 of 2 records"):
        found(membership, in_order(EXAMPLES, [4, 9]))


def test_a_deleted_record_under_other_contents_is_still_a_deleted_record() -> None:
    membership = without(enrolled(), found(enrolled(), in_order(EXAMPLES, [3])))
    with pytest.raises(AlreadyDeletedError):
        found(membership, other_labels(in_order(EXAMPLES, [3])))


def test_another_model_does_not_recognise_the_records() -> None:
    membership = enrolled()
    other = Membership(
        key=draw_key(torch.Generator().manual_seed(5)),
        record_digests=membership.record_digests,
        content_digests=membership.content_digests,
        deleted=membership.deleted,
    )
    with pytest.raises(NeverTrainedError):
        found(other, in_order(EXAMPLES, [0]))


def swapped(rows: Tensor) -> Tensor:
    return rows.flip(0)


def repeated(rows: Tensor) -> Tensor:
    return rows[[0, 0, *range(2, len(rows))]]


@pytest.mark.parametrize("spoil", [swapped, repeated])
def test_it_refuses_a_stored_state_out_of_order(spoil: object) -> None:
    sound = enrolled()
    assert callable(spoil)
    with pytest.raises(ArtifactError, match="strictly increasing"):
        Membership(
            key=KEY,
            record_digests=spoil(sound.record_digests),
            content_digests=sound.content_digests,
            deleted=sound.deleted,
        )


def test_it_refuses_a_stored_flag_that_is_neither_zero_nor_one() -> None:
    sound = enrolled()
    with pytest.raises(ArtifactError, match="0 or 1"):
        Membership(
            key=KEY,
            record_digests=sound.record_digests,
            content_digests=sound.content_digests,
            deleted=sound.deleted + 2,
        )


# What holds.


def same(first: Membership, second: Membership) -> bool:
    return all(
        torch.equal(getattr(first, name), getattr(second, name))
        for name in ("key", "record_digests", "content_digests", "deleted")
    )


@settings(deadline=None)
@given(order=st.permutations(range(20)))
def test_the_state_does_not_depend_on_the_order_of_training(order: Sequence[int]) -> None:
    assert same(enrolled(in_order(EXAMPLES, order)), enrolled())


@settings(deadline=None)
@given(order=st.permutations(range(20)), n_deleted=st.integers(0, 20))
def test_it_counts_and_remembers_like_a_set(order: Sequence[int], n_deleted: int) -> None:
    membership, held = enrolled(), set(range(20))
    for number in order[:n_deleted]:
        record = in_order(EXAMPLES, [number])
        membership = without(membership, found(membership, record))
        held.remove(number)
    assert membership.n_held == len(held)
    for number in range(20):
        record = in_order(EXAMPLES, [number])
        if number in held:
            assert len(found(membership, record)) == 1
        else:
            with pytest.raises(AlreadyDeletedError):
                found(membership, record)


def test_rows_come_back_in_the_order_asked_for() -> None:
    membership = enrolled()
    rows = [found(membership, in_order(EXAMPLES, [number]))[0] for number in (7, 2, 11)]
    assert found(membership, in_order(EXAMPLES, [7, 2, 11])) == rows
    assert sorted(found(membership, EXAMPLES)) == list(range(20))


def test_deletion_wipes_the_contents_and_leaves_the_original_alone() -> None:
    membership = enrolled()
    rows = found(membership, in_order(EXAMPLES, [5]))
    smaller = without(membership, rows)
    assert not bool(smaller.content_digests[rows].any())
    assert torch.equal(smaller.record_digests, membership.record_digests)
    assert same(membership, enrolled())


def test_a_change_below_one_level_of_quantisation_is_no_change() -> None:
    record = in_order(EXAMPLES, [5])
    exact = changed(record, features=levels(record) / 255)
    assert found(enrolled(), exact) == found(enrolled(), record)


def test_digests_of_one_record_differ_between_models_and_between_purposes() -> None:
    first, second = enrolled(), enrolled(key=draw_key(torch.Generator().manual_seed(5)))
    rows = {row.tobytes() for state in (first, second) for row in state.record_digests.numpy()}
    rows |= {row.tobytes() for state in (first, second) for row in state.content_digests.numpy()}
    assert len(rows) == 4 * 20


def test_equal_contents_of_two_records_have_unlike_digests() -> None:
    twins = Examples(
        features=torch.full((2, 3), 0.5),
        labels=torch.zeros(2, dtype=torch.int64),
        record_ids=("a", "b"),
        person_ids=("p", "q"),
    )
    contents = enrolled(twins).content_digests
    assert not torch.equal(contents[0], contents[1])


def test_nobody_is_a_member_of_a_model_trained_on_nothing() -> None:
    empty = enrolled(in_order(EXAMPLES, []))
    assert empty.n_held == 0
    assert found(empty, in_order(EXAMPLES, [])) == []
    with pytest.raises(NeverTrainedError):
        found(empty, in_order(EXAMPLES, [0]))


def test_messages_name_nobody() -> None:
    membership = without(enrolled(), found(enrolled(), in_order(EXAMPLES, [3])))
    for records in (random_examples(1, 3, prefix="x"), in_order(EXAMPLES, [3]), other_labels(in_order(EXAMPLES, [4]))):
        with pytest.raises(UnlearningError) as refused:
            found(membership, records)
        assert not any(f" {name}" in str(refused.value) for name in (*records.record_ids, *records.person_ids))
