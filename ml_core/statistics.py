"""Area under the curve and its bootstrap, by person. Pure functions over scores; a larger score means "member"."""

from __future__ import annotations

import torch
from torch import Tensor

#: Pairs compared at once: bounds peak memory near 8 * PAIRS bytes.
PAIRS = 4_000_000


def auc(members: Tensor, others: Tensor) -> float:
    """P(member > other) + P(member = other) / 2 over all pairs (Mann-Whitney U / (n m); Hanley, McNeil 1982).

    members: [F], others: [H], both float64, finite, non-empty.
    """
    return float(pair_wins(members, others).sum()) / (len(members) * len(others))


def pair_wins(members: Tensor, others: Tensor) -> Tensor:
    """1 where member > other, 1/2 where equal, else 0. Returns [F, H] float64."""
    return (members[:, None] > others[None, :]).double() + 0.5 * (members[:, None] == others[None, :]).double()


def grouped_wins(members: Tensor, others: Tensor, member_groups: Tensor, other_groups: Tensor) -> Tensor:
    """``pair_wins`` summed over pairs of groups.

    members: [F], others: [H]. member_groups: [F] int64 in 0 .. P-1, other_groups: [H] int64 in 0 .. Q-1.
    Returns [P, Q] float64.
    """
    n_groups = int(member_groups.max()) + 1, int(other_groups.max()) + 1
    wins = torch.zeros(n_groups, dtype=torch.float64)
    chunk = max(1, PAIRS // len(others))
    for start in range(0, len(members), chunk):
        part = pair_wins(members[start : start + chunk], others)  # [chunk, H]
        columns = torch.zeros(len(part), n_groups[1], dtype=torch.float64).index_add_(1, other_groups, part)
        wins.index_add_(0, member_groups[start : start + chunk], columns)
    return wins


def resampled_counts(n_groups: int, n_replicates: int, generator: torch.Generator) -> Tensor:
    """How often each group is drawn when n_groups are drawn with replacement. Returns [B, n_groups] float64."""
    drawn = torch.randint(0, n_groups, (n_replicates, n_groups), generator=generator, device=generator.device).cpu()
    counts = torch.zeros(n_replicates, n_groups, dtype=torch.float64)
    return counts.scatter_add_(1, drawn, torch.ones_like(drawn, dtype=torch.float64))


def bootstrap_aucs(wins: Tensor, member_sizes: Tensor, other_sizes: Tensor, counts: tuple[Tensor, Tensor]) -> Tensor:
    """AUC in each replicate of a two-sample cluster bootstrap (Field, Welsh, JRSS-B 2007).

    wins: [P, Q] from ``grouped_wins``. member_sizes: [P], other_sizes: [Q], records per group, float64.
    counts: ([B, P], [B, Q]) from ``resampled_counts``; the same counts for two models give a paired comparison.
    Returns [B] float64.
    """
    member_counts, other_counts = counts
    won = ((member_counts @ wins) * other_counts).sum(dim=1)  # [B]
    return won / ((member_counts @ member_sizes) * (other_counts @ other_sizes))


def percentile_interval(replicates: Tensor, level: float) -> tuple[float, float]:
    """The central ``level`` of the replicates [B], by linear interpolation between order statistics."""
    tails = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = torch.quantile(replicates, tails).tolist()
    return low, high


def equivalence_p_value(replicates: Tensor, margin: float) -> float:
    """The larger of the two one-sided bootstrap p-values of |difference| >= margin (TOST; Schuirmann 1987).

    replicates: [B]. One is added above and below, so the value is never zero (Davison, Hinkley 1997, section 4.2).
    """
    n_replicates = len(replicates)
    upper = (1 + int((replicates >= margin).sum())) / (n_replicates + 1)
    lower = (1 + int((replicates <= -margin).sum())) / (n_replicates + 1)
    return max(upper, lower)
