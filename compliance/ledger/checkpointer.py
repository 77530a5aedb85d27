"""Signs the tree head when a log has grown. The only code that uses the checkpoint key; it never signs evidence.

It signs what is committed, remembers the head outside the database, and only then stores it where it can be read. It
refuses to sign a log that is shorter than, or not an extension of, any head it ever signed: that is what a restored
backup or a rewritten table looks like. Until that is put right it holds the ledger (hold.py).

Next: compliance/ledger/publisher.py
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256

from django.conf import settings
from django.db import DatabaseError, transaction

from compliance.evidence import checkpoint, dsse, tiles
from compliance.evidence.checkpoint import LogSigner
from compliance.evidence.errors import EvidenceError
from compliance.ledger import hold, keys, leadership, logs
from compliance.ledger.guard import Guard, GuardError, GuardNotWrittenError, SignedHead
from compliance.ledger.models import Log, SignedCheckpoint

# Which key signs a log: `keys.log_signer`.
KeyOfLog = Callable[[Log], LogSigner]
_logger = logging.getLogger(__name__)


class LogForkError(RuntimeError):
    """The stored log does not extend a signed checkpoint. Nothing is signed until a person has looked."""


class OtherKeyError(RuntimeError):
    """The log was begun under another key. A key changes only where a new log begins."""


class GuardBehindError(GuardError):
    """The database has a signed head that the guard lacks. In honest work the guard is written first."""


def sign_checkpoint(key_of: KeyOfLog = keys.log_signer) -> SignedCheckpoint | None:
    """Sign the newest head that is not signed yet; None when every head is signed.

    Raises AnotherLeadsError, and then nothing was looked at. Raises LogForkError when a log shrank or its signed root
    is no longer the root of its first entries, GuardError when the guard cannot be read or lacks a head, and TileError:
    the ledger is then held until a later round finds none of them. Raises GuardNotWrittenError when the head cannot be
    remembered, OtherKeyError when the log's earlier checkpoints are signed with another key, and KeyOutOfUseError when
    the log would begin under a key that is out of use.
    """
    try:
        return _round(key_of)
    except GuardNotWrittenError:
        raise
    except (LogForkError, GuardError, tiles.TileError) as error:
        _hold(str(error))
        raise


def heads_to_adopt() -> list[SignedHead]:
    """The newest stored head of each log for which the guard holds none as high: see `adopt_heads`."""
    guard = Guard(settings.CHECKPOINT_GUARD_PATH)
    with guard.locked():
        return _lacking(guard)


@transaction.atomic
def adopt_heads() -> list[SignedHead]:
    """Let the guard take over the stored heads that it lacks, after its disk was lost; returns them.

    A person has to decide it: what the guard is for cannot be checked without it. Raises what `sign_checkpoint` raises
    where the database does not even fit itself or the heads that the guard does hold.
    """
    guard = Guard(settings.CHECKPOINT_GUARD_PATH)
    with guard.locked():
        leadership.take_lead(leadership.Part.CHECKPOINTER)
        _refuse_fork(guard)
        adopted = _lacking(guard)
        for head in adopted:
            guard.remember(head)
        return adopted


def latest() -> SignedCheckpoint | None:
    """The newest signed checkpoint."""
    return SignedCheckpoint.objects.select_related("log").order_by("-end").first()


@transaction.atomic
def _round(key_of: KeyOfLog) -> SignedCheckpoint | None:
    guard = Guard(settings.CHECKPOINT_GUARD_PATH)
    with guard.locked():
        leadership.take_lead(leadership.Part.CHECKPOINTER)
        _refuse_fork(guard)
        _refuse_guard_behind(guard)
        hold.lift()
        adopted = _adopt(guard, key_of)
        if adopted is not None:
            return adopted
        log = _due()
        return None if log is None else _sign(log, key_of(log), guard)


def _hold(reason: str) -> None:
    """The alarm matters more than the hold: what keeps the hold from being written must not hide it."""
    try:
        with transaction.atomic():
            hold.begin(reason)
    except DatabaseError:
        _logger.exception("The ledger should be held, and the database did not take the hold.")


def _due() -> Log | None:
    """The first log that holds entries beyond its last checkpoint."""
    last = latest()
    later = Log.objects.filter(number__gte=1 if last is None else last.log_id).order_by("number")
    for log in later:
        signed = logs.last_checkpoint(log)
        if log.size > (0 if signed is None else signed.size):
            return log
    return None


def _sign(log: Log, key: LogSigner, guard: Guard) -> SignedCheckpoint:
    root, public_key = tiles.root(log.size, logs.reader(log)), key.public_key()
    keys.refuse_key_for(log, dsse.public_key_sha256(public_key))
    note = checkpoint.sign(checkpoint.Checkpoint(origin=log.origin, size=log.size, root=root), log.origin, key)
    last = logs.last_checkpoint(log)
    if last is not None and not checkpoint.is_same_signer(bytes(last.note), note, log.origin):
        raise OtherKeyError(
            f"The log {log.origin} is signed with another key than the one configured. Give back the old key, or begin "
            "a new log with `manage.py keys rotate checkpoint`."
        )
    head = SignedHead(origin=log.origin, size=log.size, root_sha256=root.hex(), note=note)
    guard.remember(head)
    stored = _store(log, head)
    if last is None:
        keys.publish_log_key(log, public_key)
    return stored


def _store(log: Log, head: SignedHead) -> SignedCheckpoint:
    return SignedCheckpoint.objects.create(
        end=log.first_position + head.size,
        log=log,
        size=head.size,
        root_sha256=head.root_sha256,
        note=head.note,
        note_sha256=sha256(head.note).hexdigest(),
        signed_at=datetime.now(tz=UTC),
    )


def _adopt(guard: Guard, key_of: KeyOfLog) -> SignedCheckpoint | None:
    """A head that was remembered but not stored, because the process or the database went away in between."""
    for log in Log.objects.order_by("number"):
        head = guard.heads().get(log.origin)
        last = logs.last_checkpoint(log)
        if head is not None and head.size > (0 if last is None else last.size):
            stored = _store(log, head)
            _publish_signer(log, head, key_of(log))
            return stored
    return None


def _publish_signer(log: Log, head: SignedHead, key: LogSigner) -> None:
    """Publish the key that signed an adopted head, where it is the one in use: it may never have been published."""
    try:
        checkpoint.open_note(head.note, [checkpoint.vkey(log.origin, key.public_key())])
    except EvidenceError:
        return
    keys.publish_log_key(log, key.public_key())


def _refuse_fork(guard: Guard) -> None:
    stored = {log.origin: log for log in Log.objects.all()}
    signed = {(head.origin, head.size, head.root_sha256) for head in guard.heads().values()}
    for log in stored.values():
        last = logs.last_checkpoint(log)
        if last is not None:
            signed.add((log.origin, last.size, last.root_sha256))
    for origin, size, root_sha256 in sorted(signed):
        if origin not in stored:
            raise LogForkError(f"The log {origin}, of which a head was signed, is not in the database.{_ADVICE}")
        _refuse_other_head(stored[origin], size, root_sha256)


def _refuse_guard_behind(guard: Guard) -> None:
    lacking = _lacking(guard)
    if lacking:
        named = ", ".join(f"{head.size} entries of {head.origin}" for head in lacking)
        raise GuardBehindError(
            f"The guard {settings.CHECKPOINT_GUARD_PATH} is missing, or older than the database: it holds no head over "
            f"{named}. If its disk was lost, compare these heads with what witnesses, auditors and the published log "
            "show, and run `manage.py checkpointer --adopt-heads`. Otherwise find out who changed it."
        )


def _lacking(guard: Guard) -> list[SignedHead]:
    held, lacking = guard.heads(), []
    for log in Log.objects.order_by("number"):
        last = logs.last_checkpoint(log)
        if last is not None and (log.origin not in held or held[log.origin].size < last.size):
            lacking.append(SignedHead(log.origin, last.size, last.root_sha256, bytes(last.note)))
    return lacking


def _refuse_other_head(log: Log, size: int, root_sha256: str) -> None:
    if log.size < size:
        raise LogForkError(
            f"The log {log.origin} holds {log.size} entries, but a checkpoint over {size} was signed.{_ADVICE}"
        )
    if tiles.root(size, logs.reader(log)).hex() != root_sha256:
        raise LogForkError(
            f"The first {size} entries of {log.origin} no longer have the root that was signed over them: the log "
            f"was changed.{_ADVICE}"
        )


_ADVICE = (
    " Was a backup restored? Restore the missing entries. Do not delete a checkpoint or the guard file: a log that was "
    "signed twice proves nothing any more."
)
