"""What is checked of a model family: storage, copies, scores, its toy problem, and the audits that read it together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from ml_core.conformance_scene import (
    Scene,
    differing,
    examples_sha256,
    global_state_kept,
    refusal,
    require,
    require_same,
)
from ml_core.contract import Model
from ml_core.digests import model_sha256s
from ml_core.errors import ArtifactError
from ml_core.planted_fakes import FAKES, is_accepted, noisy_model, verdicts
from ml_core.plugins import Audit
from ml_core.registry import family_of
from ml_core.weights_folder import CAN_RUN_CODE

FamilyCheck = Callable[[Scene, Sequence[Audit[Any]]], None]


def name_is_its_file(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """The model's family is found by the file that defines the model's class."""
    require(family_of(scene.before) is scene.family, "the file of its model's class belongs to another family")
    require(scene.before.family == scene.family.name, f"its model says that it is {scene.before.family!r}")


def toy_is_a_fair_test(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """Its sets share no record and no person, something remains, and the model has memorised what it must forget."""
    toy = scene.toy
    for name, other in (("holdout", toy.holdout), ("never_trained", toy.never_trained)):
        n_shared = len(set(toy.train.record_ids + toy.train.person_ids) & set(other.record_ids + other.person_ids))
        require(n_shared == 0, f"train and {name} share {n_shared} records or persons")
    require(len(scene.forget) > 0, "none of forget_person_ids is in train")
    require(len(scene.retain) > 0, "nothing remains when forget_person_ids are forgotten")
    losses = [float(scene.family.losses(scene.before, part).mean()) for part in (scene.forget, toy.holdout)]
    require(losses[0] < losses[1], "the model has not memorised the forget records: their loss is not the lower")


def same_seed_same_model(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """Trained, or retrained, twice from one seed, a model has the same state."""
    first, second = (scene.family.train(scene.toy.train, scene.toy.config, scene.run()) for _ in range(2))
    require_same(scene.state(first), scene.state(second), "training again")
    require_same(scene.state(scene.reference), scene.state(scene.retrained()), "retraining again")


def training_leaves_everything_else_alone(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """Examples, other models and the state of the process are what they were."""

    def seen() -> dict[str, object]:
        sets = {"train": scene.toy.train, "retain": scene.retain}
        digests = {name: examples_sha256(examples) for name, examples in sets.items()}
        return {**digests, "the model before": scene.state(scene.before)}

    before = seen()
    with global_state_kept("training"):
        scene.family.train(scene.toy.train, scene.toy.config, scene.run())
        scene.retrained()
    require_same(before, seen(), "training")


def copies_are_independent(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """A copy is equal; changing each of its tensors shows in the copy, and leaves the original as it was."""
    state, tensors = scene.state(scene.before), scene.before.named_tensors()
    require_same(state, scene.state(scene.copy()), "copying")
    changed = differing(model_sha256s(scene.before), model_sha256s(noisy_model(scene)))
    can_change = {name for name, tensor in tensors.items() if tensor.is_floating_point() and bool(tensor.any())}
    deaf = sorted(can_change - set(changed))
    require(not deaf, f"named_tensors shows {', '.join(deaf)} apart from the model's own: changing them has no effect")
    require_same(state, scene.state(scene.before), "changing a copy")


def scores_every_record(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """losses [N] finite float64 and predict [N] int64 on the CPU, each record by itself, the model unchanged."""
    state, holdout = scene.state(scene.before), scene.toy.holdout
    losses = scene.family.losses(scene.before, holdout)
    classes = scene.family.predict(scene.before, holdout.features)
    for name, tensor, dtype in (("losses", losses, torch.float64), ("predict", classes, torch.int64)):
        found = (tensor.dtype, tuple(tensor.shape), tensor.device.type)
        require(found == (dtype, (len(holdout),), "cpu"), f"{name} gives {found} for {len(holdout)} records")
    require(bool(torch.isfinite(losses).all()), "losses are not finite")
    alone = scene.family.losses(scene.before, holdout.subset(holdout.record_ids[:1]))
    require(torch.allclose(alone, losses[:1]), "the loss of a record depends on the records beside it")
    require_same(state, scene.state(scene.before), "scoring")


def storage_is_byte_for_byte(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """Saved, loaded and saved again, a model has the same bytes and the same tensors."""
    with TemporaryDirectory() as folder:
        scene.family.save(scene.before, Path(folder))
        loaded = scene.family.load(Path(folder), scene.device)
    require_same(scene.state(scene.before), scene.state(loaded), "storing a model")
    require_same(model_sha256s(scene.before), model_sha256s(loaded), "storing a model")


def storage_refuses_what_it_did_not_write(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """ArtifactError for a file that can run code, for each file cut short or missing, and for a folder in use."""
    with TemporaryDirectory() as parent:
        folder = Path(parent) / "weights"
        scene.family.save(scene.before, folder)
        refusal(ArtifactError, lambda: scene.family.save(scene.before, folder), "saving over a model")
        for suffix in sorted(CAN_RUN_CODE):
            planted = folder / f"planted{suffix}"
            planted.write_bytes(b"\x80\x04N.")
            _require_unloadable(scene, folder, f"a {suffix} file beside the weights")
            planted.unlink()
        for path in sorted(folder.iterdir()):
            whole = path.read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
            _require_unloadable(scene, folder, f"half of {path.name}")
            path.unlink()
            _require_unloadable(scene, folder, f"no {path.name}")
            path.write_bytes(whole)


def audits_accept_a_retrained_model(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """Every audit that reads the family passes a model trained without the forget records."""
    found = verdicts(audits, scene, scene.retrained())
    require(is_accepted(found), f"a model retrained without the records is not accepted: {_listed(found)}")


def audits_reject_the_untouched_model(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """At least one audit does not pass the model before."""
    _require_rejected(scene, audits, "untouched_model")


def audits_reject_the_noisy_model(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """At least one audit does not pass the model before with a little noise on its tensors."""
    _require_rejected(scene, audits, "noisy_model")


def audits_reject_the_filtered_model(scene: Scene, audits: Sequence[Audit[Any]]) -> None:
    """At least one audit does not pass the model before behind a filter of its answers."""
    _require_rejected(scene, audits, "filtered_model")


FAMILY_CHECKS: tuple[FamilyCheck, ...] = (
    name_is_its_file,
    toy_is_a_fair_test,
    same_seed_same_model,
    training_leaves_everything_else_alone,
    copies_are_independent,
    scores_every_record,
    storage_is_byte_for_byte,
    storage_refuses_what_it_did_not_write,
    audits_accept_a_retrained_model,
    audits_reject_the_untouched_model,
    audits_reject_the_noisy_model,
    audits_reject_the_filtered_model,
)


def _require_rejected(scene: Scene, audits: Sequence[Audit[Any]], fake: str) -> None:
    model: Model = FAKES[fake](scene)
    found = verdicts(audits, scene, model)
    require(not is_accepted(found), f"the {fake.replace('_', ' ')} is accepted: {_listed(found)}")


def _require_unloadable(scene: Scene, folder: Path, what: str) -> None:
    refusal(ArtifactError, lambda: scene.family.load(folder, scene.device), what)


def _listed(found: dict[str, Any]) -> str:
    return ", ".join(f"{name} {verdict}" for name, verdict in found.items()) or "no audit reads this family"
