"""An installation that speaks OpenDSR under a test authority, and the organisations that use it."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_django import Settings

from compliance.controllers.actions.register_controller import Registered, register_controller
from compliance.controllers.models import ControllerRequest
from compliance.controllers.queries import KIND
from compliance.ledger.actors import SYSTEM
from compliance.opendsr.signing_identity import SigningIdentity
from compliance.outbound.models import Delivery, DeliveryStatus
from tests.compliance.opendsr.authority import DOMAIN, Authority, Terms, lay_out, new_authority
from tests.compliance.outbound.hooks import try_now

HOST = "127.0.0.1"


def valid_terms() -> Terms:
    """A certificate that is valid now, and long enough not to be renewed soon."""
    return Terms(valid_until=datetime.now(tz=UTC) + timedelta(days=60))


def present_authority() -> Authority:
    """An authority of today; that of the protocol's own tests lives in their time."""
    return new_authority("Present", valid_until=datetime.now(tz=UTC) + timedelta(days=90))


def switch_on(settings: Settings, folder: Path, identity: SigningIdentity) -> None:
    """The settings of an installation that signs as this identity and may call back on this machine."""
    folder.mkdir()
    settings.OPENDSR_KEY_PATH, settings.OPENDSR_CERTIFICATE_PATH = lay_out(identity, folder)
    settings.OPENDSR_DOMAIN = DOMAIN
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset({HOST})
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, DOMAIN]
    settings.DEBUG = False


def registered(name: str = "acme", *hosts: str) -> Registered:
    """A controller that may be called back on this machine, or on these hosts."""
    return register_controller(name, hosts or (HOST,), actor=SYSTEM)


def row_of(subject_request_id: uuid.UUID | str) -> ControllerRequest:
    """The row of a request that only one controller has."""
    return ControllerRequest.objects.select_related("request").get(subject_request_id=subject_request_id)


def deliver_all() -> list[Delivery]:
    """One try of every callback that waits, the oldest first."""
    waiting = Delivery.objects.filter(kind=KIND, status=DeliveryStatus.PENDING).order_by("created_at", "pk")
    return [try_now(delivery) for delivery in list(waiting)]
