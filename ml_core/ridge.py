"""A ridge head from its moments, with a certificate of how far it is from the exact solution. Pure functions, no state.

The weight W solves S W = C with S = A + ridge I. Let R = C - S W be its residual, and D any guess at the missing S^-1 R.
Then W* - W = D + S^-1 (R - S D), so

    ||W - W*||_F <= ||D||_F + ||R - S D||_F / smallest eigenvalue of S.

R is evaluated in twice the working precision, and everything else with the rounding of its own evaluation counted in:
the bound holds whatever solver made W and D. A record with head input x has logits within ||x||_2 ||W - W*||_F of the
exact ones.

References: Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, chapters 3 (sums), 10 (Cholesky) and
12 (refinement); Rump, "Verification of positive definiteness", BIT 46, 2006 (a lower bound from a factorisation).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ml_core import precise
from ml_core.errors import NumericalError
from ml_core.precise import UNIT

#: Of the estimate of the smallest eigenvalue: the shifts that are tried, tightest first.
SHIFTS = (0.95, 0.5, 0.1)


@dataclass(frozen=True, kw_only=True)
class RidgeSolution:
    """A solved ridge problem and what bounds its error.

    weight: [W, C] float64. residual_norm: at least ||(A + ridge I) W - C||_F. smallest_eigenvalue: at most that of
    A + ridge I. error_bound: at least ||W - W*||_F.
    """

    weight: Tensor
    residual_norm: float
    smallest_eigenvalue: float
    error_bound: float


def solve_ridge(gram: Tensor, moments: Tensor, ridge: float) -> RidgeSolution:
    """Solve (A + ridge I) W = C by Cholesky and one step of refinement with a precise residual, and certify the result.

    gram: [W, W] symmetric positive semi-definite float64. moments: [W, C] float64. ridge > 0.
    Raises NumericalError when A + ridge I is not positive definite (A is no Gram matrix) or W is not finite.
    """
    system = gram.clone()
    system.diagonal().add_(ridge)
    factor, failed_at = torch.linalg.cholesky_ex(system)  # [W, W]
    if int(failed_at) != 0:
        raise NumericalError("gram + ridge is not positive definite: the stored moments are damaged; restore them")
    weight = torch.cholesky_solve(moments, factor)  # [W, C]
    weight = weight + torch.cholesky_solve(precise.residual(gram, ridge, moments, weight).values, factor)
    left = precise.residual(gram, ridge, moments, weight)
    # A Gram matrix has no negative eigenvalue, so that of the sum is at least the ridge.
    smallest = max(ridge, _eigenvalue_bound(system, factor))
    error_bound = _error_bound(system, left, torch.cholesky_solve(left.values, factor), smallest)
    if not math.isfinite(error_bound):
        raise NumericalError("the ridge solution is not finite: increase the ridge")
    residual_norm = _norm_bound(left.values.abs() + left.bound)
    return RidgeSolution(
        weight=weight, residual_norm=residual_norm, smallest_eigenvalue=smallest, error_bound=error_bound
    )


def _error_bound(system: Tensor, left: precise.Residual, missing: Tensor, smallest: float) -> float:
    """||D||_F + ||R - S D||_F / smallest, with the most that R and the product may be off by.

    The product's rounding is gamma_n (|S| |D| + |R|) for n terms, with a few more for the ridge on the diagonal (Higham,
    section 3.5).
    """
    remaining = (left.values - system @ missing).abs() + left.bound
    hidden = _gamma(len(system) + 4) * (system.abs() @ missing.abs() + left.values.abs())
    return (_norm_bound(missing) + _norm_bound(remaining + hidden) / smallest) * (1 + 4 * UNIT)


def _norm_bound(matrix: Tensor) -> float:
    """At least the Frobenius norm."""
    return float(torch.linalg.matrix_norm(matrix)) * (1 + _gamma(matrix.numel() + 4))


def _eigenvalue_bound(system: Tensor, factor: Tensor) -> float:
    """At most the smallest eigenvalue of A + ridge I; minus infinity where no shift could be shown.

    When the Cholesky factorisation of S - shift I goes through in float64, the factored matrix differs from it by at
    most gamma_(n+1) |L| |L'|, whose norm is at most gamma_(n+1) / (1 - gamma_(n+1)) times the trace. So S has no
    eigenvalue below the shift less that, and less the rounding of the diagonal.
    """
    estimate = _smallest_eigenvalue(system, factor)
    rounding = 4 * UNIT * float(system.diagonal().abs().max())
    for share in SHIFTS:
        shifted = system.clone()
        shifted.diagonal().sub_(share * estimate)
        _, failed_at = torch.linalg.cholesky_ex(shifted)
        if int(failed_at) == 0:
            gamma = _gamma(len(system) + 1)
            trace = float(shifted.diagonal().sum()) * (1 + _gamma(len(system)))
            return share * estimate - gamma / (1 - gamma) * trace - rounding
    return -math.inf


def _smallest_eigenvalue(system: Tensor, factor: Tensor, n_iterations: int = 8) -> float:
    # A fixed start keeps the certificate deterministic; a Rayleigh quotient is never below the smallest eigenvalue.
    vector = torch.cos(torch.arange(len(system), dtype=torch.float64, device=system.device)).unsqueeze(1)  # [W, 1]
    for _ in range(n_iterations):
        vector = torch.cholesky_solve(vector, factor)
        vector = vector / torch.linalg.vector_norm(vector)
    return float((vector * (system @ vector)).sum())


def _gamma(n_roundings: int) -> float:
    """n u / (1 - n u): the relative error that n roundings can add up to (Higham, section 3.1)."""
    return n_roundings * UNIT / (1 - n_roundings * UNIT)
