"""Rows of a deletion request: what was asked, the sealed identity, the models concerned, the work and its results.

`state` columns are written in transitions.py alone. No identifier of a person is stored outside `SubjectVault`.
"""

import uuid

from django.db import models
from django.db.models import Q

from compliance.registry.models import DataSource, ModelVersion, RegisteredModel
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
    WEB = "web", "Public page"
    PORTAL = "portal", "Staff, on behalf of the person"
    OPENDSR = "opendsr", "Another controller, through OpenDSR"


class Regulation(models.TextChoices):
    """The law the person relies on."""

    GDPR = "gdpr", "GDPR"
    CCPA = "ccpa", "CCPA"


class ExtensionReason(models.TextChoices):
    """Art. 12(3) GDPR: why the answer takes longer."""

    COMPLEXITY = "complexity", "Complexity of the request"
    NUMBER = "number_of_requests", "Number of requests"


class HoldReason(models.TextChoices):
    """Why a model must not be changed yet, although it holds the person."""

    LEGAL_CLAIMS = "legal_claims", "Evidence for legal claims"
    LEGAL_OBLIGATION = "legal_obligation", "A duty to retain"
    RESTRICTION = "restriction_art18", "Restriction of processing (Art. 18)"
    TECHNICAL = "technical", "A technical reason"


class LinkReason(models.TextChoices):
    """How one request belongs to an earlier one."""

    DUPLICATE = "duplicate", "The same person asked before"
    COMPLAINT = "complaint", "The person says that a model still knows them"
    RESTORE = "restore", "A restored backup brought the person back"
    RELEARNING = "relearning", "A later version learned the person again"


class PauseReason(models.TextChoices):
    """What the controller waits for."""

    IDENTITY = "identity", "Proof of identity"
    QUESTION = "question", "An answer to a question"


#: Of closed requests, those that nobody proved to be theirs.
UNPROVEN = Q(state=RequestState.CLOSED_UNVERIFIED) | Q(state=RequestState.WITHDRAWN, identity_level=0)


