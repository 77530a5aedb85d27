"""The loss attack on chosen losses: what it cannot judge it does not judge, and both ways of failing fail."""

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from ml_core.audits.mia_loss import Config, audit
from ml_core.contract import AuditData, Finding, Run, Verdict
from ml_core.errors import Cancelled
from tests.ml_core.audits.scored import AFTER, BEFORE, REFERENCE, normal, records, scene
from tests.ml_core.datasets import in_order, new_run

QUICK = Config(n_replicates=400)


def judged(data: AuditData, config: Config = QUICK, seed: int = 0) -> Finding:
    return audit.apply(BEFORE, AFTER, data, config, new_run(seed))


# What it cannot judge is inconclusive, without a number.


def without_a_reference(data: AuditData) -> AuditData:
    return dataclasses.replace(data, reference=None)


def with_nine_forget_records(data: AuditData) -> AuditData:
    return dataclasses.replace(data, forget=data.forget.subset(data.forget.record_ids[:9]))


def with_four_holdout_persons(data: AuditData) -> AuditData:
    return dataclasses.replace(data, holdout=data.holdout.subset(data.holdout.record_ids[:4]))


def with_no_forget_records(data: AuditData) -> AuditData:
    return dataclasses.replace(data, forget=data.forget.subset([]))


def with_no_holdout(data: AuditData) -> AuditData:
    return dataclasses.replace(data, holdout=data.holdout.subset([]))


def with_holdout_of_the_same_persons(data: AuditData) -> AuditData:
    holdout = dataclasses.replace(data.holdout, person_ids=data.forget.person_ids)
    return dataclasses.replace(data, holdout=holdout)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(without_a_reference, "no reference model", id="no reference"),
        pytest.param(with_nine_forget_records, "9 forget records, at least 10 needed", id="nine forget records"),
        pytest.param(with_four_holdout_persons, "4 persons in holdout, at least 5", id="four holdout persons"),
        pytest.param(with_no_forget_records, "0 forget records", id="no forget records"),
        pytest.param(with_no_holdout, "0 persons in holdout", id="no holdout"),
        pytest.param(with_holdout_of_the_same_persons, "60 persons are in both", id="persons in both sets"),
    ],
)
def test_it_is_inconclusive(spoil: Callable[[AuditData], AuditData], reason: str) -> None:
    for known_after in (0.0, 2.0):
        finding = judged(spoil(scene(known_after=known_after)))
        assert finding.verdict is Verdict.INCONCLUSIVE
        assert (finding.value, finding.interval, finding.p_value) == (None, None, None)
        assert any(reason in stated for stated in finding.reasons)


def test_it_names_every_reason() -> None:
    finding = judged(without_a_reference(with_no_holdout(with_no_forget_records(scene()))))
    assert len(finding.reasons) == 3


@pytest.mark.parametrize(("column", "name"), [(0, "before"), (1, "after"), (2, "reference")])
@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_losses_that_are_not_finite_are_inconclusive(column: int, name: str, loss: float) -> None:
    data = scene()
    # Examples refuse such features; a diverged model computes such losses from sound ones.
    data.forget.features[3, column] = loss
    finding = judged(data)
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.reasons == (f"losses of {name} are not finite",)


def test_without_power_it_does_not_pass() -> None:
    finding = judged(scene(known_before=0.0, n_forget=400, n_holdout=400))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "AUC of the model before" in finding.reasons[0]
    assert "might pass unchanged" in finding.reasons[1]


def test_a_before_that_is_no_worse_than_the_reference_does_not_let_after_pass() -> None:
    """The attack sees membership in all three models alike: strangers in holdout differ, and nothing was shown."""
    finding = judged(scene(known_before=1.0, known_after=1.0, known_by_reference=1.0, n_forget=400, n_holdout=400))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert len(finding.reasons) == 1
    assert "might pass unchanged" in finding.reasons[0]


@pytest.mark.parametrize("known_after", [pytest.param(0.4, id="above"), pytest.param(-0.4, id="below")])
def test_too_few_records_for_the_threshold_are_inconclusive(known_after: float) -> None:
    data = scene(known_before=3.0, known_after=known_after, n_forget=12, n_holdout=12)
    finding = judged(data, Config(threshold=0.15, n_replicates=400))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.reasons == ("the interval crosses the threshold: more records are needed",)
    assert finding.value is not None


def test_it_can_be_cancelled() -> None:
    run = Run(generator=torch.Generator(), is_cancelled=lambda: True)
    with pytest.raises(Cancelled):
        audit.apply(BEFORE, AFTER, scene(), QUICK, run)


# What it can judge.


def test_an_untouched_model_fails() -> None:
    finding = judged(scene(known_after=2.0))
    assert finding.verdict is Verdict.FAIL
    assert finding.value is not None
    assert finding.value > 0.3
    assert "too little forgotten" in finding.reasons[0]


def test_forgetting_too_much_fails_as_well() -> None:
    finding = judged(scene(known_after=-2.0))
    assert finding.verdict is Verdict.FAIL
    assert finding.value is not None
    assert finding.value < -0.3
    assert "too much forgotten" in finding.reasons[0]


