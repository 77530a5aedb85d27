"""Rows of machine clients. Secrets and tokens are in the tables of the library, as digests."""

import uuid

from django.contrib.auth.models import User
from django.db import models
from oauth2_provider.models import Application


class ApiClient(models.Model):
    """A program that calls the API: the account whose roles it holds, and the scopes that narrow them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    # It cannot sign in: its password is unusable.
    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="+")
    # Gone once the client was revoked.
    application = models.OneToOneField(Application, null=True, on_delete=models.SET_NULL, related_name="api_client")
    scopes = models.JSONField()
    created_at = models.DateTimeField()
    secret_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
