"""Equality with retraining: one bit of difference fails, and nothing is proved where nothing could have failed."""

import math

import pytest
import torch

from ml_core.audits.retrain_equality import Config, audit
from ml_core.contract import AuditData, Finding, Model, Run, UnlearnData, Verdict
from ml_core.digests import tensor_sha256
from ml_core.errors import Cancelled, ConfigError
from ml_core.families.analytic_classifier import AnalyticClassifier, TrainConfig, family
from ml_core.methods import acu
from tests.ml_core.datasets import in_order, new_run, random_examples

EXAMPLES = random_examples(5, 40)
FORGET, RETAIN = in_order(EXAMPLES, range(8)), in_order(EXAMPLES, range(8, 40))
HOLDOUT = random_examples(6, 10, prefix="h")


def trained() -> AnalyticClassifier:
    return family.train(EXAMPLES, TrainConfig(width=8, n_classes=3), new_run())


def retrained() -> AnalyticClassifier:
    return family.retrain(trained(), RETAIN, new_run(3))


def judged(after: Model, *, before: Model | None = None, reference: Model | None = None) -> Finding:
    data = AuditData(forget=FORGET, retain=RETAIN, holdout=HOLDOUT, reference=reference)
    return audit.apply(before or trained(), after, data, Config(), new_run())


class WithoutItsWeight:
    """A model that does not show one of its tensors."""

    def __init__(self, inner: AnalyticClassifier):
        self.family = inner.family
        self.inner = inner

    def named_tensors(self) -> dict[str, torch.Tensor]:
        return {name: tensor for name, tensor in self.inner.named_tensors().items() if name != "weight"}


@pytest.mark.parametrize("threshold", [-1, 1, 0.5])
def test_no_difference_can_be_allowed(threshold: float) -> None:
    with pytest.raises(ConfigError):
        Config(threshold=threshold)  # type: ignore[arg-type]


def test_without_a_reference_it_is_inconclusive() -> None:
    finding = judged(retrained())
    assert (finding.verdict, finding.value) == (Verdict.INCONCLUSIVE, None)
    assert "no reference model" in finding.reasons[0]


def test_a_model_is_not_its_own_reference() -> None:
    model = retrained()
    finding = judged(model, reference=model)
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "one object" in finding.reasons[0]


def test_it_is_inconclusive_where_the_untouched_model_would_pass() -> None:
    finding = judged(retrained(), before=retrained(), reference=retrained())
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "nothing to forget" in finding.reasons[0]


def test_it_can_be_cancelled() -> None:
    data = AuditData(forget=FORGET, retain=RETAIN, holdout=HOLDOUT, reference=retrained())
    with pytest.raises(Cancelled):
        audit.apply(trained(), trained(), data, Config(), Run(generator=torch.Generator(), is_cancelled=lambda: True))


def test_the_untouched_model_fails_in_every_tensor() -> None:
    finding = judged(trained(), reference=retrained())
    assert (finding.verdict, finding.value) == (Verdict.FAIL, 3.0)
    assert finding.reasons == tuple(f"{name} differs from retraining" for name in ("gram", "moments", "weight"))


@pytest.mark.parametrize("name", ["gram", "moments", "weight"])
def test_the_last_bit_of_one_element_fails(name: str) -> None:
    after = retrained()
    tensor = after.named_tensors()[name]
    tensor[0, 0] = math.nextafter(float(tensor[0, 0]), math.inf)
    finding = judged(after, reference=retrained())
    assert (finding.verdict, finding.value) == (Verdict.FAIL, 1.0)
    assert finding.reasons == (f"{name} differs from retraining",)


def test_the_sign_of_a_zero_fails() -> None:
    after, reference = retrained(), retrained()
    for model, zero in ((after, -0.0), (reference, 0.0)):
        model.weight[0, 0] = zero
    assert judged(after, reference=reference).verdict is Verdict.FAIL


def test_a_tensor_too_few_fails() -> None:
    finding = judged(WithoutItsWeight(retrained()), reference=retrained())
    assert (finding.verdict, finding.value) == (Verdict.FAIL, 1.0)


def test_a_retrained_model_passes() -> None:
    finding = judged(retrained(), reference=retrained())
    assert (finding.verdict, finding.value, finding.reasons) == (Verdict.PASS, 0.0, ())


def test_an_exactly_unlearned_model_passes_and_shows_both_digests() -> None:
    after, reference = trained(), retrained()
    acu.method.apply(after, UnlearnData(forget=FORGET), acu.Config(), new_run())
    finding = judged(after, reference=reference)
    assert finding.verdict is Verdict.PASS
    for name, tensor in reference.named_tensors().items():
        assert finding.details[f"{name}_after_sha256"] == tensor_sha256(tensor)
        assert finding.details[f"{name}_reference_sha256"] == tensor_sha256(tensor)


def test_the_members_that_remember_a_deletion_are_not_compared() -> None:
    """The unlearned model keeps keyed digests of deleted ids, the retrained one never had them."""
    after = trained()
    acu.method.apply(after, UnlearnData(forget=FORGET), acu.Config(), new_run())
    assert len(after.members.deleted) != len(retrained().members.deleted)
    assert judged(after, reference=retrained()).verdict is Verdict.PASS


def test_it_counts_what_it_compared() -> None:
    finding = judged(retrained(), reference=retrained())
    assert finding.n == {"forget_records": 8, "tensors": 3}
