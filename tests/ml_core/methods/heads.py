"""Ridge heads for tests: train one, let it forget, and look at every byte of it."""

import hashlib

from ml_core.contract import Examples, UnlearnData, UnlearnResult
from ml_core.digests import tensor_sha256
from ml_core.families.analytic_classifier import AnalyticClassifier, TrainConfig, family
from ml_core.methods import acu
from tests.ml_core.datasets import new_run


def trained(examples: Examples, *, width: int = 24, n_classes: int = 3, gamma: float = 0.1) -> AnalyticClassifier:
    return family.train(examples, TrainConfig(width=width, n_classes=n_classes, gamma=gamma), new_run())


def forget(model: AnalyticClassifier, records: Examples, config: acu.Config | None = None) -> UnlearnResult:
    return acu.method.apply(model, UnlearnData(forget=records), config or acu.Config(), new_run(1))


def sha256s(model: AnalyticClassifier) -> dict[str, str]:
    """Hashes of the raw bytes, computed here and not by the code under test."""
    tensors = {"gram": model.gram, "moments": model.moments, "weight": model.weight}
    return {name: hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest() for name, tensor in tensors.items()}


def whole_state(model: AnalyticClassifier) -> tuple[object, ...]:
    members = (model.members.key, model.members.record_digests, model.members.content_digests, model.members.deleted)
    return (sha256s(model), *(tensor_sha256(tensor) for tensor in members))
