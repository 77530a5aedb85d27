"""Shows signed heads to others: witnesses cosign them, an authority stamps them, and the log is laid out as files.

It has no key. Whoever fails here, a witness, the authority or the storage, is asked again later (outsiders.py) and
keeps nobody else waiting; what was reached is a row, so a process that was killed goes on where it was.

Next: compliance/requests/actions/approve.py
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from compliance.evidence.errors import LeafError
from compliance.evidence.rekord import parse_hashedrekord
from compliance.evidence.witness_policy import WitnessPolicy
from compliance.ledger import leadership, log_files, logs, notes, outsiders, patrol, tokens, witnesses
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
from compliance.ledger.patrol import Patrol

CHECKPOINT_STAMP_PAUSE = timedelta(minutes=1)
STAMPS_PER_ROUND = 20
# Entries of evidence that one round looks at; most have their token.
LOOKS_PER_ROUND = 200
# So many of the newest tokens are looked at to tell when the last real one came.
_N_RECENT = 100
# More than honest clocks differ, less than what would matter for the question when something was signed.
MAX_CLOCK_DIFFERENCE = timedelta(minutes=10)
STORAGE = "published log"
AUTHORITY = "time stamp authority"
_logger = logging.getLogger(__name__)


class StampError(RuntimeError):
    """The authority gave no token that verifies."""


class Authority(Protocol):
    """A time stamp authority."""

    def stamp(self, data: bytes) -> tuple[bytes, datetime]:
        """A verified RFC 3161 token over these bytes, and its time; raises StampError."""

    def verified_at(self, token: bytes, data: bytes) -> datetime | None:
        """The time in a stored token over these bytes, None where it is no token of this authority."""


class Publisher:
    """What one publisher process remembers between rounds; all of it is found again in the database."""

    def __init__(self, store: LogStore, policy: WitnessPolicy | None, authority: Authority | None) -> None:
        self._store = store
        self._policy = policy
        self._authority = authority
        self._patrol = Patrol()
        self._finished_ends: set[int] = set()
        self._stamped_below = 0

    def publish(self, *, is_whole: bool = False) -> bool:
        """One round over every log and new evidence; returns whether more evidence waits. Raises AnotherLeadsError.

        With `is_whole` every published file is compared with the database, and all of its entries with its tree.
        """
        with leadership.leading(leadership.Part.PUBLISHER):
            for log in Log.objects.order_by("number"):
                head = logs.last_checkpoint(log)
                if head is not None and (is_whole or head.end not in self._finished_ends):
                    self._publish_head(head, is_whole=is_whole)
            self._patrol.walk(is_whole=is_whole)
            return self._authority is not None and self._stamp_evidence(self._authority)

    def forget_former_outsiders(self) -> None:
        """What is told about a witness or an authority that is no longer configured is of no use."""
        names = [STORAGE, patrol.NAME] if self._authority is None else [STORAGE, patrol.NAME, AUTHORITY]
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
        note = notes.cosigned_under(head, self._policy)
        try:
            log_files.announce(self._store, head, note, self._token_of(head))
        except (LogFilesError, StoreError) as error:
            return _storage_failed(error)
        outsiders.succeeded(STORAGE)
        return True

    def _has_everything(self, head: SignedCheckpoint) -> bool:
        """Whether everybody who is to sign this head has."""
        asked = () if self._policy is None else self._policy.witnesses
        wanted = {witness.name for witness in asked if witness.url is not None}
        is_stamped = self._authority is None or self._token_of(head) is not None
        return is_stamped and wanted <= set(witnesses.verified_lines(head, self._policy))

    def _token_of(self, head: SignedCheckpoint) -> bytes | None:
        if self._authority is None:
            return tokens.of_checkpoint(head)
        return _first_verified(self._authority, head.timestamps.order_by("pk"), bytes(head.note))

    def _stamp_head(self, head: SignedCheckpoint, authority: Authority) -> None:
        """At most one token a minute: the heads between two stamped ones are under the later of them."""
        if self._token_of(head) is not None or _is_recently_stamped(authority):
            return
        stamped = _stamp(authority, bytes(head.note))
        if stamped is not None:
            token, stamped_at = stamped
            CheckpointTimestamp.objects.create(checkpoint=head, token=token, stamped_at=stamped_at)

    def _stamp_evidence(self, authority: Authority) -> bool:
        """Tokens over the signatures of evidence that has none, oldest first; the signature is in the entry itself."""
        log = logs.newest()
        end = 0 if log is None else log.end
        evidence = LedgerEntry.objects.filter(kind=EntryKind.EVIDENCE, position__range=(self._stamped_below, end - 1))
        rows = list(evidence.order_by("position")[: LOOKS_PER_ROUND + 1])
        n_stamped = 0
        for row in rows[:LOOKS_PER_ROUND]:
            signature = _signature(row)
            if signature is not None and not _has_token(authority, row, signature):
                if n_stamped == STAMPS_PER_ROUND:
                    return True
                stamped = _stamp(authority, signature)
                if stamped is None:
                    return False
                token, stamped_at = stamped
                EvidenceTimestamp.objects.create(leaf_sha256=row.leaf_sha256, token=token, stamped_at=stamped_at)
                n_stamped += 1
            self._stamped_below = row.position + 1
        is_more = len(rows) > LOOKS_PER_ROUND
        if not is_more:
            self._stamped_below = end
        return is_more


def _signature(row: LedgerEntry) -> bytes | None:
    try:
        return parse_hashedrekord(bytes(row.leaf)).signature
    except LeafError:
        _logger.error("Entry %d should be signed evidence and is not.", row.position)
        return None


def _has_token(authority: Authority, row: LedgerEntry, signature: bytes) -> bool:
    rows = EvidenceTimestamp.objects.filter(leaf_sha256=row.leaf_sha256).order_by("pk")
    return _first_verified(authority, rows, signature) is not None


def _first_verified(
    authority: Authority, rows: Iterable[CheckpointTimestamp] | Iterable[EvidenceTimestamp], data: bytes
) -> bytes | None:
    """A row is no token: anybody who may add one could otherwise keep the real one away."""
    found = (bytes(row.token) for row in rows)
    return next((token for token in found if authority.verified_at(token, data) is not None), None)


def _is_recently_stamped(authority: Authority) -> bool:
    """By the time in the tokens themselves: a column can say anything."""
    now = datetime.now(tz=UTC)
    since = now - CHECKPOINT_STAMP_PAUSE
    rows = CheckpointTimestamp.objects.filter(stamped_at__gt=since, stamped_at__lte=now + MAX_CLOCK_DIFFERENCE)
    recent = rows.select_related("checkpoint").order_by("-stamped_at")[:_N_RECENT]
    times = (authority.verified_at(bytes(row.token), bytes(row.checkpoint.note)) for row in recent)
    return any(at is not None and at > since for at in times)


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
