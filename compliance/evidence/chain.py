"""The events of one request, each pointing to the one before: what happened, in order, with nothing left out between.

A chain cannot show what happened after its last event. Terminal events end it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from compliance.evidence import clock, roles
from compliance.evidence import leaf as leaves
from compliance.evidence.errors import ChainError, PolicyOrderError, SwappedRequestError
from compliance.evidence.kept import CHANGES, Kept
from compliance.evidence.leaf import Event
from compliance.evidence.position import Position
from compliance.evidence.record import Logged

COMPLETIONS = frozenset({"request.completed", "request.partly_completed"})
TERMINAL = COMPLETIONS | {"request.refused", "request.withdrawn", "request.closed_unverified"}
_SHREDDED = "request.shredded"
_ACKNOWLEDGED = "request.recipient_acknowledged"
# What may follow the end: letters about it, recipients, and in the end the keys that open the commitments are destroyed.
_AFTER_THE_END = frozenset(
    {
        *("request.notified", "request.recipient_notified", "request.recipient_impossible", _ACKNOWLEDGED),
        *("request.unveiled", "request.linked", _SHREDDED),
    }
)
# Event → what must stand somewhere before it.
_NEEDS = {
    "request.approved": "request.identity_confirmed",
    "request.planned": "request.approved",
    **dict.fromkeys(COMPLETIONS, "request.approved"),
    "request.question_answered": "request.question_asked",
    "request.model_included": "request.model_excepted",
    "request.model_released": "request.model_held",
    "request.closed_unverified": "request.identity_requested",
}


class Link(NamedTuple):
    """One event with its place in the ledger and its leaf hash in hex."""

    position: Position
    sha256: str
    event: Event


@dataclass(frozen=True)
class Chain:
    """The request's events in the order of the log. There is at least one, and the first is `request.received`."""

    links: tuple[Link, ...]

    @cached_property
    def _by_type(self) -> Mapping[str, tuple[Link, ...]]:
        found: dict[str, list[Link]] = defaultdict(list)
        for link in self.links:
            found[link.event.type].append(link)
        return {name: tuple(links) for name, links in found.items()}

    @property
    def received(self) -> Link:
        """The first event."""
        return self.links[0]

    @cached_property
    def closing(self) -> Link | None:
        """The terminal event, if there is one."""
        return next((link for link in self.links if link.event.type in TERMINAL), None)

    @cached_property
    def completed(self) -> Link | None:
        """The completion, in whole or in part."""
        return self.closing if self.closing is not None and self.closing.event.type in COMPLETIONS else None

    @cached_property
    def _changes(self) -> tuple[Link, ...]:
        return tuple(link for link in self.links if link.event.type in CHANGES)

    def kept(self, before: Position) -> Kept:
        """The models that were excepted by law, and those on hold, when an entry was written."""
        found = Kept()
        for link in self._changes:
            if link.position >= before:
                break
            found.take_in(link.position, link.event)
        return found

    def all(self, event_type: str) -> tuple[Link, ...]:
        """All events of a type."""
        return self._by_type.get(event_type, ())

    def last(self, event_type: str, before: Position | None = None) -> Link | None:
        """The last event of a type, if asked only among those before a position."""
        found = [link for link in self.all(event_type) if before is None or link.position < before]
        return found[-1] if found else None

    def noted_at(self, position: Position) -> datetime:
        """The time of the last event before a position: the controller's clock."""
        before = (link for link in reversed(self.links) if link.position < position)
        return next(before, self.received).event.at

    def of_job(self, event_type: str, job: str, target: str) -> list[Link]:
        """The events of a type that belong to one job and one target."""
        wanted = (job, target)
        return [link for link in self.all(event_type) if (link.event.text("job"), link.event.text("target")) == wanted]


def read(request: str, entries: Iterable[Logged]) -> Chain:
    """The chain of a request, of which entries of evidence are no part.

    Raises LeafError, SwappedRequestError, ChainError, ActorRoleError or PolicyOrderError.
    """
    links = [Link(entry.position, entry.sha256, leaves.parse(entry.leaf)) for entry in entries if entry.kind == "event"]
    for link in links:
        if link.event.request != request:
            raise SwappedRequestError(
                f"Entry {link.position} ({link.event.type}) belongs to the request {link.event.request}, "
                f"the bundle to {request}."
            )
    _refuse_broken(links)
    chain = Chain(tuple(links))
    _refuse_untimely_runs(chain)
    return chain


def _refuse_broken(links: list[Link]) -> None:
    if not links or links[0].event.type != "request.received":
        raise ChainError("The events must begin with request.received; the first one is missing.")
    seen: set[str] = set()
    for before, link in zip([None, *links], links, strict=False):
        if link.event.previous != (before and before.sha256):
            raise ChainError(
                f"Entry {link.position} ({link.event.type}) does not follow the entry before it in this bundle: "
                "an event is missing, added or out of order."
            )
        if before is not None and clock.is_before(link.event.at, before.event.at):
            raise ChainError(
                f"Entry {link.position} ({link.event.type}) is dated {link.event.at:%Y-%m-%d %H:%M} and follows one of "
                f"{before.event.at:%Y-%m-%d %H:%M}: one of the two was not written then."
            )
        _refuse_beyond_the_end(link, seen)
        needed = _NEEDS.get(link.event.type)
        if needed is not None and needed not in seen:
            raise ChainError(f"Entry {link.position} ({link.event.type}) comes without {needed} before it.")
        roles.refuse_other_role(link.position, link.event)
        seen.add(link.event.type)


def _refuse_beyond_the_end(link: Link, seen: set[str]) -> None:
    event_type, ended = link.event.type, seen & TERMINAL
    if ended and event_type not in _AFTER_THE_END:
        raise ChainError(f"Entry {link.position} ({event_type}) follows {ended.pop()}, which ends a request.")
    if event_type == _SHREDDED and not ended:
        raise ChainError(f"Entry {link.position} ({event_type}) comes before the end of the request.")
    # A recipient may answer late; nothing else can be said of a request that nobody can open any more.
    if _SHREDDED in seen and event_type != _ACKNOWLEDGED:
        raise ChainError(f"Entry {link.position} ({event_type}) follows {_SHREDDED}, after which nothing happens.")


def _refuse_untimely_runs(chain: Chain) -> None:
    """Every run must have been planned, with its policy, before it began, on a model that was not to be left as it is."""
    named: set[str] = set()
    is_planned, kept = False, Kept()
    for link in chain.links:
        if link.event.type == "request.planned":
            is_planned = True
            named |= set(link.event.texts("jobs"))
        elif link.event.type == "request.retried":
            named.add(link.event.text("job"))
        elif link.event.type in CHANGES:
            kept.take_in(link.position, link.event)
        elif link.event.type == "job.started":
            if not (is_planned and link.event.text("job") in named):
                raise PolicyOrderError(
                    f"Entry {link.position}: the job {link.event.text('job')} started before a plan with a policy named "
                    "it."
                )
            _refuse_kept_model(link, kept)


def _refuse_kept_model(started: Link, kept: Kept) -> None:
    model = started.event.text("model")
    if model in kept.held or model in kept.excepted:
        raise ChainError(
            f"Entry {started.position}: the job {started.event.text('job')} started on the model {model}, which was "
            f"{'on hold' if model in kept.held else 'excepted'} then."
        )
