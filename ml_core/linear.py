"""Exact integer moments of integer features. Pure functions, no state.

Float64 represents every integer up to 2^53. Features quantised to integers 0 <= q <= 2^b - 1 make every partial
sum of X'X an integer of at most n (2^b - 1)^2, so below 2^53 a float64 matrix product is exact whatever the order,
the blocking or the use of fused multiply-add. Moments can then be added to and subtracted from without a trace.

Reference: arXiv 2505.12239 (analytic continual unlearning: the recursion this replaces).
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch
from torch import Tensor

from ml_core.errors import NumericalError

EXACT_LIMIT = 2**53
#: Standard deviation of an int8 drawn uniformly from its 256 values.
INT8_DEVIATION = math.sqrt((256**2 - 1) / 12)
#: Rows expanded at once: bounds peak memory at CHUNK * width * 8 bytes beside the result.
CHUNK = 8192


def largest(n_bits: int) -> int:
    """The largest quantised value, 2^n_bits - 1."""
    return int(2**n_bits - 1)


def quantise(features: Tensor, low: float, high: float, n_bits: int) -> Tensor:
    """Map [low, high] linearly onto the integers 0 .. 2^n_bits - 1, halves up; values outside saturate.

    features: [N, D] floating point. Returns [N, D] integer-valued float64. Each element depends on that element
    alone, by IEEE 754 operations that round correctly, so the result does not vary with hardware or batch.
    """
    fraction = (features.to(torch.float64).clamp(low, high) - low) / (high - low)
    return torch.floor(fraction * largest(n_bits) + 0.5)  # [N, D]


def projection(n_features: int, width: int, device: torch.device) -> Tensor:
    """A fixed pseudo-random matrix of integers in -128 .. 127. Returns [D, W] float64.

    Drawn from SHAKE-256 of the shape, so it is the same for every library version, device and seed.
    """
    tag = f"expunge/linear/projection/v1/{n_features}/{width}".encode()
    drawn = np.frombuffer(hashlib.shake_256(tag).digest(n_features * width), dtype=np.int8)
    return torch.from_numpy(drawn.astype(np.float64).reshape(n_features, width)).to(device)  # [D, W]


def expansion_shift(n_features: int) -> int:
    """Bits dropped after the projection, so that an all-maximal record spreads over the output range.

    Its outputs then have a standard deviation between half the range and the whole; ordinary records, with a smaller
    norm, seldom saturate. Depends on the shape alone, never on data: a scale fitted to data would carry traces of
    deleted records.
    """
    return max(0, math.ceil(math.log2(INT8_DEVIATION * math.sqrt(n_features))))


def expand(quantised: Tensor, matrix: Tensor, n_bits: int) -> Tensor:
    """min(floor(relu(q P) / 2^s), 2^b - 1) in exact integer arithmetic, s = ``expansion_shift``.

    quantised: [N, D] integers in 0 .. 2^b - 1. matrix: [D, W] integers in -128 .. 127. Returns [N, W] integers in
    0 .. 2^b - 1, all as float64. Raises NumericalError when a sum could reach 2^53.
    """
    n_features, width = matrix.shape
    if n_features * 128 * largest(n_bits) >= EXACT_LIMIT:
        raise NumericalError(f"{n_features} features of {n_bits} bits may sum to 2^53; use fewer features or bits")
    divisor = float(2 ** expansion_shift(n_features))
    expanded = torch.empty(len(quantised), width, dtype=torch.float64, device=quantised.device)  # [N, W]
    for start in range(0, len(quantised), CHUNK):
        projected = quantised[start : start + CHUNK] @ matrix  # [CHUNK, W]
        expanded[start : start + CHUNK] = torch.floor(projected.clamp_min(0) / divisor).clamp_max(largest(n_bits))
    # 0 * -5 is -0, which relu keeps; equal numbers must have equal bytes. -0 + 0 is +0, all else stays.
    return expanded.add_(0.0)


def require_headroom(n_records: int, n_bits: int) -> None:
    """Raise NumericalError when n (2^b - 1)^2 reaches 2^53, beyond which float64 sums may round."""
    if n_records * largest(n_bits) ** 2 >= EXACT_LIMIT:
        limit = (EXACT_LIMIT - 1) // largest(n_bits) ** 2
        raise NumericalError(
            f"{n_records} records of {n_bits} bits leave no headroom below 2^53; at {n_bits} bits at most {limit} "
            "records keep the moments exact: use fewer bits"
        )


def exact_moments(expanded: Tensor, labels: Tensor, n_classes: int, n_bits: int) -> tuple[Tensor, Tensor]:
    """Gram X'X and cross moments X'Y for one-hot Y, exactly.

    expanded: [N, W] integers in 0 .. 2^b - 1. labels: [N] int64 in 0 .. C-1. Returns [W, W] and [W, C] float64.
    Raises NumericalError when the sums could reach 2^53.
    """
    require_headroom(len(expanded), n_bits)
    gram = expanded.T @ expanded  # [W, W]
    moments = torch.zeros(n_classes, expanded.shape[1], dtype=torch.float64, device=expanded.device)
    moments.index_add_(0, labels, expanded)  # [C, W]; integers, so the order of addition is immaterial
    return gram, moments.T.contiguous()  # [W, W], [W, C]
