"""The only writer of a notice's status. Callers hold the lock of the notice, but for the first two."""

from datetime import datetime
from typing import Any

from compliance.recipients.models import Notice, NoticeStatus
from compliance.requests.errors import StateError

_MOVES = {
    NoticeStatus.SENT: frozenset({NoticeStatus.OWED}),
    # Who was declared out of reach, or was just being told, may answer all the same.
    NoticeStatus.ACKNOWLEDGED: frozenset({NoticeStatus.OWED, NoticeStatus.SENT, NoticeStatus.IMPOSSIBLE}),
    NoticeStatus.IMPOSSIBLE: frozenset({NoticeStatus.OWED, NoticeStatus.SENT}),
}


def issued(notice: Notice, *, issued_at: datetime, sealed_token: bytes, token_sha256: str) -> None:
    """Begin the text of a notice that is owed. Of two workers one wins, and both go on with what it wrote."""
    unchanged = Notice.objects.filter(pk=notice.pk, status=NoticeStatus.OWED, issued_at=notice.issued_at)
    unchanged.update(issued_at=issued_at, sealed_token=sealed_token, token_sha256=token_sha256)
    notice.refresh_from_db(fields=["issued_at", "sealed_token", "token_sha256"])


def rendered(notice: Notice, *, notice_sha256: str, commitment: str) -> None:
    """Keep the digests of the text; raises StateError once it was taken: what was sent stays as it was."""
    owed = Notice.objects.filter(pk=notice.pk, status=NoticeStatus.OWED)
    if owed.update(notice_sha256=notice_sha256, commitment=commitment) != 1:
        raise StateError("The notice is not owed any more.")


def gave_up(notice: Notice, at: datetime) -> None:
    """Delivery was given up; the notice is owed as before."""
    _write(notice, gave_up_at=at)


def begun_anew(notice: Notice) -> None:
    """It is on its way again."""
    _write(notice, gave_up_at=None)


def move(notice: Notice, to: NoticeStatus, **changes: Any) -> None:
    """Move a notice and write `changes` with it; raises StateError."""
    refuse_move(notice, to)
    _write(notice, status=to, **changes)


def refuse_move(notice: Notice, to: NoticeStatus) -> None:
    """Raises StateError unless a notice may become that."""
    old = NoticeStatus(notice.status)
    if old not in _MOVES[to]:
        raise StateError(f"The notice is {old.label!r}; from there it cannot become {to.label!r}.")


def _write(notice: Notice, **columns: Any) -> None:
    Notice.objects.filter(pk=notice.pk).update(**columns)
    for name, value in columns.items():
        setattr(notice, name, value)
