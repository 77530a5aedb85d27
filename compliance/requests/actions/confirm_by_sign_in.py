"""The person proves who they are by signing in at the controller's identity provider (compliance/identity/openid)."""

import uuid
from collections.abc import Mapping

from compliance.identity import catalogue, proving
from compliance.identity.openid import sign_in
from compliance.ledger.actors import Actor
from compliance.requests.errors import NotFoundError
from compliance.requests.models import DeletionRequest, SubjectVault

METHOD = "oidc"


def confirm_by_sign_in(
    request_id: uuid.UUID, *, actor: Actor, pending: sign_in.Pending, answer: Mapping[str, str]
) -> DeletionRequest:
    """Move to review, or record a proof that is not enough yet (proving.still_needed).

    The provider is asked first, with nothing locked. Raises IdentityError, ProviderError, NotOfferedError,
    NotFoundError, StateError or ForbiddenActorError.
    """
    catalogue.named(METHOD)
    kind = SubjectVault.objects.filter(request=request_id).values_list("identifier_kind", flat=True).first()
    if kind is None:
        raise NotFoundError(f"There is no request {request_id}.")
    pseudonym = sign_in.finish(pending, answer, kind)
    return proving.confirm(request_id, method=METHOD, actor=actor, shown={"pseudonym": pseudonym})
