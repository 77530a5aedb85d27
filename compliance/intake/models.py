"""Which keys were used for which requests. Neither a key nor a body is stored, and no token can be made from a row."""

import uuid

from django.db import models

from compliance.requests.models import DeletionRequest


class SubmissionKey(models.Model):
    """A key that a client gave with a new request: keyed digests of it and of what was asked."""

    # Random: it goes into the derivation of the token, so that a key that was used up makes another token.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key_hmac = models.CharField(max_length=64, unique=True)
    body_hmac = models.CharField(max_length=64)
    # Null only inside the transaction that makes the request.
    request = models.ForeignKey(DeletionRequest, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["created_at"], name="submission_keys_by_time")]

    def __str__(self) -> str:
        return str(self.id)
