"""The residual of a linear system in twice the working precision, from exact products of slices.

A product of two integers of b bits, summed over d terms, stays an integer below 2^53 while 2 b + log2 d <= 53: a float64
matrix product of such integers is exact, in whatever order it sums. So both factors are cut into slices of b bits, and
the slices are multiplied apart; what the slices do not hold, and the products too small to matter, are bounded.

Reference: Ozaki, Ogita, Oishi, Rump, "Error-free transformations of matrix multiplication by using fast routines of
matrix multiplication", Numerical Algorithms 59, 2012. Sums: Knuth's two-sum; Dekker's product.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

UNIT = torch.finfo(torch.float64).eps / 2
#: Four of at most 25 bits leave out less than a float64 sum of float64 sums would round.
N_SLICES = 4
_SPLITTER = 2.0**27 + 1


@dataclass(frozen=True, kw_only=True)
class Residual:
    """values: [W, C] float64, C - (A + ridge I) W as rounded to float64. bound: at least |values - true|, [W, C]."""

    values: Tensor
    bound: Tensor


@dataclass(frozen=True, kw_only=True)
class _Sliced:
    """Whole numbers of at most n_bits bits each: the matrix is scale * sum of slices[t] * 2^(-n_bits (t + 1)), and a rest.

    scale: powers of two, one of each row (or column). No slice that is zero throughout is kept.
    """

    slices: list[Tensor]
    scale: Tensor
    n_bits: int


def residual(gram: Tensor, ridge: float, moments: Tensor, weight: Tensor) -> Residual:
    """C - (A + ridge I) W. gram: [W, W]; moments, weight: [W, C]; float64, finite. Magnitudes between 1e-140 and 1e140."""
    n_bits = (53 - math.ceil(math.log2(max(len(gram), 2)))) // 2
    left, right = _sliced(gram, n_bits, dim=1), _sliced(weight, n_bits, dim=0)
    total = _Sum(moments)
    for t, left_slice in enumerate(left.slices):
        # Those of one size together: what lies below all that is kept is bounded instead.
        for s, right_slice in enumerate(right.slices[: N_SLICES - t]):
            exponent = 2.0 ** (-n_bits * (t + s + 2))
            total.subtract((left_slice @ right_slice) * (left.scale * exponent) * right.scale)
    total.subtract_product(ridge, weight)
    # In units of the scales, what is left over of A and of W is at most 2^(-n_bits N) / 2 in each entry, and each of the
    # N (N - 1) / 2 dropped products at most a quarter of 2^(-n_bits N); N + 2 is more than their sum.
    dropped = (N_SLICES + 2) * len(gram) * 2.0 ** (-n_bits * N_SLICES) * left.scale * right.scale
    return Residual(values=total.high + total.low, bound=dropped + total.rounding())


def _sliced(matrix: Tensor, n_bits: int, dim: int) -> _Sliced:
    largest = matrix.abs().amax(dim=dim, keepdim=True)
    _, exponent = torch.frexp(largest)
    scale = torch.ldexp(torch.ones_like(largest), exponent)
    rest, slices = matrix / scale, []  # exact: a power of two; now below 1
    for t in range(N_SLICES):
        whole = torch.round(torch.ldexp(rest, torch.tensor(n_bits * (t + 1))))
        # Exact: what is left is a multiple of the last bit of `rest`, and smaller.
        rest = rest - torch.ldexp(whole, torch.tensor(-n_bits * (t + 1)))
        slices.append(whole)
        if not bool(rest.any()):
            break
    # Nothing is missing of a row of zeros.
    return _Sliced(slices=slices, scale=torch.where(largest == 0, 0.0, scale), n_bits=n_bits)


class _Sum:
    """A sum kept as two float64 numbers, and a bound on what rounding took from it."""

    def __init__(self, start: Tensor):
        self.high, self.low = start.clone(), torch.zeros_like(start)
        self._magnitude, self._n_terms = start.abs(), 1

    def subtract(self, term: Tensor) -> None:
        """Two-sum: the error of adding to the high part is exact, and goes into the low part."""
        term = -term
        high = self.high + term
        virtual = high - self.high
        error = (self.high - (high - virtual)) + (term - virtual)
        self.high, self.low = high, self.low + error
        self._magnitude, self._n_terms = self._magnitude + term.abs(), self._n_terms + 1

    def subtract_product(self, factor: float, matrix: Tensor) -> None:
        """Dekker's product: the rounded product and its exact error."""
        product = factor * matrix
        factor_high, factor_low = _halves(torch.tensor(factor, dtype=matrix.dtype, device=matrix.device))
        matrix_high, matrix_low = _halves(matrix)
        error = factor_low * matrix_low - (
            ((product - factor_high * matrix_high) - factor_low * matrix_high) - factor_high * matrix_low
        )
        self.subtract(product)
        self.subtract(error)

    def rounding(self) -> Tensor:
        """The low parts are summed with errors of second order, and the two parts are rounded into one at the end."""
        return 2 * UNIT * (self.high + self.low).abs() + 8 * self._n_terms**2 * UNIT**2 * self._magnitude


def _halves(number: Tensor) -> tuple[Tensor, Tensor]:
    product = _SPLITTER * number
    high = product - (product - number)
    return high, number - high
