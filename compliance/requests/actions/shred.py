"""What opens a closed request's commitments is destroyed: identifier, pseudonym, and both keys of the vault row; its
notes; and the pseudonym at records that were forgotten, which would lead from a person to the request that removed them.

The ledger keeps its random-looking commitments; proofs and evidence verify as before, and nobody can tell any more
whose request it was. Copies in backups die with the master key they were wrapped under (docs/operate.md); the row keeps
that key's id, so that `shredding_proof` can say whether it is gone.

Next: compliance/requests/shredding_proof.py
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F

from compliance.ledger.actors import Actor
from compliance.recipients.models import Notice
from compliance.registry.models import LineageRecord
from compliance.requests import transitions
from compliance.requests.errors import NotReadyError
from compliance.requests.models import DeletionRequest, IdentityChallenge, SealedNote, SubjectVault
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
    destroy_openings(vault)
    transitions.note(request, "request.shredded", actor=actor, facts={})
    request.scope = None
    return request


def destroy_openings(vault: SubjectVault) -> None:
    """Blank everything that opens the commitments of this locked row's request. The caller sees to the entry."""
    pseudonym, vault.pseudonym = vault.pseudonym, ""
    vault.wrapped_key = vault.sealed_identifier = vault.sealed_commitment_key = b""
    vault.shredded_at = datetime.now(tz=UTC)
    vault.save()
    _forget_lineage(pseudonym)
    IdentityChallenge.objects.filter(request=vault.request_id).delete()
    SealedNote.objects.filter(request=vault.request_id).delete()
    Notice.objects.filter(request=vault.request_id).update(sealed_token=b"", sealed_words=b"")
    DeletionRequest.objects.filter(pk=vault.request_id).update(scope=None, is_shredded=True)


def _forget_lineage(pseudonym: str) -> None:
    """Records that a version in service still holds keep it: the person can ask again. So do those that another
    request removed in a version that is not in service yet, for `sign_off` looks for them."""
    gone = LineageRecord.objects.filter(
        subject_pseudonym=pseudonym, removed_in__number__lte=F("model__live__number")
    ).values_list("pk", flat=True)
    LineageRecord.objects.filter(pk__in=list(gone)).update(subject_pseudonym="")
