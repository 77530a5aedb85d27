"""What can go wrong with a request. Each message says what was expected, what was found, and what to do."""


class RequestError(Exception):
    """The family. `code` is stable and goes into API errors; `status` is the HTTP status it maps to."""

    code = "request_error"
    status = 400


class InvalidInputError(RequestError):
    """A value is not one of those allowed."""

    code = "invalid_input"
    status = 400


class NotFoundError(RequestError):
    """No such request, or a token that does not open it. The two are not told apart, on purpose."""

    code = "not_found"
    status = 404


class StateError(RequestError):
    """The request is not in a state in which this can be done."""

    code = "wrong_state"
    status = 409


class StaleStateError(RequestError):
    """Someone else changed the request first. Read it again before trying again."""

    code = "changed_meanwhile"
    status = 409


class ForbiddenActorError(RequestError):
    """This role, or this person, may not do that."""

    code = "forbidden"
    status = 403


class IdentityError(RequestError):
    """The code is wrong, expired, or used up."""

    code = "identity_not_confirmed"
    status = 400


class ScopeDriftError(RequestError):
    """What the models hold about the person is no longer what was approved."""

    code = "scope_changed"
    status = 409


class PolicyError(RequestError):
    """The policy file is not usable."""

    code = "policy_invalid"
    status = 500


class LostLeaseError(RequestError):
    """The worker that reports no longer holds the job. Its result is dropped; the new holder makes the same one."""

    code = "lease_lost"
    status = 409


class NotReadyError(RequestError):
    """Something that must come first has not happened yet. Trying again later is right."""

    code = "not_ready"
    status = 409
