"""Rows of what is sent to other systems: deliveries, their tries, and webhooks. None holds a body or personal data.

`status` of a delivery is written in steps.py alone.
"""

import uuid

from django.db import models
from django.db.models import Q


class DeliveryStatus(models.TextChoices):
    """How a delivery stands."""

    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    GAVE_UP = "gave_up", "Given up"


class Failure(models.TextChoices):
    """Why a try brought no status. A closed list: nothing that a receiver says is written down."""

    ADDRESS_REFUSED = "address_refused", "the address is not one that may be reached"
    NAME_UNKNOWN = "name_unknown", "the name of the host leads nowhere"
    NO_CONNECTION = "no_connection", "nobody took the connection, or it broke"
    TLS_FAILED = "tls_failed", "the certificate does not prove the host"
    TIMED_OUT = "timed_out", "no answer in time"
    BAD_ANSWER = "bad_answer", "the answer is no HTTP"
    NOT_RENDERED = "not_rendered", "the message could not be made"
    NOT_WANTED = "not_wanted", "nobody wants it any more"
    TRIES_USED_UP = "tries_used_up", "all tries were used up, some by workers that died"
    # What a try says until its worker writes the result; it stays where the worker died first.
    NO_RECORD = "no_record", "being sent, or the worker died"


class Delivery(models.Model):
    """One message to one address. The kind makes its body from rows at the moment of sending."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The file in kinds/ that makes the message, and the row there that it makes it from.
    kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    url = models.CharField(max_length=2048)
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    # Counted when a try begins. It also tells a worker whether the delivery is still its own.
    n_tries = models.PositiveSmallIntegerField(default=0)
    # While a try runs: when it counts as lost, and another worker may begin the next.
    next_try_at = models.DateTimeField(null=True)
    # A failure after this moment is the last one.
    give_up_at = models.DateTimeField()
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    # Set when it was given up and somebody should look; cleared when it is sent again, or its receiver is gone.
    alarmed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["next_try_at"], name="deliveries_due", condition=Q(status=DeliveryStatus.PENDING)),
            models.Index(fields=["-created_at", "-id"], name="deliveries_by_time"),
            models.Index(fields=["kind", "subject_id"], name="deliveries_by_subject"),
            models.Index(fields=["alarmed_at"], name="deliveries_alarmed", condition=Q(alarmed_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.id)


class DeliveryAttempt(models.Model):
    """One try: a status, or a word of the closed list."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    status_code = models.PositiveSmallIntegerField(null=True)
    failure = models.CharField(max_length=16, choices=Failure, blank=True)
    duration_ms = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["at"], name="attempts_by_time")]


class Webhook(models.Model):
    """An address that is told when requests change state."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    url = models.CharField(max_length=2048)
    event_types = models.JSONField()
    is_active = models.BooleanField(default=True)
    created_by = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class WebhookSecret(models.Model):
    """A key that signs what a webhook is sent, wrapped. For a day after a rotation the one before signs as well."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="secrets")
    wrapped_key = models.BinaryField()
    # Which of the vault's master keys wraps it.
    master_key_id = models.CharField(max_length=16)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        # The newest signature stands first.
        ordering = ["-created_at", "id"]


class WebhookMessage(models.Model):
    """What a webhook is told, as it was when it happened: the same id and the same words in each try."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="messages")
    event_type = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    # Both are empty in a test message. No foreign key: a message says what was, whatever becomes of the request.
    request_id = models.UUIDField(null=True)
    request_state = models.CharField(max_length=20, blank=True)
    due_date = models.DateField(null=True)
