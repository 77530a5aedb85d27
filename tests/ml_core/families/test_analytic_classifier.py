"""The family of ridge heads: what it refuses to load or train on, and that training is a sum over a set."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from sklearn.linear_model import Ridge  # type: ignore[import-untyped]
from torch import Tensor

from ml_core.contract import Examples
from ml_core.digests import model_sha256s
from ml_core.errors import ArtifactError, Cancelled, ConfigError, DataError, NotApplicableError
from ml_core.families.analytic_classifier import AnalyticClassifier, OutputFilter, TrainConfig, as_classifier, family
from ml_core.registry import family_of
from tests.ml_core.datasets import changed, digits, in_order, new_run, random_examples, without

CPU = torch.device("cpu")
EXAMPLES = random_examples(2, 30)


def trained(examples: Examples = EXAMPLES, *, width: int = 12, n_classes: int = 3, seed: int = 0) -> AnalyticClassifier:
    return family.train(examples, TrainConfig(width=width, n_classes=n_classes), new_run(seed))


# Refusals.


def test_it_refuses_an_empty_range_of_features() -> None:
    with pytest.raises(ConfigError, match=r"input_low 1\.0 must be below input_high 1\.0"):
        TrainConfig(input_low=1.0, input_high=1.0)


@pytest.mark.parametrize("label", [-1, 3, 2**40])
def test_it_refuses_labels_beyond_its_classes(label: int) -> None:
    labels = EXAMPLES.labels.clone()
    labels[7] = label
    spoilt = changed(EXAMPLES, labels=labels)
    with pytest.raises(DataError, match=r"labels must lie in 0 \.\. 2"):
        trained(spoilt)
    with pytest.raises(DataError, match=r"labels must lie in 0 \.\. 2"):
        family.losses(trained(), spoilt)


def test_it_refuses_features_of_another_width() -> None:
    with pytest.raises(DataError, match=r"takes features \[N, 5\]"):
        family.predict(trained(), torch.zeros(2, 6))


def test_it_refuses_models_of_another_family_and_behind_a_filter() -> None:
    filtered = OutputFilter(trained(), EXAMPLES)
    for action in (as_classifier, family.copy, lambda model: family.retrain(model, EXAMPLES, new_run())):
        with pytest.raises(NotApplicableError, match="analytic_classifier"):
            action(filtered)


def test_training_can_be_cancelled() -> None:
    run = new_run()
    object.__setattr__(run, "is_cancelled", lambda: True)
    with pytest.raises(Cancelled):
        family.train(EXAMPLES, TrainConfig(width=4, n_classes=3), run)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    family.save(trained(), tmp_path / "weights")
    return tmp_path / "weights"


def test_it_refuses_to_save_a_filter(tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError):
        family.save(OutputFilter(trained(), EXAMPLES), tmp_path / "weights")


Damage = Callable[[dict[str, Tensor]], None]


def half_a_count(tensors: dict[str, Tensor]) -> None:
    tensors["gram"][3, 3] += 0.5


def a_negative_count(tensors: dict[str, Tensor]) -> None:
    tensors["moments"][0, 0] = -1


def a_gram_that_is_not_a_number(tensors: dict[str, Tensor]) -> None:
    tensors["gram"][1, 1] = float("nan")


def an_infinite_moment(tensors: dict[str, Tensor]) -> None:
    tensors["moments"][1, 1] = float("inf")


def a_count_beyond_exactness(tensors: dict[str, Tensor]) -> None:
    tensors["gram"][1, 1] = 2.0**53


def a_lopsided_gram(tensors: dict[str, Tensor]) -> None:
    tensors["gram"][0, 1] += 1


def an_infinite_weight(tensors: dict[str, Tensor]) -> None:
    tensors["weight"][0, 0] = float("inf")


def members_out_of_order(tensors: dict[str, Tensor]) -> None:
    tensors["member_records"] = tensors["member_records"].flip(0).contiguous()


def a_flag_of_two(tensors: dict[str, Tensor]) -> None:
    tensors["member_deleted"][0] = 2


def a_member_too_few(tensors: dict[str, Tensor]) -> None:
    tensors["member_deleted"] = tensors["member_deleted"][1:].clone()


def a_narrower_weight(tensors: dict[str, Tensor]) -> None:
    tensors["weight"] = tensors["weight"].float()


def a_smaller_gram(tensors: dict[str, Tensor]) -> None:
    tensors["gram"] = tensors["gram"][:-1, :-1].clone()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(half_a_count, "gram must hold whole numbers", id="gram with half a count"),
        pytest.param(a_negative_count, "moments must hold whole numbers", id="negative moment"),
        pytest.param(a_gram_that_is_not_a_number, "gram must hold whole numbers", id="gram not a number"),
        pytest.param(an_infinite_moment, "moments must hold whole numbers", id="infinite moment"),
        pytest.param(a_count_beyond_exactness, r"from 0 to 2\^53", id="gram beyond exactness"),
        pytest.param(a_lopsided_gram, "gram must be symmetric", id="lopsided gram"),
        pytest.param(an_infinite_weight, "weight must be finite", id="infinite weight"),
        pytest.param(members_out_of_order, "strictly increasing", id="members out of order"),
        pytest.param(a_flag_of_two, "0 or 1", id="flag of two"),
        pytest.param(a_member_too_few, r"member_deleted must be .* \(30,\)", id="member too few"),
        pytest.param(a_narrower_weight, "weight must be torch.float64", id="float32 weight"),
        pytest.param(a_smaller_gram, r"gram must be .* \(12, 12\)", id="smaller gram"),
    ],
)
def test_it_refuses_to_load(folder: Path, damage: Damage, message: str) -> None:
    tensors = load_file(folder / "weights.safetensors")
    damage(tensors)
    save_file(tensors, folder / "weights.safetensors")
    with pytest.raises(ArtifactError, match=message):
        family.load(folder, CPU)


@pytest.mark.parametrize(
    "replaced",
    [
        pytest.param({"gamma": -1.0}, id="negative penalty"),
        pytest.param({"gamma": "0.1"}, id="text for a number"),
        pytest.param({"speed": 1}, id="unknown hyper-parameter"),
        pytest.param({"n_members": -1}, id="negative number of members"),
        pytest.param({"n_members": 30.0}, id="fraction for a number of members"),
        pytest.param({"n_features": None}, id="no number of features"),
        pytest.param({"width": 13}, id="other width than the tensors have"),
        pytest.param({"n_classes": 4}, id="other number of classes than the tensors have"),
        pytest.param({"input_high": -1.0}, id="empty range"),
    ],
)
def test_it_refuses_a_stored_configuration(folder: Path, replaced: dict[str, object]) -> None:
    document = json.loads((folder / "config.json").read_bytes())
    document["config"] |= replaced
    (folder / "config.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ArtifactError):
        family.load(folder, CPU)


# Training is a sum over a set of records.


@settings(deadline=None, max_examples=40)
@given(order=st.permutations(range(30)), width=st.sampled_from([0, 1, 12]))
def test_training_does_not_depend_on_the_order_of_the_records(order: Sequence[int], width: int) -> None:
    assert model_sha256s(trained(in_order(EXAMPLES, order), width=width)) == model_sha256s(trained(width=width))


def test_only_the_key_of_the_members_is_random() -> None:
    first, second = trained(seed=1), trained(seed=2)
    assert model_sha256s(first) == model_sha256s(second)
    assert not torch.equal(first.members.key, second.members.key)


def test_retraining_keeps_the_key_and_sees_the_retain_records_alone() -> None:
    before = trained()
    retain = in_order(EXAMPLES, range(10, 30))
    after = family.retrain(before, retain, new_run(7))
    assert torch.equal(after.members.key, before.members.key)
    assert model_sha256s(after) == model_sha256s(trained(retain))
    assert after.members.n_held == 20


def test_the_weight_is_that_of_ridge_regression_elsewhere() -> None:
    examples = digits(400)
    model = trained(examples, width=0, n_classes=10)
    quantised = np.floor(examples.features.numpy() * 255 + 0.5) / 255
    one_hot = np.eye(10)[examples.labels.numpy()]
    other = Ridge(alpha=0.1, fit_intercept=False, solver="cholesky").fit(quantised, one_hot)
    assert np.allclose(model.weight.numpy() * 255, other.coef_.T, rtol=1e-8, atol=1e-10)


def test_it_learns_digits() -> None:
    """A head that memorised nothing useful would be right one time in ten."""
    examples = digits(1200)
    held_out = without(digits(), examples.record_ids)
    model = trained(examples, width=512, n_classes=10)
    right = family.predict(model, held_out.features) == held_out.labels
    assert float(right.double().mean()) > 0.9


def test_the_loss_is_the_squared_distance_from_the_one_hot_label() -> None:
    model = trained()
    answers = model.logits(EXAMPLES.features).tolist()
    slow = [
        sum((answer - (c == label)) ** 2 for c, answer in enumerate(row))
        for row, label in zip(answers, EXAMPLES.labels.tolist(), strict=True)
    ]
    assert family.losses(model, EXAMPLES).tolist() == pytest.approx(slow)
    largest = [max(range(3), key=row.__getitem__) for row in answers]
    assert family.predict(model, EXAMPLES.features).tolist() == largest


def test_a_stored_model_answers_as_before(folder: Path) -> None:
    model, loaded = trained(), family.load(folder, CPU)
    assert model_sha256s(model) == model_sha256s(loaded)
    assert loaded.config == model.config
    assert torch.allclose(family.losses(loaded, EXAMPLES), family.losses(model, EXAMPLES), rtol=1e-12)
    assert family_of(loaded) is family


def test_a_filter_hides_the_given_records_only() -> None:
    model, hidden = trained(), in_order(EXAMPLES, [3, 4])
    filtered = OutputFilter(model, hidden)
    shown = filtered.logits(EXAMPLES.features)
    plain = model.logits(EXAMPLES.features)
    assert shown[[3, 4]].tolist() == [[0.0] * 3] * 2
    others = [number for number in range(30) if number not in (3, 4)]
    assert torch.equal(shown[others], plain[others])
    assert model_sha256s(filtered) == model_sha256s(model)


def test_no_record_or_person_can_be_read_from_the_stored_files(folder: Path) -> None:
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    named = [
        name for name in (*EXAMPLES.record_ids, *EXAMPLES.person_ids) if len(name) > 2 and name.encode() in content
    ]
    assert named == []
    assert EXAMPLES.features[0].numpy().tobytes() not in content
