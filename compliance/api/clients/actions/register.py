"""A program may call the API: an account is made whose roles it holds, and a secret that is shown once."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import Application

from compliance.api.clients.errors import InvalidClientError
from compliance.api.clients.models import ApiClient
from compliance.api.clients.scopes import Scope
from compliance.ledger.actors import STAFF_ROLES

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Registered:
    """The client with its id in OAuth 2.0, and its secret."""

    client: ApiClient
    client_id: str
    secret: str


@transaction.atomic
def register(name: str, roles: Sequence[str], scopes: Sequence[str]) -> Registered:
    """A client with these roles and scopes; raises InvalidClientError."""
    _refuse_invalid(name, roles, scopes)
    now, secret = datetime.now(tz=UTC), generate_client_secret()
    user = _account(name, roles)
    application = Application.objects.create(
        name=name,
        user=user,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        client_secret=secret,
    )
    wanted = [scope.value for scope in Scope if scope.value in scopes]
    client = ApiClient.objects.create(
        name=name, user=user, application=application, scopes=wanted, created_at=now, secret_at=now
    )
    logger.info("client %s: registered", client.pk)
    return Registered(client, application.client_id, secret)


def _refuse_invalid(name: str, roles: Sequence[str], scopes: Sequence[str]) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidClientError("name: expected up to 80 letters, digits, dots, dashes; found another.")
    for what, known, given in (("role", STAFF_ROLES, roles), ("scope", tuple(Scope), scopes)):
        names = {str(member) for member in known}
        if not given or not set(given) <= names:
            raise InvalidClientError(
                f"{what}: expected one or more of {', '.join(sorted(names))}; found others, or none."
            )


def _account(name: str, roles: Sequence[str]) -> User:
    user = User(username=f"client:{name}")
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise InvalidClientError(f"name: expected one that is free, found {name!r}, which was used.") from error
    user.groups.set(Group.objects.filter(name__in=roles))
    return user
