"""A residual in twice the precision against fractions."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ml_core.precise import residual


def true_residual(gram: Tensor, ridge: float, moments: Tensor, weight: Tensor) -> list[list[Fraction]]:
    left, right = ([[Fraction(value) for value in row] for row in matrix.tolist()] for matrix in (gram, weight))
    return [
        [
            Fraction(float(moments[i, c]))
            - sum((left[i][k] * right[k][c] for k in range(len(right))), Fraction(ridge) * right[i][c])
            for c in range(len(right[0]))
        ]
        for i in range(len(left))
    ]


def assert_bounded(gram: Tensor, ridge: float, moments: Tensor, weight: Tensor) -> None:
    found = residual(gram, ridge, moments, weight)
    for i, row in enumerate(true_residual(gram, ridge, moments, weight)):
        for c, true in enumerate(row):
            assert abs(Fraction(float(found.values[i, c])) - true) <= Fraction(float(found.bound[i, c]))


numbers = st.floats(-1e12, 1e12, allow_subnormal=False).filter(lambda value: value == 0 or abs(value) > 1e-30)


@settings(deadline=None, max_examples=80)
@given(data=st.data(), width=st.integers(1, 5), n_classes=st.integers(1, 3), ridge=st.floats(1e-9, 1e9))
def test_the_error_is_within_its_bound_whatever_the_numbers(
    data: st.DataObject, width: int, n_classes: int, ridge: float
) -> None:
    def matrix(n_rows: int, n_columns: int) -> Tensor:
        size = n_rows * n_columns
        drawn = data.draw(st.lists(numbers, min_size=size, max_size=size))
        return torch.tensor(drawn, dtype=torch.float64).reshape(n_rows, n_columns)

    assert_bounded(matrix(width, width), ridge, matrix(width, n_classes), matrix(width, n_classes))


@pytest.mark.parametrize("width", [1, 2, 3, 64, 65, 200])
def test_the_bound_is_near_the_last_bit_of_a_residual_that_cancels(width: int) -> None:
    generator = torch.Generator().manual_seed(width)
    features = torch.randint(0, 256, (3 * width, width), generator=generator).double()
    gram, ridge = features.T @ features, 6502.5
    weight = torch.randn(width, 2, generator=generator, dtype=torch.float64)
    moments = gram @ weight + ridge * weight
    assert_bounded(gram, ridge, moments, weight)
    found = residual(gram, ridge, moments, weight)
    assert float((found.bound / moments.abs().amax()).max()) < 2e-17


def test_zeros_have_none() -> None:
    zeros = torch.zeros(3, 3, dtype=torch.float64)
    found = residual(zeros, 1.0, zeros, zeros)
    assert not found.values.any()
    assert not found.bound.any()
