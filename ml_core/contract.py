"""Every type that crosses a boundary of ml_core: data in, models, runs, results, findings, cards.

Legend of shapes, used in every trailing comment: N records, D features of a record, W width of an expansion,
C classes, F forget records, R retain records, H holdout records, B bootstrap replicates.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from ml_core.errors import Cancelled, DataError, DeadlineExceededError

#: What a plug-in writes in ``families`` when it reads nothing but the ``Family`` protocol.
ANY_FAMILY = "any"


class Assurance(StrEnum):
    """What may be claimed about a method's result, strongest first."""

    EXACT = "exact"
    CERTIFIED = "certified"
    APPROXIMATE = "approximate"
    SUPPRESSION = "suppression"


class Verdict(StrEnum):
    """What an audit says. Inconclusive is never counted as a pass."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Need(StrEnum):
    """What the caller must supply beyond the model and the forget set; a closed set."""

    RETAIN_DATA = "retain_data"
    REFERENCE_MODEL = "reference_model"
    GRADIENTS = "gradients"
    PREPARED_STATE = "prepared_state"


class SpecSource(StrEnum):
    """Where a method's details come from."""

    PAPER = "paper"
    CODE = "code"
    INTERPRETATION = "interpretation"


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Labelled records of named persons.

    features: [N, D] floating point, finite. labels: [N] int64. record_ids: N unique strings. person_ids: N strings,
    the person whom each record concerns. Ids are not empty, are valid UTF-8 and hold no NUL, so that they survive
    being hashed and stored. Raises DataError on anything else.
    """

    features: Tensor
    labels: Tensor
    record_ids: tuple[str, ...]
    person_ids: tuple[str, ...]

    def __post_init__(self) -> None:
        problem = _examples_problem(self)
        if problem:
            raise DataError(f"malformed examples: {problem}")

    def __len__(self) -> int:
        return len(self.record_ids)

    def subset(self, chosen: Tensor | Iterable[str]) -> Examples:
        """The records where a boolean mask [N] is true, or those with the given record ids, in stored order.

        Raises DataError when the mask has another shape or type, or a record id is absent.
        """
        keep = self._positions(chosen)
        index = torch.tensor(keep, dtype=torch.int64, device=self.features.device)
        return Examples(
            features=self.features[index],
            labels=self.labels[index],
            record_ids=tuple(self.record_ids[position] for position in keep),
            person_ids=tuple(self.person_ids[position] for position in keep),
        )

    def of_persons(self, person_ids: Iterable[str]) -> Examples:
        """The records that concern any of the given persons, in stored order; possibly none."""
        wanted = set(person_ids)
        return self.subset(torch.tensor([person in wanted for person in self.person_ids], dtype=torch.bool))

    def _positions(self, chosen: Tensor | Iterable[str]) -> list[int]:
        if isinstance(chosen, Tensor):
            if chosen.dtype != torch.bool or chosen.shape != (len(self),):
                raise DataError(f"expected a boolean mask of shape ({len(self)},), found {chosen.dtype} {chosen.shape}")
            return [position for position, keep in enumerate(chosen.tolist()) if keep]
        wanted = set(chosen)
        keep = [position for position, record_id in enumerate(self.record_ids) if record_id in wanted]
        if len(keep) != len(wanted):
            raise DataError(f"{len(wanted) - len(keep)} of {len(wanted)} record ids are not among these examples")
        return keep


def _examples_problem(examples: Examples) -> str:
    features, labels, n_records = examples.features, examples.labels, len(examples.record_ids)
    if features.ndim != 2 or not features.is_floating_point():
        return f"features must be floating point [N, D], found {features.dtype} with shape {tuple(features.shape)}"
    if labels.ndim != 1 or labels.dtype != torch.int64:
        return f"labels must be int64 [N], found {labels.dtype} with shape {tuple(labels.shape)}"
    lengths = (len(features), len(labels), n_records, len(examples.person_ids))
    if len(set(lengths)) != 1:
        return "lengths differ: features {}, labels {}, record_ids {}, person_ids {}".format(*lengths)
    if not all(_is_id(name) for name in (*examples.record_ids, *examples.person_ids)):
        return "record_ids and person_ids must be non-empty strings of valid UTF-8 without NUL"
    if len(set(examples.record_ids)) != n_records:
        return f"{n_records - len(set(examples.record_ids))} record ids occur more than once"
    n_bad = int((~torch.isfinite(features)).any(dim=1).sum())
    return f"{n_bad} records have features that are not finite" if n_bad else ""


def _is_id(name: object) -> bool:
    # Lone surrogates cannot be encoded; numpy drops trailing NULs.
    return isinstance(name, str) and name != "" and not re.search("[\0\ud800-\udfff]", name)


@dataclass(frozen=True, kw_only=True)
class UnlearnData:
    """What a method may see. Never holdout. Raises DataError when a record is in both sets."""

    forget: Examples
    retain: Examples | None = None

    def __post_init__(self) -> None:
        n_shared = len(set(self.forget.record_ids) & set(self.retain.record_ids)) if self.retain is not None else 0
        if n_shared:
            raise DataError(f"{n_shared} records are in both forget and retain; a record must be in one of them")


class Model(Protocol):
    """A model of some family. ``named_tensors`` returns the live tensors whose equality with retraining is claimed."""

    family: str

    def named_tensors(self) -> dict[str, Tensor]: ...


@dataclass(frozen=True, kw_only=True)
class AuditData:
    """What an audit may see. ``reference`` is a model trained without the forget records, or None."""

    forget: Examples
    retain: Examples
    holdout: Examples
    reference: Model | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """The circumstances of one run. ``generator`` is the only source of randomness (a CPU generator).

    deadline_at: seconds of ``time.monotonic``, or None. progress receives (fraction in [0, 1], message).
    """

    generator: torch.Generator
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    dtype: torch.dtype = torch.float64
    deadline_at: float | None = None
    progress: Callable[[float, str], None] = lambda fraction, message: None
    is_cancelled: Callable[[], bool] = lambda: False

    def step(self, fraction: float, message: str) -> None:
        """Report progress. Raises Cancelled or DeadlineExceededError; call it before each costly piece of work."""
        if self.is_cancelled():
            raise Cancelled(f"the run was cancelled before: {message}")
        if self.deadline_at is not None and time.monotonic() > self.deadline_at:
            raise DeadlineExceededError(f"the deadline passed before: {message}; repeat the run with more time")
        self.progress(fraction, message)


@dataclass(frozen=True, kw_only=True)
class UnlearnResult:
    """What a method did. No figures of success: a method does not mark its own homework.

    touched: sorted names of changed tensors. guarantee_terms: numbers and digests on which the assurance rests.
    """

    touched: tuple[str, ...]
    n_steps: int
    n_forget_seen: int
    n_retain_seen: int
    guarantee_terms: Mapping[str, str | int | float]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able mapping."""
        return {**asdict(self), "touched": list(self.touched), "notes": list(self.notes)}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One result of one audit. A verdict of pass or fail has a finite value; inconclusive has a reason.

    interval: (low, high) of the statistic at confidence ``level``. n: sizes of what was compared. Numbers are finite,
    for evidence is JSON. Raises ValueError when a verdict lacks what it rests on, or a number is not finite.
    """

    audit: str
    version: str
    statistic: str
    value: float | None
    threshold: float
    interval: tuple[float, float] | None
    level: float
    p_value: float | None
    n: Mapping[str, int]
    verdict: Verdict
    reasons: tuple[str, ...]
    details: Mapping[str, float | int | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.verdict is Verdict.INCONCLUSIVE and not self.reasons:
            raise ValueError("an inconclusive finding must say why")
        if self.verdict is not Verdict.INCONCLUSIVE and self.value is None:
            raise ValueError(f"a verdict of {self.verdict} needs a value")
        numbers = (self.value, self.threshold, self.level, self.p_value, *(self.interval or ()), *self.details.values())
        if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
            raise ValueError("a finding holds numbers that are not finite; say inconclusive and give the reason")

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able mapping; contains no record, person or tensor."""
        interval = None if self.interval is None else list(self.interval)
        return {**asdict(self), "verdict": str(self.verdict), "reasons": list(self.reasons), "interval": interval}


