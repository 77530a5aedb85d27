"""The register of models as the ledger tells it, and what a disclosed request says of models against it.

A model enters with its family, then with its first version; every later version is made by a recorded job. So the
ledger alone shows which models there were when a decision was made, and whose version a run began from.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from compliance.evidence import attachment
from compliance.evidence.chain import Chain
from compliance.evidence.closure import Proven, model_of
from compliance.evidence.errors import PolicyMismatchError, ScopeMismatchError, SwappedModelError
from compliance.evidence.judgement import Judged
from compliance.evidence.leaf import Event
from compliance.evidence.position import Position


class RegisteredVersion(NamedTuple):
    """A version of a model (hex SHA-256 of its manifest), and the entry that says something of it."""

    position: Position
    model: str
    sha256: str


@dataclass(frozen=True)
class Registry:
    """Models by id with their family; first versions, and versions that were destroyed, in the order of the ledger."""

    families: Mapping[str, str]
    first: tuple[RegisteredVersion, ...]
    destroyed: tuple[RegisteredVersion, ...]

    def models_before(self, position: Position) -> frozenset[str]:
        """The models that had a version when an entry was written."""
        return frozenset(version.model for version in self.first[: self.n_models_before(position)])

    def n_models_before(self, position: Position) -> int:
        """How many they were."""
        return bisect_left(self.first, position, key=lambda version: version.position)


def read_registry(others: Iterable[tuple[Position, Event]]) -> Registry:
    """The register out of the events that belong to no request; raises SwappedModelError where it contradicts itself."""
    families: dict[str, str] = {}
    first: dict[str, RegisteredVersion] = {}
    destroyed: list[RegisteredVersion] = []
    for position, event in others:
        if event.type == "model.registered":
            if event.text("model") in families:
                raise SwappedModelError(f"Entry {position} registers the model {event.text('model')} a second time.")
            families[event.text("model")] = event.text("family")
        elif event.type in ("version.registered", "version.destroyed"):
            version = RegisteredVersion(position, event.text("model"), event.text("version_sha256"))
            if version.model not in families:
                raise SwappedModelError(
                    f"Entry {position} ({event.type}) is about the model {version.model}, which was not registered before."
                )
            if event.type == "version.destroyed":
                destroyed.append(version)
            elif first.setdefault(version.model, version) is not version:
                raise SwappedModelError(
                    f"Entry {position} registers a second version of the model {version.model}; after the first, jobs "
                    "make them."
                )
    return Registry(families, tuple(first.values()), tuple(destroyed))


def refuse_too_many_targets(chain: Chain, registry: Registry) -> None:
    """Raises ScopeMismatchError for a decision about more models than there were."""
    for approved in chain.all("request.approved"):
        n_targets, n_models = int(str(approved.event.facts["n_targets"])), registry.n_models_before(approved.position)
        if n_targets > n_models:
            raise ScopeMismatchError(
                f"Entry {approved.position} decides on {n_targets} models; {n_models} were registered before."
            )


def refuse_other_register(judged: Judged, registry: Registry) -> bool:
    """Raises ScopeMismatchError or PolicyMismatchError where a disclosed request contradicts the register of models.

    Returns whether its scope leaves out a model that was registered while the decision was made. The two may cross,
    so that is no fault; the plan made after it looks again.
    """
    for item in judged.proven:
        _refuse_other_method(item, judged, registry)
    return _refuse_other_models(judged, registry)


def _refuse_other_models(judged: Judged, registry: Registry) -> bool:
    approved = judged.chain.last("request.approved")
    # Canonical, and of the right form: that was checked when it was opened.
    scope = None if judged.openings is None else judged.openings.scope
    if approved is None or scope is None:
        return False
    named = {share["model"] for share in scope["models"]}
    registered = registry.models_before(approved.position)
    unknown = sorted(named - registered)
    if unknown:
        raise ScopeMismatchError(
            f"The scope names the model {unknown[0]}, which was not registered before the decision."
        )
    before = judged.chain.links[judged.chain.links.index(approved) - 1]
    left_out = sorted(registry.models_before(before.position) - named)
    if left_out:
        raise ScopeMismatchError(
            f"The scope does not say what the model {left_out[0]} holds, which was registered before the decision."
        )
    return named != registered


def _refuse_other_method(item: Proven, judged: Judged, registry: Registry) -> None:
    """The policy names a method for each family: that of another family is none for this model."""
    model, methods = model_of(judged.chain, item), judged.policy.document["methods"]
    family = registry.families.get(model)
    if family is None or family not in methods:
        raise PolicyMismatchError(
            f"The policy names no method for the model {model}, which is "
            f"{'not registered' if family is None else f'of the family {family}'}."
        )
    if len(methods) > 1:
        attached = next(each for each in judged.record.evidence if each.position == item.position)
        run = attachment.find_run(item.facts, attached, judged.chain)
        policy = {"methods": {family: methods[family]}}
        attachment.refuse_other_policy(item.facts, run, judged.policy.sha256, policy)
