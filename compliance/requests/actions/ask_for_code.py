"""The person asks for a fresh code. The row says that one is owed, so a lost message is made good by the sweep."""

import uuid

from django.db import transaction

from compliance.requests import transitions
from compliance.requests.dispatch import after_commit
from compliance.requests.errors import StateError
from compliance.requests.models import DeletionRequest, IdentityChallenge
from compliance.requests.states import RequestState


@transaction.atomic
def ask_for_code(request_id: uuid.UUID) -> DeletionRequest:
    """Raises NotFoundError, and StateError once identity is proven or the request is closed. No ledger entry: the
    entry is made with the code."""
    request = transitions.locked(request_id)
    if request.state not in (RequestState.RECEIVED, RequestState.IDENTITY_PENDING):
        raise StateError("A code is only sent while the identity is still to be proven; this request is past that.")
    IdentityChallenge.objects.filter(request=request).update(sent_at=None, n_tries=0)
    after_commit("ask_identity", request.pk)
    return request
