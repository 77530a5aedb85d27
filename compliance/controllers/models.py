"""Rows of what other controllers ask for, and of what they are told. None holds a body or an identity.

`status_told` of a request is written in notifications.py alone.
"""

import uuid

from django.db import models

from compliance.opendsr.statuses import RequestStatus
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState

STATUSES = [(status.value, status.value) for status in RequestStatus]


class Controller(models.Model):
    """An organisation that may pass on requests. Its token has 256 random bits; only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    token_sha256 = models.CharField(max_length=64, unique=True)
    # Where it may be called back: names of hosts in lower case.
    callback_hosts = models.JSONField()
    is_active = models.BooleanField(default=True)
    created_by = models.UUIDField()
    created_at = models.DateTimeField()
    token_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ControllerRequest(models.Model):
    """A deletion request as the controller knows it. When the person asked is in `request.submitted_at`."""

    request = models.OneToOneField(DeletionRequest, on_delete=models.CASCADE, related_name="controller_request")
    controller = models.ForeignKey(Controller, on_delete=models.PROTECT, related_name="requests")
    # Chosen by the controller: unique among its own, and no secret.
    subject_request_id = models.UUIDField()
    # To the whole body, under the key of this request that is shredded with the identity: a repeated message is known
    # again, and nobody can try addresses against it afterwards.
    body_commitment = models.CharField(max_length=64)
    # The version of the protocol in which it came, and in which it is called back.
    api_version = models.CharField(max_length=8)
    callback_urls = models.JSONField()
    # Kinds of identities that came with it and cannot be looked up here: [type, format] each.
    ignored_identities = models.JSONField()
    status_told = models.CharField(max_length=12, choices=STATUSES)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["controller", "subject_request_id"], name="one_request_per_controller_and_id"
            )
        ]

    def __str__(self) -> str:
        return str(self.subject_request_id)


class StatusNotice(models.Model):
    """A status as it was told when it changed: the same words in each try of each callback."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    controller_request = models.ForeignKey(ControllerRequest, on_delete=models.CASCADE, related_name="notices")
    number = models.PositiveSmallIntegerField()
    occurred_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=STATUSES)
    request_state = models.CharField(max_length=20, choices=RequestState)
    refusal_code = models.CharField(max_length=20, blank=True)
    exceptions = models.JSONField()
    due_at = models.DateTimeField()
    evidence_leaves = models.JSONField()
    results_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["controller_request", "number"]
        constraints = [models.UniqueConstraint(fields=["controller_request", "number"], name="notices_are_numbered")]
