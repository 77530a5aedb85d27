"""Shows signed heads to others: witnesses cosign them, an authority stamps them, and the log is laid out as files.

It has no key. Whoever fails here, a witness, the authority or the storage, is asked again later (outsiders.py) and
keeps nobody else waiting; what was reached is a row, so a process that was killed goes on where it was.

Next: compliance/requests/actions/approve.py
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Protocol

from django.db.models import Exists, OuterRef, QuerySet

from compliance.evidence.errors import LeafError
from compliance.evidence.rekord import parse_hashedrekord
from compliance.evidence.witness_policy import WitnessPolicy
from compliance.ledger import leadership, log_files, logs, notes, outsiders, witnesses
from compliance.ledger.log_files import LogFilesError
from compliance.ledger.log_store import LogStore, StoreError
from compliance.ledger.models import (
    CheckpointTimestamp,
    EntryKind,
    EvidenceTimestamp,
    LedgerEntry,
    Log,
    SignedCheckpoint,
)

CHECKPOINT_STAMP_PAUSE = timedelta(minutes=1)
STAMPS_PER_ROUND = 20
STORAGE = "published log"
AUTHORITY = "time stamp authority"
_logger = logging.getLogger(__name__)


class StampError(RuntimeError):
    """The authority gave no token that verifies."""


class Authority(Protocol):
    """A time stamp authority."""

    def stamp(self, data: bytes) -> tuple[bytes, datetime]:
        """A verified RFC 3161 token over these bytes, and its time; raises StampError."""


class Publisher:
    """What one publisher process remembers between rounds; all of it is found again in the database."""

    def __init__(self, store: LogStore, policy: WitnessPolicy | None, authority: Authority | None) -> None:
        self._store = store
        self._policy = policy
        self._authority = authority
        self._finished_ends: set[int] = set()
        self._stamped_below = 0
        self._unreadable: set[int] = set()

    def publish(self, *, is_whole: bool = False) -> bool:
        """One round over every log and new evidence, while this process leads; returns whether more evidence waits.

        With `is_whole` every published file is compared with the database.
        """
        with leadership.leading(leadership.Part.PUBLISHER) as leads:
            if not leads:
                return False
            for log in Log.objects.order_by("number"):
                head = logs.last_checkpoint(log)
                if head is not None and (is_whole or head.end not in self._finished_ends):
                    self._publish_head(head, is_whole=is_whole)
            return self._authority is not None and self._stamp_evidence(self._authority)

    def forget_former_outsiders(self) -> None:
        """What is told about a witness or an authority that is no longer configured is of no use."""
        names = [STORAGE] if self._authority is None else [STORAGE, AUTHORITY]
        for witness in () if self._policy is None else self._policy.witnesses:
            if witness.url is not None:
                names += [witnesses.outsider(witness, log) for log in Log.objects.all()]
        outsiders.keep_only(names)

    def _publish_head(self, head: SignedCheckpoint, *, is_whole: bool) -> None:
        is_exported = self._export(head, is_whole=is_whole)
        if self._policy is not None:
            witnesses.request_cosignatures(head, self._policy)
        if self._authority is not None:
            self._stamp_head(head, self._authority)
        if is_exported and self._announce(head) and self._has_everything(head):
            self._finished_ends.add(head.end)

    def _export(self, head: SignedCheckpoint, *, is_whole: bool) -> bool:
        if not outsiders.may_be_asked(STORAGE):
            return False
        try:
            log_files.export(self._store, head, is_whole=is_whole)
        except (LogFilesError, StoreError) as error:
            return _storage_failed(error)
        return True

    def _announce(self, head: SignedCheckpoint) -> bool:
        stamp = CheckpointTimestamp.objects.filter(checkpoint=head).first()
        token = None if stamp is None else bytes(stamp.token)
        try:
            log_files.announce(self._store, head, notes.cosigned(head), token)
        except (LogFilesError, StoreError) as error:
            return _storage_failed(error)
        outsiders.succeeded(STORAGE)
        return True

    def _has_everything(self, head: SignedCheckpoint) -> bool:
        """Whether everybody who is to sign this head has."""
        asked = () if self._policy is None else self._policy.witnesses
        wanted = {witness.name for witness in asked if witness.url is not None}
        is_stamped = self._authority is None or CheckpointTimestamp.objects.filter(checkpoint=head).exists()
        return is_stamped and wanted <= set(head.cosignatures.values_list("witness", flat=True))

    def _stamp_head(self, head: SignedCheckpoint, authority: Authority) -> None:
        """At most one token a minute: the heads between two stamped ones are under the later of them."""
        if CheckpointTimestamp.objects.filter(checkpoint=head).exists():
            return
        recent = CheckpointTimestamp.objects.filter(stamped_at__gt=datetime.now(tz=UTC) - CHECKPOINT_STAMP_PAUSE)
        if recent.exists():
            return
        stamped = _stamp(authority, bytes(head.note))
        if stamped is not None:
            token, stamped_at = stamped
            CheckpointTimestamp.objects.create(checkpoint=head, token=token, stamped_at=stamped_at)

    def _stamp_evidence(self, authority: Authority) -> bool:
        """Tokens over the signatures of evidence that has none, oldest first; the signature is in the entry itself."""
        log = logs.newest()
        end = 0 if log is None else log.end
        rows = list(self._unstamped(end)[: STAMPS_PER_ROUND + 1])
        for row in rows[:STAMPS_PER_ROUND]:
            try:
                signature = parse_hashedrekord(bytes(row.leaf)).signature
            except LeafError:
                _logger.error("Entry %d should be signed evidence and is not.", row.position)
                self._unreadable.add(row.position)
                continue
            stamped = _stamp(authority, signature)
            if stamped is None:
                return False
            token, stamped_at = stamped
            EvidenceTimestamp.objects.get_or_create(
                leaf_sha256=row.leaf_sha256, defaults={"token": token, "stamped_at": stamped_at}
            )
        is_more = len(rows) > STAMPS_PER_ROUND
        if not is_more:
            self._stamped_below = end
        return is_more

    def _unstamped(self, end: int) -> QuerySet[LedgerEntry]:
        stamps = EvidenceTimestamp.objects.filter(leaf_sha256=OuterRef("leaf_sha256"))
        rows = LedgerEntry.objects.filter(kind=EntryKind.EVIDENCE, position__range=(self._stamped_below, end - 1))
        return rows.exclude(position__in=self._unreadable).filter(~Exists(stamps)).order_by("position")


def _stamp(authority: Authority, data: bytes) -> tuple[bytes, datetime] | None:
    """A token, or None while the authority fails."""
    if not outsiders.may_be_asked(AUTHORITY):
        return None
    try:
        stamped = authority.stamp(data)
    except (StampError, ValueError) as error:
        outsiders.failed(AUTHORITY, str(error))
        return None
    outsiders.succeeded(AUTHORITY)
    return stamped


def _storage_failed(error: LogFilesError | StoreError) -> bool:
    if isinstance(error, LogFilesError):
        outsiders.raised_alarm(STORAGE, str(error))
    else:
        outsiders.failed(STORAGE, str(error))
    return False
