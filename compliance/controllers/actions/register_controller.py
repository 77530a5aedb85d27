"""Another organisation may pass on requests of its data subjects. Its token is shown once, here."""

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import IntegrityError, transaction

from compliance.controllers import callback_addresses, controller_entries, permissions, tokens
from compliance.controllers.errors import InvalidControllerError
from compliance.controllers.models import Controller
from compliance.ledger.actors import Actor

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Registered:
    """The controller, and the token that it needs."""

    controller: Controller
    token: str = field(repr=False)


@transaction.atomic
def register_controller(name: str, callback_hosts: Collection[str], *, actor: Actor) -> Registered:
    """A controller that may be called back on these hosts alone; raises InvalidControllerError, ForbiddenActorError."""
    permissions.refuse_unless_manager(actor)
    if not _NAME.fullmatch(name):
        raise InvalidControllerError("name: expected up to 80 letters, digits, spaces, dots, dashes; found another.")
    hosts, token, now = callback_addresses.hosts_named(callback_hosts), tokens.new(), datetime.now(tz=UTC)
    try:
        with transaction.atomic():
            controller = Controller.objects.create(
                name=name,
                token_sha256=tokens.digest(token),
                callback_hosts=hosts,
                created_by=actor.id,
                created_at=now,
                token_at=now,
            )
    except IntegrityError as error:
        raise InvalidControllerError(f"name: expected one that is free, found {name!r}, which is taken.") from error
    controller_entries.registered(controller, actor=actor)
    logger.info("controller %s: registered by %s %s", controller.pk, actor.role.value, actor.id)
    return Registered(controller, token)
