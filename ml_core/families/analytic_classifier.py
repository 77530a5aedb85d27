"""Analytic classifier: a ridge-regression head on frozen, integer features, trained and untrained in closed form.

Raw features are quantised to integers, optionally expanded by a fixed integer projection with a ReLU, and summed
into a Gram matrix A = X'X and cross moments C = X'Y for one-hot Y, both exact integers in float64. The weight W
solves (A + gamma s^2 I) W = C with s = 2^n_bits - 1, that is ridge regression with penalty gamma on features
scaled to [0, 1]. Learned tensors: gram, moments, weight. Beside them lies the membership state (``membership``).

Reference: arXiv 2505.12239 and its learning side, github.com/ZHUANGHP/Analytic-continual-learning (MIT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor

from ml_core import linear, ridge, toys, weights_folder
from ml_core.contract import Examples, Model, Run, ToyProblem
from ml_core.errors import ArtifactError, ConfigError, DataError, NotApplicableError
from ml_core.hyperparameters import as_mapping, check_ranges, from_mapping, number
from ml_core.membership import (
    DIGEST_BYTES,
    KEY_BYTES,
    Membership,
    draw_key,
    enrol,
    locate,
    require_same_held,
    without,
)

NAME = "analytic_classifier"


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Raises ConfigError. ``width`` 0 means no expansion: the quantised features themselves are the head's input."""

    n_bits: int = number(8, unit="bits per feature", low=1, high=16)
    input_low: float = number(0.0, unit="feature value mapped to 0", low=-1e12, high=1e12)
    input_high: float = number(1.0, unit="feature value mapped to 2^n_bits - 1", low=-1e12, high=1e12)
    width: int = number(2048, unit="expanded features, 0 for none", low=0, high=65536)
    gamma: float = number(0.1, unit="ridge penalty on features in [0, 1]", low=1e-9, high=1e9)
    n_classes: int = number(10, unit="classes", low=2, high=1_000_000)

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.input_low >= self.input_high:
            raise ConfigError(f"input_low {self.input_low} must be below input_high {self.input_high}")

    @property
    def ridge(self) -> float:
        """gamma in the units of the integer features."""
        return self.gamma * linear.largest(self.n_bits) ** 2


class AnalyticClassifier:
    """One trained head. gram: [W, W]; moments: [W, C]; weight: [W, C]; all float64 on ``device``."""

    def __init__(self, config: TrainConfig, n_features: int, learned: Mapping[str, Tensor], members: Membership):
        self.family = NAME
        self.config = config
        self.n_features = n_features
        self.adopt(learned, members)
        width = config.width
        self._projection = linear.projection(n_features, width, self.device) if width else None  # [D, W]

    @property
    def device(self) -> torch.device:
        return self.weight.device

    def adopt(self, learned: Mapping[str, Tensor], members: Membership) -> None:
        """Replace the learned state as a whole."""
        self.gram, self.moments, self.weight = learned["gram"], learned["moments"], learned["weight"]
        self.members = members

    def named_tensors(self) -> dict[str, Tensor]:
        return {"gram": self.gram, "moments": self.moments, "weight": self.weight}

    def quantised(self, features: Tensor) -> Tensor:
        """[N, D] integer-valued float64 on the model's device. Raises DataError unless features are [N, D]."""
        if features.ndim != 2 or features.shape[1] != self.n_features:
            raise DataError(f"this model takes features [N, {self.n_features}], found {tuple(features.shape)}")
        config = self.config
        return linear.quantise(features.to(self.device), config.input_low, config.input_high, config.n_bits)

    def expanded(self, quantised: Tensor) -> Tensor:
        """[N, W] integer-valued float64."""
        if self._projection is None:
            return quantised
        return linear.expand(quantised, self._projection, self.config.n_bits)

    def logits(self, features: Tensor) -> Tensor:
        """[N, C] float64: the estimated one-hot label."""
        return self.expanded(self.quantised(features)) @ self.weight


class _Scorer(Protocol):
    def logits(self, features: Tensor) -> Tensor: ...


