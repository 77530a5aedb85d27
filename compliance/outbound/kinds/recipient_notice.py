"""A notice to a recipient: who was forgotten, signed with the evidence key. Made at the moment of sending from the vault.

The envelope is new in each try; what it holds is the same, and is stored nowhere.
Source: Art. 19 and 17(2) GDPR; DSSE 1.0.

Next: compliance/recipients/issuing.py
"""

from datetime import UTC, datetime

from django.db.models import QuerySet

from compliance.ledger import keys
from compliance.outbound.messages import Message
from compliance.outbound.models import Delivery
from compliance.recipients import issuing, locking, progress
from compliance.recipients.actions.record_sent import record_sent
from compliance.recipients.details import refuse_without_tls
from compliance.recipients.models import Notice, NoticeStatus

MEDIA_TYPE = "application/vnd.dsse.envelope.v1+json"


def is_wanted(delivery: Delivery) -> bool:
    """Whether the notice is owed still, this is the recipient's address still, and somebody knows still whom to name."""
    owed = _notices().filter(pk=delivery.subject_id, status=NoticeStatus.OWED, recipient__url=delivery.url)
    return owed.filter(request__vault__shredded_at=None).exists()


def render(delivery: Delivery) -> Message:
    """The envelope; raises VaultError, SignerError, StateError, and InvalidInputError for an address without TLS."""
    refuse_without_tls(delivery.url)
    signer = keys.evidence_signer()
    payload = issuing.issue(_notices().get(pk=delivery.subject_id))
    return Message(signer.sign(payload), {"Content-Type": MEDIA_TYPE})


def on_delivered(delivery: Delivery) -> None:
    """The recipient was told."""
    record_sent(delivery.subject_id)


def on_gave_up(delivery: Delivery) -> None:
    """Staff have to decide, unless nobody wanted it any more."""
    if delivery.alarmed_at is None:
        return
    notice = locking.locked(delivery.subject_id)
    if notice.status == NoticeStatus.OWED:
        progress.gave_up(notice, datetime.now(tz=UTC))


def _notices() -> QuerySet[Notice]:
    return Notice.objects.select_related("recipient", "request__vault")
