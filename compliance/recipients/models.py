"""Rows of who was given models or data, and of what each was told. None holds an identifier of a person.

`status` of a notice is written in progress.py alone.
"""

import uuid

from django.db import models

from compliance.registry.models import RegisteredModel
from compliance.requests.models import DeletionRequest, RefusalReason


class IdentifierForm(models.TextChoices):
    """How a recipient is told who it is about: in clear, or so that it finds only whom it knows already."""

    PLAIN = "plain", "In clear"
    SHA256 = "sha256", "SHA-256 of the canonical spelling"


class Article(models.TextChoices):
    """Why a recipient is told."""

    ART_19 = "art19", "GDPR 19: data were disclosed to it"
    ART_17_2 = "art17_2", "GDPR 17(2): it processes what was made public"
    CCPA_7022 = "ccpa_7022", "CCPA regulations 7022: service provider or third party"


class NoticeStatus(models.TextChoices):
    """How a notice stands."""

    OWED = "owed", "Not told yet"
    SENT = "sent", "Told"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    IMPOSSIBLE = "impossible", "Impossible or disproportionate"


class AcknowledgedResult(models.TextChoices):
    """What a recipient says it did."""

    DONE = "done", "Erased"
    NOTHING_HELD = "nothing_held", "Nothing held"
    REFUSED = "refused", "Refused"


class Impossibility(models.TextChoices):
    """Art. 19 GDPR: why a recipient need not be told."""

    IMPOSSIBLE = "impossible", "It is impossible"
    DISPROPORTIONATE = "disproportionate", "It takes disproportionate effort"


class Recipient(models.Model):
    """An organisation to which data or models were disclosed (Art. 4(9), 19 GDPR).

    `is_public` marks a controller that processes a model which was made public (Art. 17(2)).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    # Where notices are sent; "" for one that is told by other means.
    url = models.CharField(max_length=2048, blank=True)
    contact = models.CharField(max_length=300, blank=True)
    # PEM, P-256 or Ed25519; with one, an acknowledgement must be signed with it.
    public_key = models.TextField(blank=True)
    identifier_form = models.CharField(max_length=10, choices=IdentifierForm, default=IdentifierForm.PLAIN)
    is_public = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_by = models.UUIDField()
    created_at = models.DateTimeField()
    # Last: from here on the name is the field's.
    models = models.ManyToManyField(RegisteredModel, related_name="recipients")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    """What one recipient is owed about one request. Its text is made when it is sent; nothing of it is stored.

    The text holds a token of 256 random bits, which is sealed under the request's key: its plain digest can be kept,
    for nobody can test a guessed identifier against it without the token, and that is shredded with the request.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(DeletionRequest, on_delete=models.CASCADE, related_name="recipient_notices")
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="notices")
    article = models.CharField(max_length=10, choices=Article)
    status = models.CharField(max_length=12, choices=NoticeStatus, default=NoticeStatus.OWED)
    created_at = models.DateTimeField()
    # When its text was first made; empty where it was told by other means.
    issued_at = models.DateTimeField(null=True)
    sealed_token = models.BinaryField(default=b"")
    token_sha256 = models.CharField(max_length=64, blank=True)
    notice_sha256 = models.CharField(max_length=64, blank=True)
    # To the text, under the request's key; in the ledger as request.recipient_notified.
    commitment = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(null=True)
    # Set when delivery was given up: staff tell the recipient otherwise, send again, or say why it is impossible.
    gave_up_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=12, choices=AcknowledgedResult, blank=True)
    refusal_reason = models.CharField(max_length=20, choices=RefusalReason, blank=True)
    # As it was received or signed; b"" where staff recorded what came otherwise.
    acknowledgement = models.BinaryField(default=b"")
    acknowledgement_sha256 = models.CharField(max_length=64, blank=True)
    impossible_at = models.DateTimeField(null=True)
    impossibility = models.CharField(max_length=16, choices=Impossibility, blank=True)
    # Why, in words that may name the person: sealed under the request's key.
    sealed_words = models.BinaryField(default=b"")
    # Those that forgot the person and that this recipient has to do with. Last: from here on the name is the field's.
    models = models.ManyToManyField(RegisteredModel, related_name="+")

    class Meta:
        ordering = ["recipient__name", "id"]
        indexes = [
            models.Index(fields=["status", "created_at"], name="notices_by_status"),
            models.Index(fields=["recipient", "-created_at", "-id"], name="notices_by_recipient"),
        ]

    def __str__(self) -> str:
        return str(self.id)
