"""What can go wrong with a proof of identity, beside what can go wrong with a request. No message quotes a person."""

from compliance.requests.errors import RequestError


class MethodError(RequestError):
    """A file among the methods breaks the contract, or there is none of this name."""

    code = "identity_method_invalid"
    status = 500


class NotOfferedError(RequestError):
    """This installation does not offer this way to prove an identity."""

    code = "identity_method_not_offered"
    status = 404


class ProviderError(RequestError):
    """The identity provider cannot be asked, or does not answer as OpenID Connect says. Nobody's identity is doubted."""

    code = "identity_provider_unavailable"
    status = 503