class DeletionRequest(models.Model):
    """What a person asked, and how far it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=20, choices=RequestState)
    channel = models.CharField(max_length=20, choices=Channel)
    regulation = models.CharField(max_length=20, choices=Regulation)
    ground = models.CharField(max_length=20, choices=Ground)
    # Of the letters and pages: what the person chose, or the channel's own.
    locale = models.CharField(max_length=5, default="en")
    received_at = models.DateTimeField()
    # Where another controller received it first: its own clock began then.
    submitted_at = models.DateTimeField(null=True)
    # Everything the dates were counted from and why (Deadlines.to_dict): what the person was told stays as it was.
    deadlines = models.JSONField(default=dict)
    # The last day that alarms go by, in the controller's zone.
    due_date = models.DateField()
    extension_reason = models.CharField(max_length=20, choices=ExtensionReason, blank=True)
    identity_level = models.PositiveSmallIntegerField(default=0)
    changed_at = models.DateTimeField()
    # Leaf hash of the request's last event: the next one points back to it.
    chain_head = models.CharField(max_length=64, default="")
    # Only the digest of the token is kept: a copy of the database opens no request.
    token_sha256 = models.CharField(max_length=64)
    commitment = models.CharField(max_length=64)
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    accepted_ground = models.CharField(max_length=20, choices=Ground, blank=True)
    refusal_reason = models.CharField(max_length=20, choices=RefusalReason, blank=True)
    scope = models.JSONField(null=True)
    scope_commitment = models.CharField(max_length=64, blank=True)
    # Nobody looks for the requests of a policy: no index that each new request would have to be entered in.
    policy = models.ForeignKey("Policy", null=True, on_delete=models.PROTECT, db_index=False)
    signed_off_by = models.UUIDField(null=True)
    closed_at = models.DateTimeField(null=True)
    # When the last search of all declared sources began; null until there was one. The rows of `SourceSearch` count.
    searched_at = models.DateTimeField(null=True)
    # That `SubjectVault.shredded_at` is set, written with it. Here, an index finds the others of those closed long ago.
    is_shredded = models.BooleanField(default=False)

    class Meta:
        ordering = ["-received_at", "id"]
        indexes = [
            # A list is in an order of an index to its last column, or the planner walks through another one.
            models.Index(fields=["-received_at", "id"], name="requests_by_time"),
            models.Index(fields=["state", "-received_at", "id"], name="requests_by_state"),
            models.Index(fields=["channel", "-received_at", "id"], name="requests_by_channel"),
            models.Index(fields=["regulation", "-received_at", "id"], name="requests_by_regulation"),
            # Of the open ones, those that are due first: what reminders and the queue ask for.
            models.Index(fields=["due_date", "id"], condition=Q(closed_at=None), name="open_requests_by_due_date"),
            # The same of one state.
            models.Index(
                fields=["state", "due_date", "id"], condition=Q(closed_at=None), name="open_requests_by_state"
            ),
            # Those that the sources may have to be searched for.
            models.Index(
                fields=["searched_at"], condition=Q(state=RequestState.UNDER_REVIEW), name="reviews_by_search"
            ),
            # Of the closed ones, those whose person is still named: when it is time to shred them.
            models.Index(
                fields=["closed_at", "id"],
                condition=Q(closed_at__isnull=False, is_shredded=False),
                name="closed_requests_still_named",
            ),
            models.Index(
                fields=["closed_at", "id"],
                condition=UNPROVEN & Q(closed_at__isnull=False, is_shredded=False),
                name="unproven_requests_still_named",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class SubjectVault(models.Model):
    """The erasable half: the identifier and the commitment key, sealed under a key of this request alone."""

    request = models.OneToOneField(DeletionRequest, on_delete=models.CASCADE, related_name="vault")
    identifier_kind = models.CharField(max_length=40)
    pseudonym = models.CharField(max_length=64)
    wrapped_key = models.BinaryField()
    # Which of the master keys wraps it.
    master_key_id = models.CharField(max_length=16, default="")
    sealed_identifier = models.BinaryField()
    sealed_commitment_key = models.BinaryField()
    # From then on the fields above are empty, and nobody knows any more whose request it was.
    shredded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["request"], condition=Q(shredded_at=None), name="vaults_that_still_open"),
            models.Index(fields=["master_key_id"], name="vaults_by_master_key"),
            models.Index(fields=["pseudonym"], name="vaults_by_pseudonym"),
        ]


class IdentityChallenge(models.Model):
    """The one-time code that was sent: its keyed digest, until when it holds, how many tries are left."""

    request = models.OneToOneField(DeletionRequest, on_delete=models.CASCADE, related_name="challenge")
    code_hmac = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    attempts_left = models.PositiveSmallIntegerField()
    sent_at = models.DateTimeField(null=True)
    n_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        # Mail that was lost on its way.
        indexes = [models.Index(fields=["request"], condition=Q(sent_at=None), name="codes_not_sent")]


class Pause(models.Model):
    """A time in which the controller waits for the person; open while `until_at` is null."""

    request = models.ForeignKey(DeletionRequest, on_delete=models.CASCADE, related_name="pauses")
    reason = models.CharField(max_length=20, choices=PauseReason)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["from_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["request"], condition=Q(until_at=None), name="one_open_pause_per_request")
        ]


class RequestLink(models.Model):
    """A request that belongs to an earlier one. A link tells; it never blocks."""

    request = models.ForeignKey(DeletionRequest, on_delete=models.CASCADE, related_name="links")
    linked = models.ForeignKey(DeletionRequest, on_delete=models.PROTECT, related_name="linked_from")
    reason = models.CharField(max_length=20, choices=LinkReason)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["request", "linked", "reason"], name="linked_once")]


class SealedNote(models.Model):
    """Words about one request that may name the person: a question, its answer, why a model is excepted, a complaint.

    Sealed under the request's own key, so that they are shredded with it.
    """

    class Kind(models.TextChoices):
        QUESTION = "question"
        ANSWER = "answer"
        REASONS = "reasons"
        COMPLAINT = "complaint"

    request = models.ForeignKey(DeletionRequest, on_delete=models.CASCADE, related_name="notes")
    kind = models.CharField(max_length=20, choices=Kind)
    # The model that the words are about; none where they are about the whole request.
    model = models.ForeignKey(RegisteredModel, null=True, on_delete=models.PROTECT, related_name="+")
    sealed_text = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]


class SourceSearch(models.Model):
    """How many records of the person a worker found in one data source, and how many of them no lineage knows."""

    request = models.ForeignKey(DeletionRequest, on_delete=models.CASCADE, related_name="searches")
    data_source = models.ForeignKey(DataSource, on_delete=models.PROTECT, related_name="+")
    n_found = models.PositiveIntegerField()
    n_unknown = models.PositiveIntegerField()
    # The kind of error for which the source could not be searched; empty where it was.
    failure = models.CharField(max_length=60, blank=True)
    searched_at = models.DateTimeField()

    class Meta:
        ordering = ["data_source__name"]
        constraints = [models.UniqueConstraint(fields=["request", "data_source"], name="one_search_per_source")]


class Reminder(models.Model):
    """Staff, or the person, was reminded on a day: once for each kind and due date."""

    request = models.ForeignKey(DeletionRequest, on_delete=models.CASCADE, related_name="reminders")
    kind = models.CharField(max_length=20)
    due_date = models.DateField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["request", "kind", "due_date"], name="reminded_once")]


class Letter(models.Model):
    """A message owed to the data subject. The text is made when it is sent; nothing of it is stored."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt"
        IDENTITY = "identity"
        IDENTITY_REMINDER = "identity_reminder"
        QUESTION = "question"
        EXTENSION = "extension"
        COMPLETED = "completed"
        PARTLY_COMPLETED = "partly_completed"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"
        CLOSED_UNVERIFIED = "closed_unverified"

    request = models.ForeignKey(DeletionRequest, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=20, choices=Kind)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    n_tries = models.PositiveSmallIntegerField(default=0)
    # What the text said, committed to under the request's key; in the ledger as request.notified.
    commitment = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            # Several questions may be asked; of everything else there is one.
            models.UniqueConstraint(
                fields=["request", "kind"], condition=~Q(kind="question"), name="one_letter_per_kind_but_questions"
            )
        ]
        # The few of them that a sweep looks for.
        indexes = [
            models.Index(fields=["n_tries", "id"], condition=Q(sent_at=None), name="unsent_letters"),
            models.Index(fields=["request"], condition=Q(kind="identity_reminder"), name="reminders_of_identity"),
        ]


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
        indexes = [
            models.Index(fields=["state", "lease_expires_at"], name="jobs_by_lease"),
            # Which of them is the next of its model.
            models.Index(
                fields=["model", "queued_at", "id"], condition=Q(state=JobState.QUEUED), name="queued_jobs_by_model"
            ),
        ]


class Target(models.Model):
    """One request × one model."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(DeletionRequest, on_delete=models.CASCADE, related_name="targets")
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="targets")
    state = models.CharField(max_length=20, choices=TargetState)
    n_records = models.PositiveIntegerField()
    forget_commitment = models.CharField(max_length=64, blank=True)
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="targets")
    exception = models.CharField(max_length=20, choices=RefusalReason, blank=True)
    hold = models.CharField(max_length=20, choices=HoldReason, blank=True)
    # That there is a `Summary`, written with it. Here, an index finds the few that have none yet.
    is_summarised = models.BooleanField(default=False)

    class Meta:
        ordering = ["model__name"]
        constraints = [models.UniqueConstraint(fields=["request", "model"], name="one_target_per_request_and_model")]
        indexes = [
            models.Index(
                fields=["request"],
                condition=Q(state=TargetState.DEPLOYED, is_summarised=False),
                name="targets_not_summarised",
            )
        ]


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