class OutputFilter:
    """A cheat for conformance: the same weights, but no answer for the given records."""

    def __init__(self, inner: AnalyticClassifier, hidden: Examples):
        self.family = NAME
        self.inner = inner
        self._hidden = {row.tobytes() for row in inner.quantised(hidden.features).cpu().numpy()}

    def named_tensors(self) -> dict[str, Tensor]:
        return self.inner.named_tensors()

    def logits(self, features: Tensor) -> Tensor:
        rows = self.inner.quantised(features).cpu().numpy()
        shown = torch.tensor([row.tobytes() not in self._hidden for row in rows], device=self.inner.device)
        return self.inner.logits(features) * shown.unsqueeze(1)  # [N, C]


def as_classifier(model: Model) -> AnalyticClassifier:
    """The model itself. Raises NotApplicableError when it is of another family."""
    if not isinstance(model, AnalyticClassifier):
        raise NotApplicableError(f"expected a model of family {NAME!r}, found {model.family!r}")
    return model


class AnalyticClassifierFamily:
    """Loads, saves, trains and scores analytic classifiers."""

    name = NAME
    config_class = TrainConfig

    def train(self, examples: Examples, config: TrainConfig, run: Run) -> AnalyticClassifier:
        """Closed-form training. Raises DataError, NumericalError."""
        return _fit(config, draw_key(run.generator), examples, run)

    def retrain(self, before: Model, retain: Examples, run: Run) -> AnalyticClassifier:
        """The same quantiser, projection, penalty and membership key; learned state from ``retain`` alone."""
        model = as_classifier(before)
        return _fit(model.config, model.members.key, retain, run)

    def require_held(self, model: Model, examples: Examples) -> None:
        head = as_classifier(model)
        locate(head.members, examples, head.quantised(examples.features))

    def take_over(self, model: Model, retrained: Model, forget: Examples) -> None:
        head, fresh = as_classifier(model), as_classifier(retrained)
        rows = locate(head.members, forget, head.quantised(forget.features))
        members = without(head.members, rows)
        require_same_held(members, fresh.members)
        head.adopt(fresh.named_tensors(), members)

    def losses(self, model: Model, examples: Examples) -> Tensor:
        """[N] float64: squared distance between the estimated and the one-hot label."""
        answered = cast(_Scorer, model).logits(examples.features).to("cpu")  # [N, C]
        if bool((examples.labels.to("cpu") >= answered.shape[1]).any() | (examples.labels.to("cpu") < 0).any()):
            raise DataError(f"labels must lie in 0 .. {answered.shape[1] - 1}")
        wanted = torch.nn.functional.one_hot(examples.labels.to("cpu"), answered.shape[1])  # [N, C]
        return ((answered - wanted) ** 2).sum(dim=1)

    def predict(self, model: Model, features: Tensor) -> Tensor:
        """[N] int64."""
        return cast(_Scorer, model).logits(features).argmax(dim=1).to("cpu")

    def copy(self, model: Model) -> AnalyticClassifier:
        original = as_classifier(model)
        learned = {name: tensor.clone() for name, tensor in original.named_tensors().items()}
        return AnalyticClassifier(original.config, original.n_features, learned, original.members)

    def save(self, model: Model, folder: Path) -> None:
        original = as_classifier(model)
        members = original.members
        config = {**as_mapping(original.config), "n_features": original.n_features, "n_members": len(members.deleted)}
        tensors = {
            **original.named_tensors(),
            "member_key": members.key,
            "member_records": members.record_digests,
            "member_contents": members.content_digests,
            "member_deleted": members.deleted,
        }
        weights_folder.write_weights(folder, NAME, config, tensors)

    def load(self, folder: Path, device: torch.device) -> AnalyticClassifier:
        stored = weights_folder.read_config(folder, NAME)
        config, n_features, n_members = _parse(stored, folder.name)
        tensors = weights_folder.read_tensors(folder, _layout(config, n_features, n_members), device)
        members = Membership(
            key=tensors["member_key"].cpu(),
            record_digests=tensors["member_records"].cpu(),
            content_digests=tensors["member_contents"].cpu(),
            deleted=tensors["member_deleted"].cpu(),
        )
        _require_sound(tensors, folder.name)
        return AnalyticClassifier(config, n_features, tensors, members)

    def toy(self, run: Run) -> ToyProblem:
        """Eight persons of twelve records with random labels; two are to be forgotten."""
        sizes = {"n_each": 12, "n_features": 8, "n_classes": 3}
        return ToyProblem(
            config=TrainConfig(width=192, gamma=1e-3, n_classes=3),
            train=toys.memorisable(run.generator, prefix="train", n_persons=8, **sizes),
            holdout=toys.memorisable(run.generator, prefix="holdout", n_persons=12, **sizes),
            never_trained=toys.memorisable(run.generator, prefix="stranger", n_persons=1, **sizes),
            forget_person_ids=("train-person-0", "train-person-1"),
            output_filter=lambda model, forget: OutputFilter(as_classifier(model), forget),
        )


