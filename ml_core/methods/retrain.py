"""Retraining: train the learned state again, from scratch, on the records that remain.

Reference: Cao, Yang, "Towards Making Systems Forget with Machine Unlearning", IEEE S&P 2015,
https://doi.org/10.1109/SP.2015.35, which defines unlearning by this: the result of training without the records.

Idea: whatever a model learned, it learned from its training records. Trained anew on the others, with the same frozen
parts and the same configuration, it has learned nothing from those that were left out.

Assurance: exact. The learned state is the retrained one; the model's list of records says which it forgot, and nothing
else of them stays. Not removed: what frozen parts, such as a feature extractor in front of a head, learned from them.

Cost: one training on the retain records, with the memory that training takes. It is the dearest method and the yardstick
of all others; a policy may fall back on it where no other applies.

Fails when: a record was never trained on, was deleted before, or is offered with other features or another label; the
retain records are not exactly those that remain. Then nothing is changed.

Differs from the paper: nothing; the paper's systems retrain parts, and this retrains all.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml_core.contract import ANY_FAMILY, Assurance, Model, Need, Run, SpecSource, UnlearnData, UnlearnResult
from ml_core.digests import model_sha256s
from ml_core.errors import NotApplicableError
from ml_core.hyperparameters import check_ranges
from ml_core.plugins import Method
from ml_core.registry import family_of


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing to choose: the model's own configuration is trained with again."""

    def __post_init__(self) -> None:
        check_ranges(self)


method = Method(
    __name__,
    version="1",
    assurance=Assurance.EXACT,
    families=(ANY_FAMILY,),
    needs=(Need.RETAIN_DATA,),
    source=SpecSource.PAPER,
    config=Config,
)


@method.unlearn
def unlearn(model: Model, data: UnlearnData, config: Config, run: Run) -> UnlearnResult:
    """Raises NeverTrainedError, AlreadyDeletedError, DataError, and what training raises; the model is then as it was."""
    family = family_of(model)
    if data.retain is None:
        raise NotApplicableError("retraining needs the retain records; supply them")
    run.step(0.0, "looking the records up")
    family.require_held(model, data.forget)
    before = model_sha256s(model)
    if len(data.forget):
        family.take_over(model, family.retrain(model, data.retain, run), data.forget)
    after = model_sha256s(model)
    return UnlearnResult(
        touched=tuple(name for name in sorted(after) if before[name] != after[name]),
        n_steps=1 if len(data.forget) else 0,
        n_forget_seen=len(data.forget),
        n_retain_seen=len(data.retain) if len(data.forget) else 0,
        guarantee_terms={f"{name}_sha256": digest for name, digest in after.items()},
        notes=("exact for the learned state; frozen parts in front of it are not covered",),
    )
