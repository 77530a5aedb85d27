"""Rows of a deletion request: what was asked, the sealed identity, the models concerned, the work and its results.

`state` columns are written in transitions.py alone. No identifier of a person is stored outside `SubjectVault`.
"""

import uuid

from django.db import models
from django.db.models import Q

from compliance.registry.models import ModelVersion, RegisteredModel
from compliance.requests.states import JobState, RequestState, TargetState


class Ground(models.TextChoices):
    """Art. 17(1) GDPR: why the data must go."""

    NO_LONGER_NECESSARY = "art17_1_a", "17(1)(a): no longer necessary"
    CONSENT_WITHDRAWN = "art17_1_b", "17(1)(b): consent withdrawn"
    OBJECTION = "art17_1_c", "17(1)(c): objection under Art. 21"
    UNLAWFUL = "art17_1_d", "17(1)(d): unlawful processing"
    LEGAL_OBLIGATION = "art17_1_e", "17(1)(e): legal obligation to erase"
    CHILD = "art17_1_f", "17(1)(f): information society services offered to a child"


class RefusalReason(models.TextChoices):
    """Art. 17(3), 12(5), 12(6) and 11 GDPR: why a request may be refused."""

    EXPRESSION = "art17_3_a", "17(3)(a): freedom of expression and information"
    LEGAL_OBLIGATION = "art17_3_b", "17(3)(b): legal obligation or public interest"
    PUBLIC_HEALTH = "art17_3_c", "17(3)(c): public health"
    ARCHIVING = "art17_3_d", "17(3)(d): archiving, research, statistics"
    LEGAL_CLAIMS = "art17_3_e", "17(3)(e): legal claims"
    UNFOUNDED = "art12_5_unfounded", "12(5): manifestly unfounded"
    EXCESSIVE = "art12_5_excessive", "12(5): manifestly excessive"
    IDENTITY = "art12_6", "12(6): identity in doubt"
    NOT_IDENTIFIABLE = "art11", "11: the person cannot be identified"


class Channel(models.TextChoices):
    """How the request arrived."""

    API = "api", "REST API"


class Regulation(models.TextChoices):
    """The law the person relies on."""

    GDPR = "gdpr", "GDPR"


class DeletionRequest(models.Model):
    """What a person asked, and how far it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=20, choices=RequestState)
    channel = models.CharField(max_length=20, choices=Channel)
    regulation = models.CharField(max_length=20, choices=Regulation)
    ground = models.CharField(max_length=20, choices=Ground)
    received_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # Leaf hash of the request's last event: the next one points back to it.
    chain_head = models.CharField(max_length=64, default="")
    # Only the digest of the token is kept: a copy of the database opens no request.
    token_sha256 = models.CharField(max_length=64, unique=True)
    commitment = models.CharField(max_length=64)
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    accepted_ground = models.CharField(max_length=20, choices=Ground, blank=True)
    refusal_reason = models.CharField(max_length=20, choices=RefusalReason, blank=True)
    scope = models.JSONField(null=True)
    scope_commitment = models.CharField(max_length=64, blank=True)
    policy = models.ForeignKey("Policy", null=True, on_delete=models.PROTECT)
    signed_off_by = models.UUIDField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-received_at", "id"]
        indexes = [
            models.Index(fields=["state", "-received_at"], name="requests_by_state"),
            models.Index(fields=["-received_at", "id"], name="requests_by_time"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class SubjectVault(models.Model):
    """The erasable half: the identifier and the commitment key, sealed under a key of this request alone."""

    request = models.OneToOneField(DeletionRequest, on_delete=models.CASCADE, related_name="vault")
    identifier_kind = models.CharField(max_length=40)
    pseudonym = models.CharField(max_length=64, db_index=True)
    wrapped_key = models.BinaryField()
    sealed_identifier = models.BinaryField()
    sealed_commitment_key = models.BinaryField()
    # From then on the fields above are empty, and nobody knows any more whose request it was.
    shredded_at = models.DateTimeField(null=True)


class IdentityChallenge(models.Model):
    """The one-time code that was sent: its keyed digest, until when it holds, how many tries are left."""

    request = models.OneToOneField(DeletionRequest, on_delete=models.CASCADE, related_name="challenge")
    code_hmac = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    attempts_left = models.PositiveSmallIntegerField()
    sent_at = models.DateTimeField(null=True)
    n_tries = models.PositiveSmallIntegerField(default=0)


class Letter(models.Model):
    """A message owed to the data subject. The text is made when it is sent; nothing of it is stored."""

    class Kind(models.TextChoices):
        COMPLETED = "completed"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    request = models.ForeignKey(DeletionRequest, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=20, choices=Kind)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    n_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["request", "kind"], name="one_letter_per_kind")]


class Policy(models.Model):
    """A policy as it was in force: canonical bytes, named by their digest. Rows are never changed."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    content = models.BinaryField()
    first_used_at = models.DateTimeField()


