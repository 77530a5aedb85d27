"""What a webhook can be told of: a request reached a state. One type for each state, so a new state is a new type."""

from collections.abc import Sequence

from compliance.outbound.errors import InvalidWebhookError
from compliance.requests.states import RequestState

TEST = "webhook.test"
EVERY = "*"
EVENT_TYPES = tuple(f"request.{state.value}" for state in RequestState)


def event_type_of(state: RequestState) -> str:
    """The type that tells of this state."""
    return f"request.{state.value}"


def chosen(event_types: Sequence[str]) -> list[str]:
    """The types, each once, in the order of the states; raises InvalidWebhookError."""
    known = {EVERY, *EVENT_TYPES}
    if not event_types or not set(event_types) <= known:
        raise InvalidWebhookError(
            f"event_types: expected one or more of {EVERY} (all), {', '.join(EVENT_TYPES)}; found others, or none."
        )
    return [EVERY] if EVERY in event_types else [name for name in EVENT_TYPES if name in event_types]


def is_told(subscribed: Sequence[str], event_type: str) -> bool:
    """Whether a webhook with these types is told of this one."""
    return EVERY in subscribed or event_type in subscribed
