"""A client may not call the API any more, for good. Its account stays: the ledger knows what it did by a pseudonym."""

import logging
from datetime import UTC, datetime

from django.db import transaction

from compliance.api.clients.models import ApiClient
from compliance.api.clients.queries import locked_active

logger = logging.getLogger(__name__)


@transaction.atomic
def revoke(name: str) -> ApiClient:
    """The client; its secret and its tokens are deleted. Raises UnknownClientError."""
    client, application = locked_active(name)
    client.application = None
    client.revoked_at = datetime.now(tz=UTC)
    client.save(update_fields=["application", "revoked_at"])
    # Its tokens go with it.
    application.delete()
    client.user.is_active = False
    client.user.save(update_fields=["is_active"])
    logger.info("client %s: revoked", client.pk)
    return client
