"""Staff told a recipient by other means: by letter, by telephone, or after delivery was given up."""

import uuid
from datetime import UTC, date, datetime

from django.db import transaction

from compliance.evidence import canonical, commitment
from compliance.ledger.actors import Actor
from compliance.outbound import steps
from compliance.recipients import locking, permissions, progress
from compliance.recipients.actions.record_sent import note_told
from compliance.recipients.issuing import LABEL
from compliance.recipients.models import Notice, NoticeStatus
from compliance.recipients.notices import KIND
from compliance.requests import identities
from compliance.requests.errors import InvalidInputError


@transaction.atomic
def record_told(notice_id: uuid.UUID, *, actor: Actor, told_date: date, document_sha256: str = "") -> Notice:
    """A notice that was given on this day; `document_sha256` is the digest of the letter, if there is one.

    The ledger gets a commitment to both; the digest itself is not kept. Raises NotFoundError, InvalidInputError,
    StateError, ForbiddenActorError and VaultError.
    """
    permissions.refuse_but(permissions.STAFF, actor)
    refuse_no_digest(document_sha256)
    now = datetime.now(tz=UTC)
    if told_date > now.date():
        raise InvalidInputError("told_date: expected a day that has come, found a later one.")
    steps.end_alarms(KIND, Notice.objects.filter(pk=notice_id).values_list("pk", flat=True))
    notice = locking.locked(notice_id)
    locking.refuse_shredded(notice)
    progress.refuse_move(notice, NoticeStatus.SENT)
    told = {"notice": str(notice.pk), "told_date": told_date.isoformat(), "document_sha256": document_sha256}
    committed = commitment.commit(identities.commitment_key(notice.request.vault), LABEL, told)
    progress.move(notice, NoticeStatus.SENT, sent_at=now, commitment=committed)
    note_told(notice, actor=actor)
    return notice


def refuse_no_digest(text: str) -> None:
    """Raises InvalidInputError for what is neither empty nor a SHA-256."""
    if text and not canonical.is_sha256(text):
        raise InvalidInputError("document_sha256: expected 64 lower-case hexadecimal digits, found something else.")
