"""What can go wrong with the tokens of people who were erased."""


class SuppressionError(Exception):
    """The family: what was expected, what was found, what to do."""


class ExportError(SuppressionError):
    """A file of tokens is not usable here."""


class ErasedPeopleError(SuppressionError):
    """Records of people who were erased stand where they must not."""


class NotSuppressedError(SuppressionError):
    """Nobody of this identifier is remembered as erased."""


class ForbiddenLiftingError(SuppressionError):
    """This role may not let a person return."""
