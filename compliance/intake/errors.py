"""What can go wrong with a key, beside what can go wrong with a request."""

from compliance.requests.errors import RequestError


class KeyReusedError(RequestError):
    """The key was used for something else before (section 2.7 of the draft)."""

    code = "idempotency_key_reused"
    status = 422
