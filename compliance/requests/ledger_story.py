"""What a published log says of requests and versions: the source after a restore, when the rows are older than it is.

Only facts of the allow-list are read (compliance/evidence/leaf.py), so nothing here names a person.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from compliance.evidence import chain
from compliance.evidence import leaf as leaves
from compliance.evidence.leaf import Event
from compliance.evidence.merkle import leaf_hash


@dataclass
class RequestStory:
    """The events of one request in order, and their leaf hashes (hex)."""

    request_id: uuid.UUID
    events: list[Event] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)

    @property
    def end(self) -> Event | None:
        """The event that closed it."""
        return next((event for event in self.events if event.type in chain.TERMINAL), None)

    @property
    def is_shredded(self) -> bool:
        """Whether its identity was destroyed."""
        return any(event.type == "request.shredded" for event in self.events)

    def since(self, chain_head: str) -> list[Event]:
        """What follows the row that has this chain head. Nothing where the row is as new, or newer than the log."""
        return self.events[self.hashes.index(chain_head) + 1 :] if chain_head in self.hashes else []


@dataclass(frozen=True, kw_only=True)
class Made:
    """A version that a job of a request made."""

    request_id: uuid.UUID
    model_id: uuid.UUID
    job_id: uuid.UUID
    before_sha256: str
    after_sha256: str
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class Destroyed:
    """A version whose weights were destroyed."""

    model_id: uuid.UUID
    sha256: str
    at: datetime


@dataclass(frozen=True)
class LedgerStory:
    """All requests by id; versions by model and digest; those put into service, and those destroyed, in the order of the
    ledger; models in which the law kept somebody; models that were registered."""

    requests: dict[uuid.UUID, RequestStory]
    made: dict[tuple[uuid.UUID, str], Made]
    served: list[Made]
    destroyed: list[Destroyed]
    excepted: set[uuid.UUID]
    models: list[uuid.UUID]


def told_by(log_leaves: Iterable[bytes]) -> LedgerStory:
    """The story of these leaves, in the order of the ledger. Raises LeafError."""
    story = LedgerStory(requests={}, made={}, served=[], destroyed=[], excepted=set(), models=[])
    models: dict[str, uuid.UUID] = {}
    for leaf in log_leaves:
        if leaf.startswith(b'{"apiVersion":'):
            continue
        event = leaves.parse(leaf)
        if event.request is not None:
            _add(story, event, leaf)
        if event.type == "job.started":
            models[event.text("job")] = uuid.UUID(event.text("model"))
        elif event.type == "job.recorded":
            made = _made(event, models[event.text("job")])
            story.made[made.model_id, made.after_sha256] = made
        elif event.type in chain.COMPLETIONS:
            story.served.extend(_served(event, story))
        else:
            _note_of_models(story, event)
    return story


def _add(story: LedgerStory, event: Event, leaf: bytes) -> None:
    request_id = uuid.UUID(event.request)
    request = story.requests.setdefault(request_id, RequestStory(request_id))
    request.events.append(event)
    request.hashes.append(leaf_hash(leaf).hex())


def _made(event: Event, model_id: uuid.UUID) -> Made:
    return Made(
        request_id=uuid.UUID(event.request),
        model_id=model_id,
        job_id=uuid.UUID(event.text("job")),
        before_sha256=event.text("before_sha256"),
        after_sha256=event.text("after_sha256"),
        made_at=event.at,
    )


def _served(event: Event, story: LedgerStory) -> list[Made]:
    """What a completion put into service: the versions that it names, as jobs of the same request made them."""
    wanted, request_id = set(event.texts("versions")), uuid.UUID(event.request)
    return [each for each in story.made.values() if each.request_id == request_id and each.after_sha256 in wanted]


def _note_of_models(story: LedgerStory, event: Event) -> None:
    if event.type == "version.destroyed":
        model_id = uuid.UUID(event.text("model"))
        story.destroyed.append(Destroyed(model_id=model_id, sha256=event.text("version_sha256"), at=event.at))
    elif event.type == "model.registered":
        story.models.append(uuid.UUID(event.text("model")))
    elif event.type == "request.model_excepted":
        story.excepted.add(uuid.UUID(event.text("model")))
