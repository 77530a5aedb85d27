"""What the controller trained, on whose records: models, versions by digest, data sources, lineage, method cards."""

import uuid

from django.db import models
from django.db.models import Q


class RegisteredModel(models.Model):
    """A model the controller answers for. `head` is the newest accepted version, `live` the one in service."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=80, unique=True)
    family = models.CharField(max_length=80)
    purpose = models.CharField(max_length=200, blank=True)
    data_source = models.ForeignKey("DataSource", on_delete=models.PROTECT, related_name="models")
    head = models.ForeignKey("ModelVersion", null=True, on_delete=models.PROTECT, related_name="+")
    live = models.ForeignKey("ModelVersion", null=True, on_delete=models.PROTECT, related_name="+")
    registered_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class VersionState(models.TextChoices):
    """Where a version stands. Rejected and destroyed versions are never served again."""

    CANDIDATE = "candidate"
    LIVE = "live"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    DESTROYED = "destroyed"


class ModelVersion(models.Model):
    """Weights, named by the SHA-256 of their manifest (which names every file by its own)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    manifest = models.BinaryField()
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    status = models.CharField(max_length=16, choices=VersionState)
    n_records = models.PositiveIntegerField()
    # 32 random bytes: opens the commitment to the list of records in `version.registered`.
    commitment_key = models.BinaryField()
    job_id = models.UUIDField(null=True, unique=True)
    registered_at = models.DateTimeField()
    destroy_after = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["model", "number"]
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="one_version_per_number"),
            models.UniqueConstraint(fields=["model", "sha256"], name="one_version_per_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.model.name} v{self.number}"


class DataSource(models.Model):
    """Where the training records are. The person column holds identifiers of one declared kind.

    `declaration` says where the persons behind the records are found instead, if that is elsewhere
    (`compliance.sources.declaration.SourceDeclaration.to_dict`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=80, unique=True)
    location = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    identifier_kind = models.CharField(max_length=40, default="email")
    declaration = models.JSONField(null=True)
    registered_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class LineageRecord(models.Model):
    """One training record of one model: whose it was (as a pseudonym), when it came in, when it was forgotten.

    A record about several persons has a row for each; one about nobody, or whose request was shredded, has "".
    """

    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="lineage")
    record_id = models.CharField(max_length=200)
    subject_pseudonym = models.CharField(max_length=64)
    added_in = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="records_added")
    removed_in = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="records_removed")

    class Meta:
        constraints = [
            # Rows of one record end up alike when the requests of two of its persons are shredded.
            models.UniqueConstraint(
                fields=["model", "record_id", "subject_pseudonym"],
                condition=~Q(subject_pseudonym=""),
                name="one_lineage_row_per_person",
            )
        ]
        indexes = [
            models.Index(fields=["subject_pseudonym", "model"], name="lineage_by_subject"),
            models.Index(fields=["model", "record_id"], name="lineage_present", condition=Q(removed_in=None)),
        ]


class MethodCard(models.Model):
    """A method or audit that a running worker has, as it described itself on start."""

    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=80)
    version = models.CharField(max_length=40)
    source_sha256 = models.CharField(max_length=64)
    card = models.JSONField()
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["kind", "name"]
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="one_card_per_plugin")]
