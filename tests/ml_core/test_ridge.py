"""A ridge head against fractions, and its certificate against the true error and the true smallest eigenvalue."""

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ml_core import linear
from ml_core.errors import NumericalError
from ml_core.ridge import solve_ridge
from tests.ml_core.test_linear import matrices, tensor

Matrix = list[list[int]]

# Refusals.


@pytest.mark.parametrize(
    ("gram", "moments", "message"),
    [
        pytest.param([[1, 3], [3, 1]], [[1], [1]], "not positive definite", id="indefinite"),
        pytest.param([[-5, 0], [0, 1]], [[1], [1]], "not positive definite", id="negative diagonal"),
        pytest.param([[1e308, 0], [0, 1e308]], [[math.inf], [0]], "not finite", id="infinite moments"),
        pytest.param([[math.nan, 0], [0, 1]], [[1], [1]], "not positive definite|not finite", id="not a number"),
    ],
)
def test_moments_that_are_none_are_refused(gram: list[list[float]], moments: list[list[float]], message: str) -> None:
    with pytest.raises(NumericalError, match=message):
        solve_ridge(torch.tensor(gram).double(), torch.tensor(moments).double(), 0.5)


# Solutions.


def exact_solution(system: Matrix, right: list[int], ridge: Fraction) -> list[Fraction]:
    """Gauss-Jordan elimination in fractions."""
    n = len(system)
    rows = [
        [Fraction(system[i][j]) + (ridge if i == j else 0) for j in range(n)] + [Fraction(right[i])] for i in range(n)
    ]
    for pivot in range(n):
        rows[pivot] = [value / rows[pivot][pivot] for value in rows[pivot]]
        for other in range(n):
            if other != pivot:
                factor = rows[other][pivot]
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[pivot], strict=True)]
    return [row[n] for row in rows]


@settings(deadline=None, max_examples=60)
@given(data=st.data(), width=st.integers(1, 4), ridge=st.sampled_from([0.125, 1.0, 4096.0]))
def test_the_error_of_the_weight_is_within_its_bound(data: st.DataObject, width: int, ridge: float) -> None:
    records = data.draw(matrices(0, 255, width))
    labels = data.draw(st.lists(st.integers(0, 1), min_size=len(records), max_size=len(records)))
    gram, moments = linear.exact_moments(tensor(records), torch.tensor(labels), 2, 8)
    solution = solve_ridge(gram, moments, ridge)
    whole = [[int(value) for value in row] for row in gram.tolist()]
    squares = Fraction(0)
    for c in range(2):
        wanted = exact_solution(whole, [int(value) for value in moments[:, c]], Fraction(ridge))
        squares += sum((Fraction(float(solution.weight[i, c])) - wanted[i]) ** 2 for i in range(width))
    error, size = math.sqrt(squares), float(torch.linalg.matrix_norm(solution.weight))
    assert error <= solution.error_bound
    assert error <= 1e-9 * max(size, 1e-12) + 1e-18


@settings(deadline=None, max_examples=60)
@given(data=st.data(), width=st.integers(1, 5), ridge=st.sampled_from([1e-6, 1.0, 4096.0]))
def test_the_smallest_eigenvalue_is_never_overestimated_and_seldom_by_far_too_small(
    data: st.DataObject, width: int, ridge: float
) -> None:
    records = tensor(data.draw(matrices(0, 255, width)))
    gram, moments = linear.exact_moments(records, torch.zeros(len(records)).long(), 1, 8)
    found = solve_ridge(gram, moments, ridge).smallest_eigenvalue
    assert found >= ridge
    assert not has_eigenvalue_below(gram, ridge, Fraction(found))
    # Where rounding leaves it to be seen at all.
    if not has_eigenvalue_below(gram, ridge, Fraction(float(gram.trace())) / 10**9):
        assert has_eigenvalue_below(gram, ridge, Fraction(found) * 5 / 2)


