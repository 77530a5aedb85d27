"""Somebody wants another system to be told. Its secret is shown once, here."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import IntegrityError, transaction

from compliance.ledger.actors import Actor
from compliance.outbound import endpoints, event_types, permissions, webhook_entries, webhook_secrets
from compliance.outbound.errors import InvalidWebhookError
from compliance.outbound.models import Webhook

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Created:
    """The webhook, and the secret that its receiver needs (`whsec_…`)."""

    webhook: Webhook
    secret: str


@transaction.atomic
def create_webhook(name: str, url: str, wanted: Sequence[str], *, actor: Actor) -> Created:
    """A webhook that is told of these event types from now on, or of all with `*`.

    Raises InvalidWebhookError, AddressRefusedError for the spelling of the URL, and ForbiddenActorError.
    """
    permissions.refuse_unless_manager(actor)
    if not _NAME.fullmatch(name):
        raise InvalidWebhookError("name: expected up to 80 letters, digits, spaces, dots, dashes; found another.")
    chosen = event_types.chosen(wanted)
    endpoints.parse(url)
    now = datetime.now(tz=UTC)
    try:
        with transaction.atomic():
            webhook = Webhook.objects.create(
                name=name, url=url, event_types=chosen, created_by=actor.id, created_at=now
            )
    except IntegrityError as error:
        raise InvalidWebhookError(f"name: expected one that is free, found {name!r}, which is taken.") from error
    secret = webhook_secrets.add(webhook, now)
    webhook_entries.created(webhook, actor=actor)
    logger.info("webhook %s: created by %s %s", webhook.pk, actor.role.value, actor.id)
    return Created(webhook, secret)
