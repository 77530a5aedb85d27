"""What happened around a decision: questions, more time, exceptions, holds, recipients, links. In sentences."""

from collections.abc import Callable, Mapping

from compliance.evidence.chain import Chain
from compliance.evidence.leaf import Event

_SENTENCES: Mapping[str, Callable[[Event], str]] = {
    "request.question_asked": lambda event: f"The person was asked a question on {event.at:%Y-%m-%d}.",
    "request.question_answered": lambda event: f"The question was settled on {event.at:%Y-%m-%d}.",
    "request.extended": lambda event: (
        f"The period was extended on {event.at:%Y-%m-%d} to {event.text('due_date')} ({event.text('reason')}); it holds "
        "if the notice was sent in time."
    ),
    "request.linked": lambda event: (
        f"It was linked to the request {event.text('linked')} ({event.text('reason')}) on {event.at:%Y-%m-%d}."
    ),
    "request.model_excepted": lambda event: (
        f"The model {event.text('model')} was EXCEPTED on {event.at:%Y-%m-%d} ({event.text('reason')}): it keeps what "
        "it holds of the person."
    ),
    "request.model_included": lambda event: (
        f"The exception of the model {event.text('model')} was taken back on {event.at:%Y-%m-%d}."
    ),
    "request.model_held": lambda event: (
        f"The model {event.text('model')} was put on hold on {event.at:%Y-%m-%d} ({event.text('reason')})."
    ),
    "request.model_released": lambda event: (
        f"The hold on the model {event.text('model')} was lifted on {event.at:%Y-%m-%d}."
    ),
    "request.notified": lambda event: f"A letter ({event.text('notice')}) was sent on {event.at:%Y-%m-%d}.",
    "request.recipient_notified": lambda event: (
        f"The recipient {event.text('recipient')} was told on {event.at:%Y-%m-%d}."
    ),
    "request.recipient_acknowledged": lambda event: (
        f"The recipient {event.text('recipient')} acknowledged on {event.at:%Y-%m-%d}."
    ),
    "request.recipient_impossible": lambda event: (
        f"The recipient {event.text('recipient')} was NOT told ({event.text('reason')}), by the decision of "
        f"{event.at:%Y-%m-%d}."
    ),
    "request.unveiled": lambda event: (
        f"The identity was unveiled by {event.actor_role} {event.actor_id} on {event.at:%Y-%m-%d} "
        f"({event.text('reason')})."
    ),
}


def course_of(chain: Chain) -> list[str]:
    """One sentence for each event that is neither receipt, decision, run nor end, in order."""
    return [_SENTENCES[link.event.type](link.event) for link in chain.links if link.event.type in _SENTENCES]