def test_a_model_like_the_retrained_one_passes() -> None:
    finding = judged(scene(known_after=0.02))
    assert finding.verdict is Verdict.PASS
    assert finding.reasons == ()
    assert finding.p_value is not None
    assert finding.p_value < 0.05


def test_the_verdict_is_relative_to_retraining_and_not_to_one_half() -> None:
    """Strangers in holdout may lose more than forgotten people ever would; a retrained model shows the same gap."""
    finding = judged(scene(known_before=3.0, known_after=0.8, known_by_reference=0.8))
    assert finding.verdict is Verdict.PASS
    assert float(finding.details["auc_after"]) > 0.6


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**20), known_after=st.floats(-2, 2), n_forget=st.integers(10, 40))
def test_the_value_is_the_difference_of_two_mann_whitney_statistics(
    seed: int, known_after: float, n_forget: int
) -> None:
    data = scene(known_after=known_after, n_forget=n_forget, n_holdout=15, seed=seed)
    finding = judged(data, Config(n_replicates=200))
    pairs = n_forget * 15
    slow = [
        float(stats.mannwhitneyu(-data.forget.features[:, column], -data.holdout.features[:, column]).statistic) / pairs
        for column in range(3)
    ]
    assert finding.value == pytest.approx(slow[1] - slow[2], abs=1e-9)
    for name, auc in zip(("before", "after", "reference"), slow, strict=True):
        assert finding.details[f"auc_{name}"] == pytest.approx(auc, abs=1e-9)
        assert float(finding.details[f"auc_{name}_low"]) <= float(finding.details[f"auc_{name}_high"])


def test_persons_are_resampled_and_not_records() -> None:
    """Ten equal records of a person say no more than one: the interval must not shrink."""
    one_each = scene(known_after=0.3, n_forget=20, n_holdout=20)
    copied = [
        records(name, tuple(examples.features.repeat_interleave(10, dim=0).T), n_each=10)
        for name, examples in (("forget", one_each.forget), ("holdout", one_each.holdout))
    ]
    ten_each = dataclasses.replace(one_each, forget=copied[0], holdout=copied[1])
    single, repeated = judged(one_each), judged(ten_each)
    assert repeated.interval == pytest.approx(single.interval)
    assert (repeated.n["forget_records"], repeated.n["forget_persons"]) == (200, 20)


def test_one_person_is_judged_on_their_records_and_says_so() -> None:
    data = scene(n_forget=60, n_each=60, n_holdout=600)
    data = dataclasses.replace(data, holdout=records("holdout", tuple(normal(7, 60, 0.0) for _ in range(3)), n_each=1))
    finding = judged(data)
    assert finding.n["forget_persons"] == 1
    assert "one person" in finding.reasons[-1]
    assert finding.interval is not None


@settings(deadline=None, max_examples=15)
@given(order=st.permutations(range(60)))
def test_the_value_does_not_depend_on_the_order_of_the_records(order: list[int]) -> None:
    data = scene(known_after=0.5)
    shuffled = dataclasses.replace(data, forget=in_order(data.forget, order))
    assert judged(data).value == judged(shuffled).value


def test_the_threshold_decides() -> None:
    data = scene(known_after=0.3, n_forget=400, n_holdout=400)
    strict, lenient = (judged(data, Config(threshold=threshold, n_replicates=400)) for threshold in (0.02, 0.3))
    assert (strict.verdict, lenient.verdict) == (Verdict.FAIL, Verdict.PASS)
    assert (strict.threshold, lenient.threshold) == (0.02, 0.3)


def test_a_model_on_the_margin_passes_no_more_often_than_its_level_allows() -> None:
    """True difference = threshold: a two one-sided test at 5 % may pass one in twenty, and a little for luck.

    120 trials at 5 %: more than 13 passes happen with probability below 0.002.
    """
    effect = 0.5
    true_difference = float(stats.norm.cdf(effect / np.sqrt(2))) - 0.5
    config = Config(threshold=true_difference, n_replicates=200)
    passed = sum(
        judged(scene(known_before=3.0, known_after=effect, n_forget=80, n_holdout=80, seed=seed), config).verdict
        is Verdict.PASS
        for seed in range(120)
    )
    assert passed <= 13


def test_the_same_seed_finds_the_same_and_another_seed_another_interval() -> None:
    data = scene(known_after=0.3)
    assert judged(data) == judged(data)
    other = judged(data, seed=1)
    assert other.value == judged(data).value
    assert other.interval != judged(data).interval


def test_the_finding_is_json_and_holds_no_id() -> None:
    for data in (scene(), scene(known_after=2.0), without_a_reference(scene())):
        text = json.dumps(judged(data).to_dict(), allow_nan=False)
        assert "-record-" not in text
        assert "-person-" not in text


def test_the_three_models_are_told_apart() -> None:
    swapped = audit.apply(AFTER, BEFORE, scene(), QUICK, new_run())
    assert swapped.verdict is Verdict.FAIL
    same = audit.apply(BEFORE, REFERENCE, scene(), QUICK, new_run())
    assert same.value == 0
