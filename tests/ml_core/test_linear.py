"""Exact integer arithmetic against plain Python integers."""

import hashlib
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ml_core import linear
from ml_core.errors import NumericalError

Matrix = list[list[int]]


def matrices(low: int, high: int, n_columns: int) -> st.SearchStrategy[Matrix]:
    row = st.lists(st.integers(low, high), min_size=n_columns, max_size=n_columns)
    return st.lists(row, min_size=1, max_size=6)


def tensor(matrix: Matrix) -> Tensor:
    return torch.tensor(matrix, dtype=torch.float64)


def has_negative_zero(found: Tensor) -> bool:
    return bool((torch.signbit(found) & (found == 0)).any())


# Refusals.


@pytest.mark.parametrize("n_bits", [1, 8, 11, 16])
def test_more_records_than_stay_exact_are_refused(n_bits: int) -> None:
    most = (2**53 - 1) // (2**n_bits - 1) ** 2
    linear.require_headroom(most, n_bits)
    with pytest.raises(NumericalError, match=f"at most {most} records"):
        linear.require_headroom(most + 1, n_bits)


def test_more_features_than_stay_exact_are_refused() -> None:
    # An expanded tensor of zero stride stands for a matrix of 2^30 rows, which would not fit here.
    most = 2**53 // (128 * 65535)
    matrix = torch.zeros(1, 1, dtype=torch.float64).expand(most + 1, 1)
    with pytest.raises(NumericalError, match="may sum to 2\\^53"):
        linear.expand(torch.zeros(1, 1, dtype=torch.float64), matrix, 16)


# Integer features.


@given(
    values=st.lists(st.floats(-3, 3), min_size=1, max_size=8),
    low=st.sampled_from([-1.0, 0.0, 0.25]),
    high=st.sampled_from([0.5, 1.0, 2.0]),
    n_bits=st.integers(1, 16),
)
def test_quantising_maps_the_range_linearly_onto_the_integers(
    values: list[float], low: float, high: float, n_bits: int
) -> None:
    found = linear.quantise(tensor([values]), low, high, n_bits)[0].tolist()  # type: ignore[list-item]
    top = 2**n_bits - 1
    for value, level in zip(values, found, strict=True):
        share = (Fraction(min(max(value, low), high)) - Fraction(low)) / (Fraction(high) - Fraction(low))
        assert level == int(level)
        assert 0 <= level <= top
        # Half a level, and the rounding of a double beside it.
        assert abs(Fraction(level) - share * top) <= Fraction(1, 2) + Fraction(1, 2**30)


@pytest.mark.parametrize(
    ("value", "level"),
    [(-0.0, 0), (-5.0, 0), (0.1, 0), (0.5, 2), (0.5 - 1e-9, 1), (1.0, 3), (7.0, 3)],
)
def test_halves_go_up_and_what_is_outside_saturates(value: float, level: int) -> None:
    found = linear.quantise(torch.tensor([[value]], dtype=torch.float64), 0.0, 1.0, 2)
    assert found.tolist() == [[level]]
    assert not has_negative_zero(found)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_narrower_floats_are_quantised_as_the_numbers_that_they_hold(dtype: torch.dtype) -> None:
    features = torch.rand(4, 3, generator=torch.Generator().manual_seed(0)).to(dtype)
    assert torch.equal(linear.quantise(features, 0, 1, 8), linear.quantise(features.double(), 0, 1, 8))


def test_the_projection_is_the_same_for_ever() -> None:
    """Models stored by one release are served by the next: the matrix of a shape must never change."""
    found = linear.projection(3, 4, torch.device("cpu"))
    drawn = hashlib.shake_256(b"expunge/linear/projection/v1/3/4").digest(12)
    signed = [byte - 256 if byte > 127 else byte for byte in drawn]
    assert found.tolist() == [signed[0:4], signed[4:8], signed[8:12]]
    assert found[0].tolist() == [40, -41, -15, -24]
    assert found.dtype == torch.float64


def test_another_shape_has_another_projection() -> None:
    device = torch.device("cpu")
    assert not torch.equal(linear.projection(4, 3, device), linear.projection(3, 4, device).reshape(4, 3))


@settings(deadline=None)
@given(data=st.data(), n_features=st.integers(1, 4), n_bits=st.sampled_from([1, 3, 8, 16]), chunk=st.integers(1, 7))
def test_expanding_is_what_plain_integers_give_in_chunks_of_any_size(
    data: st.DataObject, n_features: int, n_bits: int, chunk: int
) -> None:
    top = 2**n_bits - 1
    records = data.draw(matrices(0, top, n_features))
    columns = data.draw(matrices(-128, 127, n_features))
    shift = linear.expansion_shift(n_features)
    slow = [
        [min(max(0, sum(a * b for a, b in zip(record, column, strict=True))) >> shift, top) for column in columns]
        for record in records
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear, "CHUNK", chunk)
        found = linear.expand(tensor(records), tensor(columns).T.contiguous(), n_bits)
    assert found.tolist() == slow
    assert not has_negative_zero(found)


@pytest.mark.parametrize(("sign", "level"), [(127, 255), (-128, 0)])
def test_expanded_features_saturate_at_both_ends(sign: int, level: int) -> None:
    # Two brightest features with the largest factors: 2 * 255 * 127 / 2^7 = 506 is beyond 255.
    found = linear.expand(tensor([[255, 255]]), tensor([[sign], [sign]]), 8)
    assert found.tolist() == [[level]]


def test_a_record_expands_to_the_same_bytes_whatever_lies_beside_it() -> None:
    generator = torch.Generator().manual_seed(0)
    records = torch.randint(0, 256, (50, 9), generator=generator).double()
    matrix = linear.projection(9, 33, torch.device("cpu"))
    together = linear.expand(records, matrix, 8)
    alone = torch.cat([linear.expand(record.unsqueeze(0), matrix, 8) for record in records])
    assert together.numpy().tobytes() == alone.numpy().tobytes()


# Moments.


@settings(deadline=None)
@given(data=st.data(), n_bits=st.sampled_from([1, 8, 16]), width=st.integers(1, 4))
def test_moments_are_the_sums_that_plain_integers_give(data: st.DataObject, n_bits: int, width: int) -> None:
    records = data.draw(matrices(0, 2**n_bits - 1, width))
    labels = data.draw(st.lists(st.integers(0, 2), min_size=len(records), max_size=len(records)))
    gram, moments = linear.exact_moments(tensor(records), torch.tensor(labels), 3, n_bits)
    assert gram.tolist() == [[sum(row[i] * row[j] for row in records) for j in range(width)] for i in range(width)]
    assert moments.tolist() == [
        [sum(row[i] for row, label in zip(records, labels, strict=True) if label == c) for c in range(3)]
        for i in range(width)
    ]


def test_moments_stay_exact_up_to_the_last_integer_below_the_limit() -> None:
    """2^21 - 1 records of the largest 16-bit value: the sum is near 2^53 and odd, so rounding once would show."""
    n_records, top = 2**21 - 1, 65535
    gram, _ = linear.exact_moments(
        torch.full((n_records, 1), float(top)).double(), torch.zeros(n_records).long(), 1, 16
    )
    assert int(gram) == n_records * top**2
    assert n_records * top**2 > 2**52


def test_no_records_have_zero_moments() -> None:
    gram, moments = linear.exact_moments(torch.zeros(0, 3).double(), torch.zeros(0).long(), 2, 8)
    assert gram.tolist() == [[0.0] * 3] * 3
    assert moments.tolist() == [[0.0] * 2] * 3
