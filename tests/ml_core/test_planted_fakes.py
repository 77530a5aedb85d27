"""Which audit sees through which fake. No single one has to; all of them together must."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ml_core.conformance_scene import Scene, Scenes
from ml_core.contract import Model, Verdict
from ml_core.families.analytic_classifier import AnalyticClassifier
from ml_core.planted_fakes import FAKES, filtered_model, is_accepted, noisy_model, untouched_model, verdicts
from ml_core.registry import discover

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scenes(discover(), torch.device("cpu")).of("analytic_classifier")


def found(scene: Scene, after: Model) -> dict[str, Verdict]:
    return verdicts(list(discover().audits.values()), scene, after)


def as_classifier(model: Model) -> AnalyticClassifier:
    assert isinstance(model, AnalyticClassifier)
    return model


def tensors_of_the_retrained_answers_of_the_old(scene: Scene) -> Model:
    """Weights for show: what is hashed is not what answers."""
    model = as_classifier(scene.copy())
    shown = scene.retrained()
    model.named_tensors = shown.named_tensors  # type: ignore[method-assign]
    return model


def answers_of_the_retrained_weights_of_the_old(scene: Scene) -> Model:
    """The perfect filter: it keeps the old weights and imitates retraining on every record."""
    model, imitated = as_classifier(scene.copy()), as_classifier(scene.retrained())
    model.logits = imitated.logits  # type: ignore[method-assign]
    return model


@pytest.mark.parametrize(
    ("fake", "by_answers", "by_tensors"),
    [
        pytest.param(untouched_model, FAIL, FAIL, id="untouched"),
        pytest.param(noisy_model, FAIL, FAIL, id="a little noise"),
        pytest.param(filtered_model, INCONCLUSIVE, FAIL, id="withholds its answers"),
        pytest.param(tensors_of_the_retrained_answers_of_the_old, FAIL, PASS, id="shows other tensors than it uses"),
        pytest.param(answers_of_the_retrained_weights_of_the_old, PASS, FAIL, id="imitates retraining"),
    ],
)
def test_a_fake_is_rejected_by_the_audits_together(
    scene: Scene, fake: Callable[[Scene], Model], by_answers: Verdict, by_tensors: Verdict
) -> None:
    """The last two fool one audit each: this is why a policy asks for both."""
    verdict = found(scene, fake(scene))
    assert (verdict["mia_loss"], verdict["retrain_equality"]) == (by_answers, by_tensors)
    assert not is_accepted(verdict)


def test_a_retrained_model_is_accepted(scene: Scene) -> None:
    verdict = found(scene, scene.retrained())
    assert set(verdict.values()) == {PASS}
    assert is_accepted(verdict)


@pytest.mark.parametrize("seen", [{}, {"a": INCONCLUSIVE}, {"a": PASS, "b": INCONCLUSIVE}, {"a": PASS, "b": FAIL}])
def test_anything_but_a_pass_from_all_is_no_acceptance(seen: dict[str, Verdict]) -> None:
    assert not is_accepted(seen)


def test_fakes_leave_the_model_before_as_it_was(scene: Scene) -> None:
    state = scene.state(scene.before)
    for make in FAKES.values():
        make(scene)
    assert scene.state(scene.before) == state


def test_the_noise_is_small_and_on_every_tensor(scene: Scene) -> None:
    def size(tensor: Tensor) -> float:
        return float(tensor.square().mean().sqrt())

    noisy = noisy_model(scene).named_tensors()
    for name, tensor in scene.before.named_tensors().items():
        assert 0.5e-3 < size(noisy[name] - tensor) / size(tensor) < 2e-3
