"""What can go wrong with a machine client. Each message says what was expected, what was found, and what to do."""


class ClientError(Exception):
    """The family."""


class InvalidClientError(ClientError):
    """A name, a role or a scope is not one of those allowed."""


class UnknownClientError(ClientError):
    """No such client, or one that was revoked."""
