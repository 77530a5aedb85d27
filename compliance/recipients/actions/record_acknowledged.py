"""Staff record an acknowledgement that came by letter or mail. They keep the document; the ledger commits to its digest."""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.evidence import commitment
from compliance.ledger.actors import Actor
from compliance.recipients import acknowledgements, locking, permissions, progress
from compliance.recipients.acknowledgements import Answer
from compliance.recipients.actions.acknowledge import record
from compliance.recipients.actions.record_told import refuse_no_digest
from compliance.recipients.models import Notice, NoticeStatus
from compliance.requests import identities
from compliance.requests.errors import InvalidInputError, StateError

#: The purpose in the commitment; its payload is the answer with the digest of the document.
LABEL = "acknowledgement"


@transaction.atomic
def record_acknowledged(
    notice_id: uuid.UUID, *, actor: Actor, result: str, document_sha256: str, reason: str = ""
) -> Notice:
    """A notice that was told and is answered. The document may name the person, so its digest is committed to by key.

    Raises NotFoundError, InvalidInputError, ForbiddenActorError, VaultError, and StateError before it was told, for a
    second answer, and once the request was shredded.
    """
    permissions.refuse_but(permissions.STAFF, actor)
    acknowledgements.refuse_unfit(result, reason)
    refuse_no_digest(document_sha256)
    if not document_sha256:
        raise InvalidInputError("document_sha256: expected the digest of what came, found none.")
    notice = locking.locked(notice_id)
    locking.refuse_shredded(notice)
    progress.refuse_move(notice, NoticeStatus.ACKNOWLEDGED)
    if notice.sent_at is None:
        raise StateError("The recipient was not told yet. Record that first.")
    answer = Answer(notice=str(notice.pk), notice_sha256=notice.notice_sha256, result=result, reason=reason)
    payload = {"notice": answer.notice, "result": result, "reason": reason, "document_sha256": document_sha256}
    digest = commitment.commit(identities.commitment_key(notice.request.vault), LABEL, payload)
    record(notice, answer, digest, actor=actor, now=datetime.now(tz=UTC))
    return notice
