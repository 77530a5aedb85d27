"""Area under the curve and its bootstrap, against twins that do it the long way."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]
from torch import Tensor

from ml_core import statistics

#: Few distinct values, so that ties are common.
SCORES = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)


def tensor(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def slow_auc(members: list[float], others: list[float]) -> float:
    wins = [1.0 if member > other else 0.5 if member == other else 0.0 for member in members for other in others]
    return sum(wins) / len(wins)


@st.composite
def grouped_scores(draw: st.DrawFn) -> tuple[list[float], list[int]]:
    """Scores, and for each the number of its group; groups are numbered without gaps."""
    scores = draw(SCORES)
    groups = draw(st.lists(st.integers(0, 3), min_size=len(scores), max_size=len(scores)))
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    return scores, [numbers[group] for group in groups]


@given(members=SCORES, others=SCORES)
def test_auc_is_the_share_of_pairs_won(members: list[float], others: list[float]) -> None:
    found = statistics.auc(tensor(members), tensor(others))
    assert found == pytest.approx(slow_auc(members, others), abs=1e-12)
    u = stats.mannwhitneyu(members, others).statistic
    assert found == pytest.approx(float(u) / (len(members) * len(others)), abs=1e-12)


@given(members=SCORES, others=SCORES)
def test_auc_does_not_change_under_an_increasing_map_and_mirrors_under_negation(
    members: list[float], others: list[float]
) -> None:
    found = statistics.auc(tensor(members), tensor(others))
    assert statistics.auc(tensor(members).exp(), tensor(others).exp()) == found
    assert statistics.auc(-tensor(members), -tensor(others)) == pytest.approx(1 - found, abs=1e-12)


@settings(deadline=None)
@given(members=grouped_scores(), others=grouped_scores(), pairs=st.integers(1, 30))
def test_wins_of_groups_are_sums_over_their_pairs_in_chunks_of_any_size(
    members: tuple[list[float], list[int]], others: tuple[list[float], list[int]], pairs: int
) -> None:
    slow = np.zeros((max(members[1]) + 1, max(others[1]) + 1))
    for member, row in zip(*members, strict=True):
        for other, column in zip(*others, strict=True):
            slow[row, column] += slow_auc([member], [other])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "PAIRS", pairs)
        found = statistics.grouped_wins(
            tensor(members[0]), tensor(others[0]), torch.tensor(members[1]), torch.tensor(others[1])
        )
    assert found.tolist() == slow.tolist()


@settings(deadline=None)
@given(members=grouped_scores(), others=grouped_scores(), seed=st.integers(0, 2**32))
def test_a_replicate_is_the_auc_of_the_groups_drawn(
    members: tuple[list[float], list[int]], others: tuple[list[float], list[int]], seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    groups = torch.tensor(members[1]), torch.tensor(others[1])
    sizes = torch.bincount(groups[0]).double(), torch.bincount(groups[1]).double()
    counts = tuple(statistics.resampled_counts(len(side), 4, generator) for side in sizes)
    wins = statistics.grouped_wins(tensor(members[0]), tensor(others[0]), *groups)
    found = statistics.bootstrap_aucs(wins, *sizes, (counts[0], counts[1]))
    for replicate in range(4):
        drawn = [
            [score for score, group in zip(*side, strict=True) for _ in range(int(side_counts[replicate, group]))]
            for side, side_counts in zip((members, others), counts, strict=True)
        ]
        assert float(found[replicate]) == pytest.approx(slow_auc(drawn[0], drawn[1]), abs=1e-12)


def test_each_group_counted_once_gives_the_auc_itself() -> None:
    members, others = tensor([0.3, 0.9, 0.5]), tensor([0.1, 0.5])
    wins = statistics.grouped_wins(members, others, torch.arange(3), torch.arange(2))
    ones = torch.ones(1, 3, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64)
    found = statistics.bootstrap_aucs(wins, ones[0][0], ones[1][0], ones)
    assert float(found) == pytest.approx(statistics.auc(members, others))


@given(n_groups=st.integers(1, 9), seed=st.integers(0, 2**32))
def test_a_resample_draws_as_many_groups_as_there_are(n_groups: int, seed: int) -> None:
    counts = statistics.resampled_counts(n_groups, 7, torch.Generator().manual_seed(seed))
    assert counts.shape == (7, n_groups)
    assert counts.sum(dim=1).tolist() == [n_groups] * 7
    again = statistics.resampled_counts(n_groups, 7, torch.Generator().manual_seed(seed))
    assert torch.equal(counts, again)


def test_every_group_is_drawn_equally_often() -> None:
    counts = statistics.resampled_counts(5, 20_000, torch.Generator().manual_seed(1))
    # Each total is Binomial(100 000, 1/5): mean 20 000, standard deviation 126.
    assert counts.sum(dim=0).tolist() == pytest.approx([20_000] * 5, abs=5 * 126.5)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), level=st.floats(0.5, 0.999))
def test_the_interval_is_made_of_the_quantiles_that_numpy_finds(values: list[float], level: float) -> None:
    tails = [(1 - level) / 2, (1 + level) / 2]
    wanted = np.quantile(np.array(values), tails)
    found = statistics.percentile_interval(tensor(values), level)
    assert found == pytest.approx(tuple(wanted), rel=1e-9, abs=1e-6)


@given(values=st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=30), margin=st.integers(1, 3))
def test_the_p_value_is_the_larger_share_of_replicates_at_or_beyond_a_margin(values: list[float], margin: int) -> None:
    beyond = [1, 1]
    for value in values:
        beyond[0] += value >= margin
        beyond[1] += value <= -margin
    assert statistics.equivalence_p_value(tensor(values), margin) == max(beyond) / (len(values) + 1)


def test_the_p_value_is_never_zero_and_never_above_one() -> None:
    assert statistics.equivalence_p_value(torch.zeros(99, dtype=torch.float64), 0.1) == 0.01
    assert statistics.equivalence_p_value(torch.ones(99, dtype=torch.float64), 0.1) == 1.0
