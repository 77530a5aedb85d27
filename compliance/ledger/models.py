"""Rows of the log: what waits for a position, what has one, the tree over it, and the signed tree heads.

`LedgerEntry` and `SignedCheckpoint` are append-only: triggers (migration 0002) refuse UPDATE, DELETE and TRUNCATE.
"""

import uuid

from django.conf import settings
from django.db import models


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


class LedgerEntry(models.Model):
    """A leaf with its position. The position is the primary key: gap-free from 0."""

    index = models.PositiveBigIntegerField(primary_key=True)
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
        ordering = ["index"]


class HashTile(models.Model):
    """Up to 256 hashes of one tree level (C2SP tlog-tiles). Derived from the entries, so it may grow in place."""

    level = models.PositiveSmallIntegerField()
    index = models.PositiveBigIntegerField()
    hashes = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "index"], name="one_tile_per_place")]


class LogHead(models.Model):
    """One row: the number of entries. Its lock is what makes a single sequencer write at a time."""

    size = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_log_head")]


class SignedCheckpoint(models.Model):
    """A signed tree head (C2SP tlog-checkpoint). Never used for weights."""

    size = models.PositiveBigIntegerField(primary_key=True)
    root_sha256 = models.CharField(max_length=64)
    note = models.BinaryField()
    note_sha256 = models.CharField(max_length=64)
    signed_at = models.DateTimeField()

    class Meta:
        ordering = ["size"]


class PublicKey(models.Model):
    """The public half of a key that signs checkpoints or evidence, published as a ledger entry."""

    class Purpose(models.TextChoices):
        CHECKPOINT = "checkpoint"
        EVIDENCE = "evidence"

    key_sha256 = models.CharField(max_length=64, primary_key=True)
    purpose = models.CharField(max_length=16, choices=Purpose)
    # A vkey line for checkpoints, PEM for evidence.
    text = models.TextField()
    published_at = models.DateTimeField()


class ActorPseudonym(models.Model):
    """The random id under which a member of staff appears in the ledger: auditors tell people apart, not who they are."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ledger_pseudonym")
    pseudonym = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
