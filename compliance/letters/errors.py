"""Why a letter cannot be composed."""


class LetterError(ValueError):
    """The family: such a letter must not be sent."""


class MissingPartError(LetterError):
    """A part that the letter must hold is missing or empty. `part` names it."""

    def __init__(self, kind: str, part: str) -> None:
        super().__init__(
            f"A letter of the kind {kind!r} must hold {part!r}, which is missing or empty. Nothing was sent; supply it."
        )
        self.part = part


class InvalidPartError(LetterError):
    """A part that is one line holds a line break or another control character, or is of the wrong type."""
