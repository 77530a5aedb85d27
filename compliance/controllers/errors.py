"""What can go wrong with another controller. Each message says what was expected, what was found, and what to do."""


class ControllerError(Exception):
    """The family. `code` is stable and goes into error objects; `status` is the HTTP status it maps to."""

    code = "controller_error"
    status = 400


class InvalidControllerError(ControllerError):
    """A value for a controller is not one of those allowed."""

    code = "invalid_input"


class ForbiddenActorError(ControllerError):
    """This role may not do that."""

    code = "forbidden"
    status = 403


class UnknownControllerError(ControllerError):
    """No such controller, or one that is not active any more, or a token that is nobody's."""

    code = "authentication_failed"
    status = 401


class UnknownRequestError(ControllerError):
    """This controller passed on no such request. Another's is not told apart from none."""

    code = "not_found"
    status = 404


class DuplicateError(ControllerError):
    """The id was used before, for something else."""

    code = "duplicate_subject_request_id"


class NotPendingError(ControllerError):
    """Only a pending request can be cancelled."""

    code = "not_pending"


class NoResultsError(ControllerError):
    """There are no results yet."""

    code = "no_results"
    status = 404


class ResultsGoneError(ControllerError):
    """The results were there, and are not any more."""

    code = "results_gone"
    status = 410


class SwitchedOffError(ControllerError):
    """This installation does not speak OpenDSR."""

    code = "not_found"
    status = 404


class SignerUnavailableError(ControllerError):
    """The key or the certificate cannot be used at the moment."""

    code = "signer_unavailable"
    status = 503
