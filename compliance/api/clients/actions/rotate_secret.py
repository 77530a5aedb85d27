"""A client gets a new secret. The old one, and every token that was made with it, stop working at once."""

import logging
from datetime import UTC, datetime

from django.db import transaction
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import AccessToken

from compliance.api.clients.actions.register import Registered
from compliance.api.clients.queries import locked_active

logger = logging.getLogger(__name__)


@transaction.atomic
def rotate_secret(name: str) -> Registered:
    """The client with its new secret, shown once; raises UnknownClientError."""
    client, application = locked_active(name)
    application.client_secret = secret = generate_client_secret()
    application.save()
    AccessToken.objects.filter(application=application).delete()
    client.secret_at = datetime.now(tz=UTC)
    client.save(update_fields=["secret_at"])
    logger.info("client %s: secret rotated", client.pk)
    return Registered(client, application.client_id, secret)