@dataclass(frozen=True, kw_only=True)
class Card:
    """A plug-in described for a catalogue. kind is "method" or "audit"; source_sha256 is the digest of its file."""

    name: str
    kind: str
    version: str
    assurance: Assurance | None
    families: tuple[str, ...]
    needs: tuple[Need, ...]
    spec_source: SpecSource
    summary: str
    reference: str
    cost: str
    source_sha256: str
    config_schema: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able mapping."""
        return {
            **asdict(self),
            "assurance": None if self.assurance is None else str(self.assurance),
            "families": list(self.families),
            "needs": [str(need) for need in self.needs],
            "spec_source": str(self.spec_source),
        }


@dataclass(frozen=True, kw_only=True)
class ToyProblem:
    """A planted problem on which a family memorises: what conformance trains on.

    config: training configuration of the family. forget_person_ids: persons in ``train`` to be forgotten.
    never_trained: records that are in neither split. output_filter(model, forget) wraps a model so that it answers
    differently for the forget records only and is otherwise the same: the cheat that an audit must not pass.
    """

    config: Any
    train: Examples
    holdout: Examples
    never_trained: Examples
    forget_person_ids: tuple[str, ...]
    output_filter: Callable[[Model, Examples], Model]


class Family(Protocol):
    """One kind of model: how it is stored, trained and scored. Lives in ``ml_core/families/<name>.py`` as ``family``."""

    @property
    def name(self) -> str: ...

    @property
    def config_class(self) -> type[Any]: ...

    def load(self, folder: Path, device: torch.device) -> Model:
        """Raises ArtifactError on pickles, missing or unknown files, and wrong shapes or dtypes."""

    def save(self, model: Model, folder: Path) -> None:
        """Writes byte-deterministic files into a new or empty folder. Raises ArtifactError otherwise."""

    def train(self, examples: Examples, config: Any, run: Run) -> Model: ...

    def retrain(self, before: Model, retain: Examples, run: Run) -> Model:
        """The same frozen parts as ``before``, learned state from scratch on ``retain``."""

    def require_held(self, model: Model, examples: Examples) -> None:
        """Raises NeverTrainedError or AlreadyDeletedError unless the model holds each record as it is offered."""

    def take_over(self, model: Model, retrained: Model, forget: Examples) -> None:
        """Make ``model`` what ``retrained`` is, and have it remember that it held ``forget``.

        Raises as ``require_held`` does, and DataError unless ``retrained`` holds exactly the other records of ``model``;
        then nothing was changed.
        """

    def losses(self, model: Model, examples: Examples) -> Tensor:
        """[N] float64 on the CPU: the training loss of each record."""

    def predict(self, model: Model, features: Tensor) -> Tensor:
        """[N] int64 on the CPU: the predicted class of each row of features [N, D]."""

    def copy(self, model: Model) -> Model:
        """An independent copy; changing one never changes the other."""

    def toy(self, run: Run) -> ToyProblem: ...
