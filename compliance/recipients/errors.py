"""What can go wrong with a recipient's answer. Other errors are those of requests."""

from compliance.requests.errors import RequestError


class AcknowledgementRefusedError(RequestError):
    """It is not signed by the recipient, or is about another notice."""

    code = "acknowledgement_refused"
    status = 403
