"""Recipients and their notices, as their pages tell them, and what a viewer can do there.

An address is shown by its host alone: its path may be a secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from compliance.ledger.actors import STAFF_ROLES
from compliance.portal.access import Viewer
from compliance.recipients import locking, permissions
from compliance.recipients.models import Notice, NoticeStatus, Recipient

KEEPERS = tuple(role for role in STAFF_ROLES if role in permissions.REGISTRARS)
TELLERS = tuple(role for role in STAFF_ROLES if role in permissions.STAFF)
DECIDERS = tuple(role for role in STAFF_ROLES if role in permissions.DPO)
TONES = {
    NoticeStatus.OWED: "working",
    NoticeStatus.SENT: "done",
    NoticeStatus.ACKNOWLEDGED: "done",
    NoticeStatus.IMPOSSIBLE: "closed",
}


@dataclass(frozen=True, kw_only=True)
class RecipientRow:
    """One recipient: the host that is told, "" for one that is told by other means, and the names of its models."""

    recipient: Recipient
    host: str
    models: str


@dataclass(frozen=True, kw_only=True)
class NoticeRow:
    """One notice. `waits_for` says what staff have to do, "" where nothing; `outcome` is what came of it."""

    notice: Notice
    tone: str
    models: str
    waits_for: str
    outcome: str


@dataclass(frozen=True, kw_only=True)
class NoticeActs:
    """What this viewer can do with a notice now."""

    send_again: bool
    tell: bool
    acknowledge: bool
    declare_impossible: bool

    @property
    def has_any(self) -> bool:
        """Whether there is something to press."""
        return self.send_again or self.tell or self.acknowledge or self.declare_impossible


def recipient_row(recipient: Recipient) -> RecipientRow:
    """The row of one recipient, whose models were fetched."""
    host = urlsplit(recipient.url).hostname or ""
    names = ", ".join(sorted(model.name for model in recipient.models.all()))
    return RecipientRow(recipient=recipient, host=host, models=names)


def notice_rows(notices: Sequence[Notice]) -> list[NoticeRow]:
    """The rows of notices, whose recipients and models were fetched."""
    return [notice_row(notice) for notice in notices]


def notice_row(notice: Notice) -> NoticeRow:
    """The row of one of them."""
    status = NoticeStatus(notice.status)
    return NoticeRow(
        notice=notice,
        tone="alarm" if _waits_for(notice) else TONES[status],
        models=", ".join(sorted(model.name for model in notice.models.all())),
        waits_for=_waits_for(notice),
        outcome=_outcome(notice),
    )


def acts(notice: Notice, viewer: Viewer) -> NoticeActs:
    """Read off the checks of the actions; a test presses every button to see that none leads to a refusal."""
    is_open = not locking.is_shredded(notice)
    status, is_teller = NoticeStatus(notice.status), is_open and viewer.has_any(TELLERS)
    is_owed = status is NoticeStatus.OWED
    is_told = status in (NoticeStatus.SENT, NoticeStatus.IMPOSSIBLE) and notice.sent_at is not None
    return NoticeActs(
        send_again=is_teller and is_owed and notice.gave_up_at is not None and bool(notice.recipient.url),
        tell=is_teller and is_owed,
        acknowledge=is_teller and is_told,
        declare_impossible=is_open and status in (NoticeStatus.OWED, NoticeStatus.SENT) and viewer.has_any(DECIDERS),
    )


def _waits_for(notice: Notice) -> str:
    if notice.status != NoticeStatus.OWED:
        return ""
    if notice.gave_up_at is not None:
        return "delivery was given up"
    return "" if notice.recipient.url else "to be told by staff"


def _outcome(notice: Notice) -> str:
    if notice.refusal_reason:
        return f"{notice.get_result_display()}: {notice.get_refusal_reason_display()}"
    return str(notice.get_result_display() or notice.get_impossibility_display())
