"""The stage on which plug-ins are checked: one toy problem per family, trained once and given out unchanged."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from ml_core.contract import AuditData, Examples, Family, Model, Need, Run, ToyProblem, UnlearnData
from ml_core.digests import tensor_sha256
from ml_core.errors import ConformanceError, UnlearningError
from ml_core.plugins import Method
from ml_core.registry import Catalogue

SEED = 2016_679


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One family's toy problem. before: trained on all; reference: retrained on ``retain``, the rest of ``train``."""

    family: Family
    toy: ToyProblem
    device: torch.device
    before: Model
    reference: Model
    forget: Examples
    retain: Examples

    def run(self, **circumstances: Any) -> Run:
        """A fresh run with the same seed each time. circumstances: other fields of ``Run``."""
        return Run(generator=torch.Generator().manual_seed(SEED), device=self.device, **circumstances)

    def copy(self) -> Model:
        """A copy of ``before``, to be changed at will."""
        return self.family.copy(self.before)

    def retrained(self) -> Model:
        """Another model equal to ``reference``, trained apart from it."""
        return self.family.retrain(self.before, self.retain, self.run())

    def unlearn_data(
        self, method: Method[Any], forget: Examples | None = None, gone: Iterable[str] = ()
    ) -> UnlearnData:
        """``forget``, or the toy's own forget set, and where the method needs them the records that then remain.

        gone: ids of records that the model forgot before.
        """
        forget = self.forget if forget is None else forget
        retain = None
        if Need.RETAIN_DATA in method.needs:
            left_out = {*forget.record_ids, *gone}
            retain = self.toy.train.subset(name for name in self.toy.train.record_ids if name not in left_out)
        return UnlearnData(forget=forget, retain=retain)

    def audit_data(self, **replaced: Any) -> AuditData:
        """What an audit of the toy sees. replaced: other fields of ``AuditData``."""
        sets = {"forget": self.forget, "retain": self.retain, "holdout": self.toy.holdout, "reference": self.reference}
        return AuditData(**{**sets, **replaced})

    def state(self, model: Model) -> dict[str, str]:
        """File name to hex SHA-256 of everything the family stores of ``model``, learned tensors or not."""
        with TemporaryDirectory() as folder:
            self.family.save(model, Path(folder))
            return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(Path(folder).iterdir())}

    def fingerprint(self) -> str:
        """Hex SHA-256 of the models and examples that plug-ins are given."""
        sets = (self.forget, self.retain, self.toy.train, self.toy.holdout, self.toy.never_trained)
        seen = [self.state(self.before), self.state(self.reference), *(examples_sha256(examples) for examples in sets)]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


class Scenes:
    """Scenes by name of family, built when first asked for and again when a plug-in has spoilt one."""

    def __init__(self, catalogue: Catalogue, device: torch.device):
        self.catalogue = catalogue
        self.device = device
        self._built: dict[str, tuple[Scene, str]] = {}

    def of(self, family_name: str) -> Scene:
        """Raises ConformanceError when there is no such family."""
        require(family_name in self.catalogue.families, f"there is no family {family_name!r}")
        scene, fingerprint = self._built.get(family_name, (None, ""))
        if scene is None or scene.fingerprint() != fingerprint:
            scene = _build(self.catalogue.families[family_name], self.device)
            self._built[family_name] = scene, scene.fingerprint()
        return scene


def _build(family: Family, device: torch.device) -> Scene:
    run = Run(generator=torch.Generator().manual_seed(SEED), device=device)
    toy = family.toy(run)
    forgotten = set(toy.forget_person_ids)
    retain = toy.train.subset(torch.tensor([person not in forgotten for person in toy.train.person_ids]))
    before = family.train(toy.train, toy.config, run)
    return Scene(
        family=family,
        toy=toy,
        device=device,
        before=before,
        reference=family.retrain(before, retain, Run(generator=torch.Generator().manual_seed(SEED), device=device)),
        forget=toy.train.of_persons(forgotten),
        retain=retain,
    )


def examples_sha256(examples: Examples) -> str:
    """Hex SHA-256 of all that ``examples`` hold."""
    parts = [tensor_sha256(examples.features), tensor_sha256(examples.labels)]
    text = json.dumps([*parts, examples.record_ids, examples.person_ids])
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def global_state_kept(who: str) -> Iterator[None]:
    """Raise ConformanceError when the block changes what everything in the process shares.

    The global generators are put into a state that nobody else asks for, so that seeding them shows as well, and are
    put back at the end.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(SEED + 1)
    np.random.seed(SEED + 1)
    torch.default_generator.manual_seed(SEED + 1)
    before = global_state()
    try:
        yield
        require_same(before, global_state(), who)
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def global_state() -> dict[str, object]:
    """What is shared by everything in the process: generators, defaults, threads."""
    cuda_states = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {
        "the random state of torch": tensor_sha256(torch.get_rng_state()),
        "the random state of CUDA": [tensor_sha256(state) for state in cuda_states],
        "the random state of numpy": repr(np.random.get_state()),
        "the random state of Python": hash(random.getstate()),
        "the default dtype": torch.get_default_dtype(),
        "the gradient mode": torch.is_grad_enabled(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "the number of threads": torch.get_num_threads(),
    }


def require(condition: bool, message: str) -> None:
    """Raise ConformanceError with ``message`` unless ``condition``."""
    if not condition:
        raise ConformanceError(message)


def differing(first: Mapping[str, object], second: Mapping[str, object]) -> list[str]:
    """Sorted keys that are in one mapping only or have different values."""
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def require_same(before: Mapping[str, object], after: Mapping[str, object], who: str) -> None:
    """Raise ConformanceError naming every key whose value differs."""
    changed = differing(before, after)
    require(not changed, f"{who} changed {', '.join(changed)}")


def refusal(error_class: type[UnlearningError], action: Callable[[], object], what: str) -> str:
    """The message of the ``error_class`` that ``action`` raises. Raises ConformanceError when it raises no such thing."""
    try:
        action()
    except error_class as error:
        return str(error)
    except UnlearningError as error:
        raise ConformanceError(f"{what}: expected {error_class.__name__}, found {type(error).__name__}") from error
    raise ConformanceError(f"{what}: expected {error_class.__name__}, and nothing was raised")


def require_nobody_named(text: str, *sets: Examples) -> None:
    """Raise ConformanceError when ``text`` holds the id of a record or person."""
    ids = {name for examples in sets for name in (*examples.record_ids, *examples.person_ids)}
    n_named = sum(name in text for name in ids)
    require(n_named == 0, f"{n_named} ids of records or persons are in it")