def _fit(config: TrainConfig, key: Tensor, examples: Examples, run: Run) -> AnalyticClassifier:
    """Moments and weight of exactly these examples; bits depend on the set of records, not on their order."""
    labels, n_features = examples.labels.to(run.device), examples.features.shape[1]
    if len(examples) and not 0 <= int(labels.min()) <= int(labels.max()) < config.n_classes:
        raise DataError(f"labels must lie in 0 .. {config.n_classes - 1}; raise n_classes or repair the labels")
    run.step(0.0, "quantising")
    quantised = linear.quantise(
        examples.features.to(run.device), config.input_low, config.input_high, config.n_bits
    )  # [N, D]
    run.step(0.1, "expanding")
    matrix = linear.projection(n_features, config.width, run.device) if config.width else None
    expanded = quantised if matrix is None else linear.expand(quantised, matrix, config.n_bits)  # [N, W]
    run.step(0.3, "summing moments")
    gram, moments = linear.exact_moments(expanded, labels, config.n_classes, config.n_bits)
    run.step(0.7, "solving")
    weight = ridge.solve_ridge(gram, moments, config.ridge).weight
    members = enrol(key, examples, quantised)
    run.step(1.0, "trained")
    return AnalyticClassifier(config, n_features, {"gram": gram, "moments": moments, "weight": weight}, members)


def _parse(stored: Mapping[str, Any], where: str) -> tuple[TrainConfig, int, int]:
    sizes = [stored.get("n_features"), stored.get("n_members")]
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise ArtifactError(f"{where}: n_features and n_members must be whole numbers, found {sizes}")
    try:
        config = from_mapping(TrainConfig, {k: v for k, v in stored.items() if k not in {"n_features", "n_members"}})
    except ConfigError as error:
        raise ArtifactError(f"{where}: stored configuration is unusable: {error}") from error
    return config, int(stored["n_features"]), int(stored["n_members"])


def _layout(config: TrainConfig, n_features: int, n_members: int) -> weights_folder.Layout:
    width = config.width or n_features
    return {
        "gram": (torch.float64, (width, width)),
        "moments": (torch.float64, (width, config.n_classes)),
        "weight": (torch.float64, (width, config.n_classes)),
        "member_key": (torch.uint8, (KEY_BYTES,)),
        "member_records": (torch.uint8, (n_members, DIGEST_BYTES)),
        "member_contents": (torch.uint8, (n_members, DIGEST_BYTES)),
        "member_deleted": (torch.uint8, (n_members,)),
    }


def _require_sound(tensors: Mapping[str, Tensor], where: str) -> None:
    for name in ("gram", "moments"):
        tensor = tensors[name]
        is_count = (tensor == torch.floor(tensor)) & (tensor >= 0) & (tensor < linear.EXACT_LIMIT)  # false for nan
        if not bool(is_count.all()):
            raise ArtifactError(f"{where}: {name} must hold whole numbers from 0 to 2^53; the stored model is damaged")
    if not torch.equal(tensors["gram"], tensors["gram"].T):
        raise ArtifactError(f"{where}: gram must be symmetric; the stored model is damaged, restore it")
    if not bool(torch.isfinite(tensors["weight"]).all()):
        raise ArtifactError(f"{where}: weight must be finite; the stored model is damaged, restore it")


family = AnalyticClassifierFamily()
