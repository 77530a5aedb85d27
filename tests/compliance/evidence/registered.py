"""Stories in a ledger that knows their models: each begins from the version that the last run left behind."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import canonical, leaf
from compliance.evidence.leaf import Event, FactValue
from compliance.evidence.verdict import Result

from .ledgers import Cosigner, Ledger
from .story import MODEL_A, MODEL_B, START, SYSTEM, UNCONCERNED, Part, Story

FAMILY = "analytic_classifier"
MODELS = {MODEL_A: "a", MODEL_B: "b", UNCONCERNED: "c"}


def own_event(event_type: str, **facts: FactValue) -> bytes:
    """The leaf of an event that belongs to no request."""
    return leaf.build(
        Event(
            type=event_type,
            request=None,
            previous=None,
            at=START,
            actor_role="system",
            actor_id=SYSTEM,
            facts=facts,
        )
    )


def model_registered(model: str, family: str = FAMILY) -> bytes:
    return own_event("model.registered", model=model, family=family)


def version_registered(model: str, manifest: bytes) -> bytes:
    facts: dict[str, FactValue] = {"records_commitment": "a" * 64, "n_records": 500}
    return own_event("version.registered", model=model, version_sha256=sha256(manifest).hexdigest(), **facts)


class RegisteredLedger(Ledger):
    """A ledger whose first entries register the models of the stories, each with a version. `heads` are the manifests
    that the next runs begin from."""

    def __init__(
        self,
        key: Ed25519PrivateKey,
        cosigners: Sequence[Cosigner] = (),
        *,
        first: Sequence[bytes] = (),
        families: dict[str, str] | None = None,
    ) -> None:
        super().__init__(key, cosigners)
        self.heads: dict[str, bytes] = {}
        for entry in first:
            self.append(entry)
        for model, name in MODELS.items():
            self.register(model, name, (families or {}).get(model, FAMILY))

    def register(self, model: str, name: str, family: str = FAMILY) -> None:
        """One more model with its first version."""
        self.heads[model] = canonical.dumps({"model": name, "version": 0})
        self.append(model_registered(model, family))
        self.append(version_registered(model, self.heads[model]))


class RegisteredStory(Story):
    """A story whose runs begin from the versions that the ledger knows, and leave theirs to the next one."""

    ledger: RegisteredLedger

    def new_parts(self) -> tuple[Part, ...]:
        return tuple(replace(part, before=self.ledger.heads[part.model]) for part in super().new_parts())

    def find(self) -> None:
        super().find()
        passed = [part for part in self.active if self.result(part) is not Result.FAILED]
        self.ledger.heads |= {part.model: part.after for part in passed}
