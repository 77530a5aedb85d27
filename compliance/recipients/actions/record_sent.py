"""A recipient took its notice: the ledger commits to what it said, under the request's key."""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import SYSTEM, Actor
from compliance.recipients import locking, progress
from compliance.recipients.models import Notice, NoticeStatus
from compliance.requests import transitions


@transaction.atomic
def record_sent(notice_id: uuid.UUID) -> Notice:
    """Once: a notice that was answered meanwhile, or delivered twice, is left alone. Raises NotFoundError."""
    notice = locking.locked(notice_id)
    if notice.status == NoticeStatus.OWED and not locking.is_shredded(notice):
        progress.move(notice, NoticeStatus.SENT, sent_at=datetime.now(tz=UTC))
        note_told(notice, actor=SYSTEM)
    return notice


def note_told(notice: Notice, *, actor: Actor) -> None:
    """The entry of a locked notice that was told. Its commitment was made when the text was."""
    facts = {"recipient": str(notice.recipient_id), "notice_sha256": notice.commitment}
    transitions.note(notice.request, "request.recipient_notified", actor=actor, facts=facts)