class Job(models.Model):
    """One run of a method on one model, for one or more targets. The lease says which worker has it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="jobs")
    state = models.CharField(max_length=20, choices=JobState)
    queue = models.CharField(max_length=8, default="cpu")
    method = models.CharField(max_length=80)
    config = models.JSONField()
    before = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    after = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    # What the method reported about its run (touched tensors, terms of the guarantee): part of the evidence.
    outcome = models.JSONField(null=True)
    challenge_sha256 = models.CharField(max_length=64, blank=True)
    # The log that the checkpoint is of, and how many of its entries it covers.
    challenge_log = models.PositiveIntegerField(null=True)
    challenge_size = models.PositiveBigIntegerField(null=True)
    # Which job of its target this is: staff's retry makes a new one. `attempt` counts the workers that began it.
    number = models.PositiveSmallIntegerField(default=1)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    progress = models.FloatField(default=0.0)
    progress_message = models.CharField(max_length=200, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["queued_at", "id"]
        constraints = [
            # The database, not only the code, keeps two workers off one model.
            models.UniqueConstraint(
                fields=["model"], condition=Q(state=JobState.RUNNING), name="one_running_job_per_model"
            )
        ]
        indexes = [models.Index(fields=["state", "lease_expires_at"], name="jobs_by_lease")]


class Target(models.Model):
    """One request × one model."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(DeletionRequest, on_delete=models.CASCADE, related_name="targets")
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="targets")
    state = models.CharField(max_length=20, choices=TargetState)
    n_records = models.PositiveIntegerField()
    forget_commitment = models.CharField(max_length=64, blank=True)
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="targets")

    class Meta:
        ordering = ["model__name"]
        constraints = [models.UniqueConstraint(fields=["request", "model"], name="one_target_per_request_and_model")]


class Finding(models.Model):
    """One result of one audit of one job for one target, exactly as the audit reported it."""

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="findings")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="findings")
    audit = models.CharField(max_length=80)
    verdict = models.CharField(max_length=20)
    result = models.JSONField()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["target", "job", "audit"], name="one_finding_per_audit")]


class Evidence(models.Model):
    """The signed envelope of one target's job: bytes, kept as they were signed."""

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="evidence")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="evidence")
    envelope = models.BinaryField()
    leaf_sha256 = models.CharField(max_length=64)
    key_sha256 = models.CharField(max_length=64)
    result = models.CharField(max_length=10)
    attached_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["target", "job"], name="one_evidence_per_job_and_target")]


class Summary(models.Model):
    """The signed summary of one target of a completed request: bytes, kept as they were signed."""

    target = models.OneToOneField(Target, on_delete=models.CASCADE, related_name="summary")
    envelope = models.BinaryField()
    leaf_sha256 = models.CharField(max_length=64)
    key_sha256 = models.CharField(max_length=64)
    attached_at = models.DateTimeField()