def has_eigenvalue_below(gram: Tensor, ridge: float, bound: Fraction) -> bool:
    """Sylvester's law of inertia, in fractions: whether elimination meets a negative pivot in A + (ridge - bound) I."""
    rows = [[Fraction(value) for value in row] for row in gram.tolist()]
    for i, row in enumerate(rows):
        row[i] += Fraction(ridge) - bound
    while rows:
        pivot, *others = rows
        if pivot[0] < 0:
            return True
        # A zero on the diagonal with something beside it belongs to a pair of eigenvalues of both signs.
        if pivot[0] == 0 and any(pivot[1:]):
            return True
        factors = [row[0] / pivot[0] if row[0] else Fraction(0) for row in others]
        rows = [
            [value - factor * of_pivot for value, of_pivot in zip(row[1:], pivot[1:], strict=True)]
            for row, factor in zip(others, factors, strict=True)
        ]
    return False


@pytest.mark.parametrize("n_records", [40, 400])
@pytest.mark.parametrize("ridge", [1e-3, 6.5, 6.5e3])
def test_the_certificate_is_within_a_hundred_times_of_the_true_error(n_records: int, ridge: float) -> None:
    """Also with fewer records than features, where the smallest eigenvalue is the ridge itself."""
    generator = torch.Generator().manual_seed(3)
    features = torch.randint(0, 256, (n_records, 96), generator=generator).double()
    gram, moments = linear.exact_moments(features, torch.randint(0, 5, (n_records,), generator=generator), 5, 8)
    solution = solve_ridge(gram, moments, ridge)
    error = true_error(gram, moments, ridge, solution.weight)
    assert error <= solution.error_bound
    assert solution.error_bound <= 100 * max(error, 1e-16 * float(torch.linalg.matrix_norm(solution.weight)))


def true_error(gram: Tensor, moments: Tensor, ridge: float, weight: Tensor) -> float:
    """||W - W*||_F, where W* is refined with residuals of 60 digits until it stands."""
    system = [[Fraction(value) for value in row] for row in gram.tolist()]
    for row, values in enumerate(system):
        values[row] += Fraction(ridge)
    factor = torch.linalg.cholesky(gram + ridge * torch.eye(len(gram), dtype=torch.float64))
    exact = [[Fraction(value) for value in row] for row in weight.tolist()]
    wanted = [[Fraction(value) for value in row] for row in moments.tolist()]
    for _ in range(4):
        residual = [
            [wanted[i][c] - sum(s * exact[k][c] for k, s in enumerate(system[i])) for c in range(len(wanted[0]))]
            for i in range(len(system))
        ]
        step = torch.cholesky_solve(
            torch.tensor([[float(value) for value in row] for row in residual]).double(), factor
        )
        exact = [
            [value + Fraction(change) for value, change in zip(row, changes, strict=True)]
            for row, changes in zip(exact, step.tolist(), strict=True)
        ]
    squares = sum(
        (Fraction(float(weight[i, c])) - value) ** 2 for i, row in enumerate(exact) for c, value in enumerate(row)
    )
    return math.sqrt(squares)


def test_the_bound_is_that_of_the_shift_where_the_ridge_is_far_below() -> None:
    gram = torch.diag(torch.tensor([100.0, 9.0, 900.0]).double())
    solution = solve_ridge(gram, torch.ones(3, 1).double(), 1.0)
    assert 9.4 < solution.smallest_eigenvalue <= 10.0
    assert solution.weight[:, 0].tolist() == pytest.approx([1 / 101, 1 / 10, 1 / 901])


def test_solving_leaves_its_input_alone() -> None:
    gram, moments = torch.eye(3).double(), torch.ones(3, 1).double()
    solve_ridge(gram, moments, 2.0)
    assert torch.equal(gram, torch.eye(3).double())
    assert torch.equal(moments, torch.ones(3, 1).double())
