"""The models that a request leaves as they are: excepted by law (Art. 17(3) GDPR), or on hold, as its entries tell.

An exception ends a hold, and lasts until the model is taken in again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from compliance.evidence.leaf import Event
from compliance.evidence.position import Position

CHANGES = frozenset(
    {"request.model_excepted", "request.model_included", "request.model_held", "request.model_released"}
)


class Exempted(NamedTuple):
    """The entry that excepted a model: where it stands, the reason of law, and who said it."""

    position: Position
    reason: str
    actor_id: str


@dataclass
class Kept:
    """What is excepted, by model, and what is on hold, at one moment of a request."""

    excepted: dict[str, Exempted] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    @property
    def reasons(self) -> Mapping[str, str]:
        """The reason of law by excepted model."""
        return {model: exempted.reason for model, exempted in self.excepted.items()}

    def take_in(self, position: Position, event: Event) -> None:
        """Go one entry further; it must be of one of the types in CHANGES."""
        model = event.text("model")
        if event.type == "request.model_excepted":
            self.excepted[model] = Exempted(position, event.text("reason"), event.actor_id)
            self.held.discard(model)
        elif event.type == "request.model_included":
            self.excepted.pop(model, None)
        elif event.type == "request.model_held":
            self.held.add(model)
        else:
            self.held.discard(model)
