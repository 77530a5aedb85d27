"""What is refused about keys, each with a sentence and a remedy."""


class KeyStateError(RuntimeError):
    """A key that is not published, or whose state does not allow what was asked."""


class KeyOutOfUseError(KeyStateError):
    """The configured key is retired or distrusted: what it signs proves nothing any more."""
