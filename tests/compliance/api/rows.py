"""Every row that a request to the API may change, to see that a refusal changed none."""

from typing import Any

from compliance.intake.models import SubmissionKey
from compliance.ledger.models import LedgerEntry, PendingEntry
from compliance.outbound.models import Delivery, Webhook, WebhookSecret
from compliance.recipients.models import Notice, Recipient
from compliance.registry.models import LineageRecord, ModelVersion
from compliance.requests.models import (
    DeletionRequest,
    Evidence,
    Finding,
    IdentityChallenge,
    Job,
    Letter,
    Policy,
    SubjectVault,
    Target,
)

MODELS = (
    DeletionRequest,
    SubjectVault,
    Letter,
    Policy,
    Job,
    Target,
    Finding,
    Evidence,
    PendingEntry,
    LedgerEntry,
    ModelVersion,
    LineageRecord,
    SubmissionKey,
    Webhook,
    WebhookSecret,
    Delivery,
    Recipient,
    Notice,
)


def snapshot(*, with_tries: bool = True) -> dict[str, list[tuple[Any, ...]]]:
    """All columns of all rows. Without tries, the codes to prove an address are left out: a wrong one counts."""
    models = (*MODELS, IdentityChallenge) if with_tries else MODELS
    return {model.__name__: list(model._default_manager.order_by("pk").values_list()) for model in models}
