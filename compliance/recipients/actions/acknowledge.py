"""A recipient says what it did about a notice. Its answer is evidence: it is kept, and the ledger names its digest.

It may come at any time, also after the request was closed or shredded.
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import SYSTEM, Actor
from compliance.recipients import locking, progress
from compliance.recipients.acknowledgements import Answer, Given
from compliance.recipients.actions.record_sent import note_told
from compliance.recipients.models import Notice, NoticeStatus
from compliance.requests import transitions
from compliance.requests.errors import StateError


@transaction.atomic
def acknowledge(notice_id: uuid.UUID, given: Given) -> Notice:
    """Take an answer once; the same one again changes nothing, whoever repeats it must prove it again.

    Raises NotFoundError, AcknowledgementRefusedError, InvalidInputError, and StateError for another answer.
    """
    notice = locking.locked(notice_id)
    proven = given.proven(notice)
    if notice.acknowledged_at is not None:
        _refuse_other(notice, proven.answer)
        return notice
    now = datetime.now(tz=UTC)
    if notice.sent_at is None and not locking.is_shredded(notice):
        # It came before our own record of the delivery, or the delivery's answer was lost: who answers was told.
        note_told(notice, actor=SYSTEM)
    record(notice, proven.answer, proven.sha256, actor=SYSTEM, now=now, document=proven.document)
    return notice


def record(notice: Notice, answer: Answer, digest: str, *, actor: Actor, now: datetime, document: bytes = b"") -> None:
    """Write an answer to a locked notice, with its entry; raises StateError."""
    progress.move(
        notice,
        NoticeStatus.ACKNOWLEDGED,
        sent_at=notice.sent_at or now,
        acknowledged_at=now,
        result=answer.result,
        refusal_reason=answer.reason,
        acknowledgement=document,
        acknowledgement_sha256=digest,
    )
    facts = {"recipient": str(notice.recipient_id), "acknowledgement_sha256": digest}
    transitions.note(notice.request, "request.recipient_acknowledged", actor=actor, facts=facts)


def _refuse_other(notice: Notice, answer: Answer) -> None:
    if (notice.result, notice.refusal_reason) != (answer.result, answer.reason):
        raise StateError("This notice was acknowledged already, with another result. The first answer stands.")
