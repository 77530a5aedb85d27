"""Signs the tree head when a log has grown. The only code that uses the checkpoint key; it never signs evidence.

It signs what is committed, remembers the head outside the database, and only then stores it where it can be read. It
refuses to sign a log that is shorter than, or not an extension of, any head it ever signed: that is what a restored
backup or a rewritten table looks like.

Next: compliance/ledger/publisher.py
"""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256

from django.conf import settings
from django.db import transaction

from compliance.evidence import checkpoint, tiles
from compliance.evidence.checkpoint import LogSigner
from compliance.evidence.errors import EvidenceError
from compliance.ledger import keys, leadership, logs
from compliance.ledger.guard import Guard, SignedHead
from compliance.ledger.models import Log, SignedCheckpoint

# Which key signs a log: `keys.log_signer`.
KeyOfLog = Callable[[Log], LogSigner]


class LogForkError(RuntimeError):
    """The stored log does not extend a signed checkpoint. Nothing is signed until a person has looked."""


class OtherKeyError(RuntimeError):
    """The log was begun under another key. A key changes only where a new log begins."""


@transaction.atomic
def sign_checkpoint(key_of: KeyOfLog = keys.log_signer) -> SignedCheckpoint | None:
    """Sign the newest head that is not signed yet; None when there is nothing new, or another process leads.

    Raises LogForkError when a log shrank or its signed root is no longer the root of its first entries, OtherKeyError
    when the log's earlier checkpoints are signed with another key, GuardError when the head cannot be remembered.
    """
    guard = Guard(settings.CHECKPOINT_GUARD_PATH)
    with guard.locked():
        if not leadership.takes_lead(leadership.Part.CHECKPOINTER):
            return None
        _refuse_fork(guard)
        adopted = _adopt(guard, key_of)
        if adopted is not None:
            return adopted
        log = _due()
        return None if log is None else _sign(log, key_of(log), guard)


def latest() -> SignedCheckpoint | None:
    """The newest signed checkpoint."""
    return SignedCheckpoint.objects.select_related("log").order_by("-end").first()


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
    root = tiles.root(log.size, logs.reader(log))
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
        keys.publish_log_key(log, key.public_key())
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
    for head in guard.heads().values():
        if head.origin not in stored:
            raise LogForkError(f"The log {head.origin}, of which a head was signed, is not in the database.{_ADVICE}")
        _refuse_other_head(stored[head.origin], head.size, head.root_sha256)
    last = latest()
    if last is not None:
        _refuse_other_head(last.log, last.size, last.root_sha256)


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
