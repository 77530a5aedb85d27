"""Rows of the ledger: what waits for a position, what has one, the tree over it, and the signed tree heads.

The ledger is a row of logs, one a year, each a Merkle tree of its own under its own origin. Entries, checkpoints and
what others say about checkpoints are append-only: triggers (append_only.py) refuse UPDATE, DELETE and TRUNCATE.
"""

import uuid
from datetime import UTC, datetime

from django.conf import settings
from django.db import models

# PostgreSQL knows times that are infinite and that Python cannot read: one such row would break every reader.
FIRST_TIME, LAST_TIME = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def readable_times(table: str, *columns: str) -> models.CheckConstraint:
    """Each of these columns is NULL or a time from FIRST_TIME on and before LAST_TIME."""
    within = {f"{column}__gte": FIRST_TIME for column in columns} | {f"{column}__lt": LAST_TIME for column in columns}
    return models.CheckConstraint(condition=models.Q(**within), name=f"{table}_times_are_readable")


class EntryKind(models.TextChoices):
    """What a leaf holds: an event of ours, or the Rekor v2 record of one signed envelope."""

    EVENT = "event"
    EVIDENCE = "evidence"


class PendingEntry(models.Model):
    """The outbox: written in the transaction of the change it records, emptied by the sequencer."""

    entry_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=16, choices=EntryKind)
    event_type = models.CharField(max_length=64)
    request_id = models.UUIDField(null=True, db_index=True)
    subject_id = models.UUIDField(null=True)
    leaf = models.BinaryField()
    leaf_sha256 = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [readable_times("pendingentry", "recorded_at")]


class Log(models.Model):
    """One tree under one origin. The lock of its row is what makes a single sequencer write at a time."""

    number = models.PositiveIntegerField(primary_key=True)
    origin = models.CharField(max_length=255, unique=True)
    first_position = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField(default=0)
    opened_at = models.DateTimeField()
    # From here on no entry is added; the last checkpoint covers all of them and begins the next log.
    frozen_at = models.DateTimeField(null=True)
    # A rotation ended it: the next log must not begin under the key of this one.
    needs_other_key = models.BooleanField(default=False)

    class Meta:
        constraints = [readable_times("log", "opened_at", "frozen_at")]
        ordering = ["number"]

    @property
    def end(self) -> int:
        """The position after the last entry."""
        return self.first_position + self.size


class LedgerEntry(models.Model):
    """A leaf with its position: gap-free from 0 over all logs. Its index in a log is counted from the log's first."""

    position = models.PositiveBigIntegerField(primary_key=True)
    entry_id = models.UUIDField(unique=True, editable=False)
    kind = models.CharField(max_length=16, choices=EntryKind)
    event_type = models.CharField(max_length=64)
    request_id = models.UUIDField(null=True, db_index=True)
    # The model or job that an entry without a request is about; never a person.
    subject_id = models.UUIDField(null=True, db_index=True)
    leaf = models.BinaryField()
    leaf_sha256 = models.CharField(max_length=64, db_index=True)
    recorded_at = models.DateTimeField()
    sequenced_at = models.DateTimeField()

    class Meta:
        constraints = [readable_times("ledgerentry", "recorded_at", "sequenced_at")]
        ordering = ["position"]


class HashTile(models.Model):
    """Up to 256 hashes of one tree level (C2SP tlog-tiles). Derived from the entries, so it may grow in place."""

    log = models.ForeignKey(Log, on_delete=models.PROTECT, related_name="tiles")
    level = models.PositiveSmallIntegerField()
    index = models.PositiveBigIntegerField()
    hashes = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["log", "level", "index"], name="one_tile_per_place")]


class SignedCheckpoint(models.Model):
    """A signed tree head (C2SP tlog-checkpoint). Never used for weights."""

    # The position after the last entry covered: unique over all logs, and ascending.
    end = models.PositiveBigIntegerField(primary_key=True)
    log = models.ForeignKey(Log, on_delete=models.PROTECT, related_name="checkpoints")
    size = models.PositiveBigIntegerField()
    root_sha256 = models.CharField(max_length=64)
    note = models.BinaryField()
    note_sha256 = models.CharField(max_length=64)
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [readable_times("signedcheckpoint", "signed_at")]
        ordering = ["end"]


class Cosignature(models.Model):
    """A witness has seen this checkpoint and that it extends the one it saw before (C2SP tlog-cosignature)."""

    checkpoint = models.ForeignKey(SignedCheckpoint, on_delete=models.PROTECT, related_name="cosignatures")
    witness = models.CharField(max_length=255)
    line = models.BinaryField()
    cosigned_at = models.DateTimeField()

    class Meta:
        # A row that does not verify must not take the place of one that does, and nobody may remove either.
        constraints = [
            models.UniqueConstraint(fields=["checkpoint", "witness", "line"], name="each_cosignature_once"),
            readable_times("cosignature", "cosigned_at"),
        ]


class CheckpointTimestamp(models.Model):
    """An RFC 3161 token over the bytes of a checkpoint's note. One that verifies counts; there may be others."""

    checkpoint = models.ForeignKey(SignedCheckpoint, on_delete=models.PROTECT, related_name="timestamps")
    token = models.BinaryField()
    stamped_at = models.DateTimeField()

    class Meta:
        constraints = [readable_times("checkpointtimestamp", "stamped_at")]


class EvidenceTimestamp(models.Model):
    """An RFC 3161 token over the signature of the evidence with this leaf hash. There may be others, as above."""

    leaf_sha256 = models.CharField(max_length=64, db_index=True)
    token = models.BinaryField()
    stamped_at = models.DateTimeField()

    class Meta:
        constraints = [readable_times("evidencetimestamp", "stamped_at")]


class Outsider(models.Model):
    """Somebody the publisher depends on, a witness, an authority or a storage, and how that goes. Not part of the record."""

    name = models.CharField(max_length=300, primary_key=True)
    succeeded_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    n_failures = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)
    # It says that it knows another history of this ledger.
    is_alarm = models.BooleanField(default=False)

    class Meta:
        constraints = [readable_times("outsider", "succeeded_at", "failing_since", "next_try_at")]
        ordering = ["name"]


class LedgerHold(models.Model):
    """While its one row is there, no entry is given a position (hold.py)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    reason = models.TextField()
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_hold"),
            readable_times("ledgerhold", "since"),
        ]


class PublicKey(models.Model):
    """The public half of a key that signs checkpoints or evidence, published as a ledger entry."""

    class Purpose(models.TextChoices):
        CHECKPOINT = "checkpoint"
        EVIDENCE = "evidence"

    # A key that signs several logs has a row, and a vkey, for each.
    text_sha256 = models.CharField(max_length=64, primary_key=True)
    key_sha256 = models.CharField(max_length=64)
    purpose = models.CharField(max_length=16, choices=Purpose)
    # A vkey line for checkpoints, PEM for evidence.
    text = models.TextField()
    published_at = models.DateTimeField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    # From this moment on the key may be in the wrong hands.
    distrusted_from = models.DateTimeField(null=True)

    class Meta:
        constraints = [readable_times("publickey", "published_at", "valid_from", "valid_until", "distrusted_from")]


class ActorPseudonym(models.Model):
    """The random id under which a member of staff appears in the ledger: auditors tell people apart, not who they are."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ledger_pseudonym")
    pseudonym = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
