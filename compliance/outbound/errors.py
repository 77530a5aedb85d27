"""What can go wrong on the way out. Each message says what was expected, what was found, and what to do.

No message quotes an address in full: its path may be a secret.
"""


class OutboundError(Exception):
    """The family. `code` is stable and goes into API errors; `status` is the HTTP status it maps to."""

    code = "outbound_error"
    status = 400


class AddressRefusedError(OutboundError):
    """Nothing is sent to this address: its spelling, or where it leads."""

    code = "address_refused"


class NameUnknownError(OutboundError):
    """The name of the host leads nowhere, or was not looked up in time."""

    code = "name_unknown"


class MessageError(OutboundError):
    """A message that must not be put on the wire: too long, or a header that is none."""

    code = "message_invalid"


class KindError(OutboundError):
    """A file among the kinds breaks the contract, or there is none of this name."""

    code = "kind_invalid"


class InvalidWebhookError(OutboundError):
    """A value for a webhook is not one of those allowed."""

    code = "invalid_input"


class NotFoundError(OutboundError):
    """No such row."""

    code = "not_found"
    status = 404


class StateError(OutboundError):
    """The row is not in a state in which this can be done."""

    code = "wrong_state"
    status = 409


class ForbiddenActorError(OutboundError):
    """This role may not do that."""

    code = "forbidden"
    status = 403
