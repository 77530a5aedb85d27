"""The four statuses of the protocol, and which of them each state of a deletion request is told as.

The protocol has no word for "refused", "in part" or "identity never proven": how a request ended, and why, stands in our
own extension (outcome.py).
Source: OpenDSR 2.0, section 8.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class RequestStatus(StrEnum):
    """What a controller is told."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


# By the value of compliance.requests.states.RequestState.
STATUS_OF_STATE: Mapping[str, RequestStatus] = MappingProxyType(
    {
        "received": RequestStatus.PENDING,
        "identity_pending": RequestStatus.PENDING,
        "under_review": RequestStatus.PENDING,
        "info_requested": RequestStatus.PENDING,
        "approved": RequestStatus.IN_PROGRESS,
        "executing": RequestStatus.IN_PROGRESS,
        "verifying": RequestStatus.IN_PROGRESS,
        "attention": RequestStatus.IN_PROGRESS,
        "signoff": RequestStatus.IN_PROGRESS,
        "completed": RequestStatus.COMPLETED,
        "partly_completed": RequestStatus.COMPLETED,
        "refused": RequestStatus.COMPLETED,
        "withdrawn": RequestStatus.CANCELLED,
        "closed_unverified": RequestStatus.CANCELLED,
    }
)
# Spellings that other processors send. They are read and never written.
READ_AS: Mapping[str, RequestStatus] = MappingProxyType(
    {
        **{status.value: status for status in RequestStatus},
        "in-progress": RequestStatus.IN_PROGRESS,
        "canceled": RequestStatus.CANCELLED,
    }
)
_LATER: Mapping[RequestStatus, frozenset[RequestStatus]] = MappingProxyType(
    {
        RequestStatus.PENDING: frozenset({RequestStatus.IN_PROGRESS, RequestStatus.COMPLETED, RequestStatus.CANCELLED}),
        RequestStatus.IN_PROGRESS: frozenset({RequestStatus.COMPLETED}),
        RequestStatus.COMPLETED: frozenset(),
        RequestStatus.CANCELLED: frozenset(),
    }
)


def may_follow(before: RequestStatus, after: RequestStatus) -> bool:
    """Whether a request told as `before` may next be told as `after`: the same again, or a later one.

    A controller that asks this is not led back by an old callback that arrives late or is sent again.
    """
    return after == before or after in _LATER[before]
