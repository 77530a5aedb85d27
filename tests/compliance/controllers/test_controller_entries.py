"""Each change of the register of controllers is an entry of whoever made it, without tokens."""

import json
from hashlib import sha256

import pytest
from django.db import transaction

from compliance.controllers.actions.deactivate_controller import deactivate_controller
from compliance.controllers.actions.register_controller import register_controller
from compliance.controllers.actions.rotate_token import rotate_token
from compliance.controllers.errors import ControllerError
from compliance.controllers.models import Controller
from compliance.evidence import leaf
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM, Role
from compliance.ledger.models import PendingEntry
from tests.compliance import cast
from tests.compliance.controllers.installation import registered

pytestmark = pytest.mark.django_db


def rows() -> list[PendingEntry]:
    return list(PendingEntry.objects.filter(event_type__startswith="controller.").order_by("pk"))


def entries() -> list[leaf.Event]:
    return [leaf.parse(bytes(row.leaf)) for row in rows()]


def test_what_is_refused_leaves_no_entry() -> None:
    controller = registered().controller
    deactivate_controller(controller.pk, actor=SYSTEM)
    before = entries()
    with pytest.raises(ControllerError):
        registered()
    with pytest.raises(ControllerError):
        rotate_token(controller.pk, actor=SYSTEM)
    with pytest.raises(ControllerError):
        deactivate_controller(controller.pk, actor=SYSTEM)
    assert entries() == before


def test_a_change_that_fails_later_leaves_no_entry() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        registered()
        raise RuntimeError
    assert entries() == [] and not Controller.objects.exists()


def test_registering_rotating_and_switching_off_are_one_entry_each() -> None:
    bob = actors.staff(cast.bob(), Role.OPERATOR)
    made = register_controller("acme", ["B.example", "a.example"], actor=bob)
    token = rotate_token(made.controller.pk, actor=SYSTEM)
    deactivate_controller(made.controller.pk, actor=bob)
    first, second, third = entries()
    assert [each.type for each in entries()] == [
        "controller.registered",
        "controller.token_rotated",
        "controller.deactivated",
    ]
    assert [each.actor_id for each in entries()] == [str(bob.id), str(SYSTEM.id), str(bob.id)]
    public = {"name": "acme", "callback_hosts": ["a.example", "b.example"]}
    written = json.dumps(public, sort_keys=True, separators=(",", ":")).encode()
    assert first.facts == {"controller": str(made.controller.pk), "details_sha256": sha256(written).hexdigest()}
    assert second.facts == third.facts == {"controller": str(made.controller.pk)}
    leaves = b"".join(bytes(row.leaf) for row in rows())
    for secret in (made.token, token):
        assert secret.encode() not in leaves and sha256(secret.encode()).hexdigest().encode() not in leaves
