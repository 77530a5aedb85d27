"""Changes for a story to be told with: of events before they become leaves, of statements before they are signed."""

import dataclasses
from collections.abc import Callable
from typing import Any

from compliance.evidence.errors import EvidenceError, ExitCode
from compliance.evidence.leaf import Event
from compliance.evidence.statement import EvidenceFacts
from compliance.evidence.verify import verify_bundle

from .story import STEPS, some_id


def code_of(data: bytes, **pins: Any) -> ExitCode:
    """The exit code with which a bundle is refused; VERIFIED when it is not."""
    try:
        verify_bundle(data, **pins)
    except EvidenceError as error:
        return error.code
    return ExitCode.VERIFIED


def on(event_type: str, **facts: Any) -> Callable[[Event], Event]:
    """Change facts of one type of event."""

    def edit(event: Event) -> Event:
        return dataclasses.replace(event, facts={**event.facts, **facts}) if event.type == event_type else event

    return edit


def by(event_type: str, actor_id: str) -> Callable[[Event], Event]:
    return lambda event: dataclasses.replace(event, actor_id=actor_id) if event.type == event_type else event


def of_request(event_type: str) -> Callable[[Event], Event]:
    return lambda event: dataclasses.replace(event, request=some_id(99)) if event.type == event_type else event


def unlinked(event_type: str) -> Callable[[Event], Event]:
    return lambda event: dataclasses.replace(event, previous="0" * 64) if event.type == event_type else event


def says(**changes: Any) -> Callable[[EvidenceFacts], EvidenceFacts]:
    """Change the statement before it is signed."""
    return lambda facts: dataclasses.replace(facts, **changes)


def says_method(**changes: Any) -> Callable[[EvidenceFacts], EvidenceFacts]:
    return lambda facts: dataclasses.replace(facts, method=dataclasses.replace(facts.method, **changes))


def says_challenge(**changes: Any) -> Callable[[EvidenceFacts], EvidenceFacts]:
    return lambda facts: dataclasses.replace(facts, challenge=dataclasses.replace(facts.challenge, **changes))


def reordered(*steps: str) -> tuple[str, ...]:
    return (*STEPS[:4], *steps)
