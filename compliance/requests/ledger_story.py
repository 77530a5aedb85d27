"""What a published log says of requests and versions: the source after a restore, when the rows are older than it is.

Only facts of the allow-list are read (compliance/evidence/leaf.py), so nothing here names a person.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from compliance.evidence import chain
from compliance.evidence import leaf as leaves
from compliance.evidence.leaf import Event
from compliance.evidence.merkle import leaf_hash

_TAKEN_BACK = {
    "request.model_included": "request.model_excepted",
    "request.model_released": "request.model_held",
}
_FAILED = "failed"


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
    def is_told_of_the_end(self) -> bool:
        """Whether the letter about its end went out."""
        notices = {event.text("notice") for event in self.events if event.type == "request.notified"}
        return self.end is not None and self.end.type.partition(".")[2] in notices

    @property
    def kept(self) -> dict[uuid.UUID, Event]:
        """The models that are excepted or on hold after its last event, and the event that says so."""
        found: dict[uuid.UUID, Event] = {}
        for event in self.events:
            if event.type in ("request.model_excepted", "request.model_held"):
                found[uuid.UUID(event.text("model"))] = event
            elif event.type in _TAKEN_BACK:
                model = uuid.UUID(event.text("model"))
                if model in found and found[model].type == _TAKEN_BACK[event.type]:
                    del found[model]
        return found

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
    """A version whose weights were destroyed, and by no run made again since; the jobs that had made it."""

    model_id: uuid.UUID
    sha256: str
    at: datetime
    jobs: frozenset[uuid.UUID]


@dataclass(frozen=True)
class LedgerStory:
    """All requests by id; by model and digest, how each version was last made, and with which runs, in their order, one
    passed; of each model the newest version that a completion put into service; the versions that are destroyed; models
    in which the law kept somebody; models that were registered."""

    requests: dict[uuid.UUID, RequestStory] = field(default_factory=dict)
    made: dict[tuple[uuid.UUID, str], Made] = field(default_factory=dict)
    passed: dict[tuple[uuid.UUID, str], None] = field(default_factory=dict)
    released: dict[uuid.UUID, str] = field(default_factory=dict)
    destroyed: dict[tuple[uuid.UUID, str], Destroyed] = field(default_factory=dict)
    excepted: set[uuid.UUID] = field(default_factory=set)
    models: list[uuid.UUID] = field(default_factory=list)


def told_by(log_leaves: Iterable[bytes]) -> LedgerStory:
    """The story of these leaves, in the order of the ledger. Raises LeafError."""
    story = LedgerStory()
    jobs: dict[tuple[uuid.UUID, str], set[uuid.UUID]] = defaultdict(set)
    made: dict[str, Made] = {}
    models: dict[str, uuid.UUID] = {}
    named: set[str] = set()
    for leaf in log_leaves:
        if leaf.startswith(b'{"apiVersion":'):
            continue
        event = leaves.parse(leaf)
        if event.request is not None:
            _add(story, event, leaf)
        if event.type == "job.started":
            models[event.text("job")] = uuid.UUID(event.text("model"))
        elif event.type == "job.recorded":
            made[event.text("job")] = _made(event, models[event.text("job")])
            _take_in_version(story, made[event.text("job")], jobs)
        elif event.type == "findings.recorded" and event.text("verdict") != _FAILED:
            _take_in_passed(story, made[event.text("job")])
        elif event.type in chain.COMPLETIONS:
            named.update(event.texts("versions"))
        elif event.type == "version.destroyed":
            _destroy(story, event, jobs)
        else:
            _note_of_models(story, event)
    # Each is built on the one that passed before it: the newest serves, whichever completion came last.
    story.released.update({model_id: sha256 for model_id, sha256 in story.passed if sha256 in named})
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


def _take_in_version(story: LedgerStory, made: Made, jobs: dict[tuple[uuid.UUID, str], set[uuid.UUID]]) -> None:
    key = made.model_id, made.after_sha256
    story.made[key] = made
    jobs[key].add(made.job_id)
    # A retry may make again what was destroyed: the order of the ledger tells, times to the second do not.
    story.destroyed.pop(key, None)


def _take_in_passed(story: LedgerStory, made: Made) -> None:
    """Passed again, it counts from the last time on."""
    key = made.model_id, made.after_sha256
    story.passed.pop(key, None)
    story.passed[key] = None


def _destroy(story: LedgerStory, event: Event, jobs: dict[tuple[uuid.UUID, str], set[uuid.UUID]]) -> None:
    key = uuid.UUID(event.text("model")), event.text("version_sha256")
    story.destroyed[key] = Destroyed(model_id=key[0], sha256=key[1], at=event.at, jobs=frozenset(jobs[key]))


def _note_of_models(story: LedgerStory, event: Event) -> None:
    if event.type == "model.registered":
        story.models.append(uuid.UUID(event.text("model")))
    elif event.type == "request.model_excepted":
        story.excepted.add(uuid.UUID(event.text("model")))
