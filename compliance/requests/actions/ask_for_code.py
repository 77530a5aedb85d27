"""The person asks for a fresh code. The row says that one is owed, so a lost message is made good by the sweep."""

import uuid

from django.db import transaction

from compliance.identity import proving
from compliance.requests import transitions
from compliance.requests.dispatch import after_commit
from compliance.requests.errors import StateError
from compliance.requests.models import DeletionRequest, IdentityChallenge


@transaction.atomic
def ask_for_code(request_id: uuid.UUID) -> DeletionRequest:
    """Raises NotFoundError, and StateError once identity is proven, the request is closed, or the address is proven and
    more is needed. No ledger entry: the entry is made with the code."""
    request = transitions.locked(request_id)
    if request.state not in proving.WAITING:
        raise StateError("A code is only sent while the identity is still to be proven; this request is past that.")
    if request.identity_level > 0:
        raise StateError(f"Your address is proven already. {proving.still_needed(request)}")
    IdentityChallenge.objects.filter(request=request).update(sent_at=None, n_tries=0)
    after_commit("ask_identity", request.pk)
    return request
