"""What opens a closed request's commitments is destroyed: identifier, pseudonym, and both keys of the vault row.

The ledger keeps its random-looking commitments; proofs and evidence verify as before, and nobody can tell any more
whose request it was. Copies in backups die with the master key they were wrapped under (docs/operate.md).
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.requests import transitions
from compliance.requests.errors import NotReadyError
from compliance.requests.models import DeletionRequest, IdentityChallenge, SubjectVault
from compliance.requests.queries import MAIL_TRIES


@transaction.atomic
def shred(request_id: uuid.UUID, *, actor: Actor) -> DeletionRequest:
    """Shred once: a second call changes nothing.

    Raises NotFoundError, and NotReadyError while the request is open or a letter to the person is not sent yet.
    """
    request = transitions.locked(request_id)
    vault = SubjectVault.objects.select_for_update().get(request=request)
    if vault.shredded_at is not None:
        return request
    if request.closed_at is None:
        raise NotReadyError("An open request cannot be shredded: its person could not be found or written to any more.")
    if request.letters.filter(sent_at=None, n_tries__lt=MAIL_TRIES).exists():
        raise NotReadyError("A letter to the person is not sent yet. Shred the request after that.")
    vault.pseudonym = ""
    vault.wrapped_key = vault.sealed_identifier = vault.sealed_commitment_key = b""
    vault.shredded_at = datetime.now(tz=UTC)
    vault.save()
    IdentityChallenge.objects.filter(request=request).delete()
    transitions.note(request, "request.shredded", actor=actor, facts={})
    DeletionRequest.objects.filter(pk=request.pk).update(scope=None)
    request.scope = None
    return request
