"""Registering controllers: who may, under which names and hosts, and what is kept of a token."""

import logging
import uuid

import pytest

from compliance.controllers.actions.deactivate_controller import deactivate_controller
from compliance.controllers.actions.register_controller import register_controller
from compliance.controllers.actions.rotate_token import rotate_token
from compliance.controllers.errors import ForbiddenActorError, InvalidControllerError, UnknownControllerError
from compliance.controllers.models import Controller
from compliance.ledger.actors import SYSTEM, Actor, Role
from tests.compliance.controllers.installation import registered

pytestmark = pytest.mark.django_db
STRANGERS = [role for role in Role if role not in (Role.OPERATOR, Role.DPO, Role.SYSTEM)]
NAMES = {"empty": "", "a space first": " a", "a new line": "a\nb", "too long": "a" * 81, "markup": "<b>"}
HOSTS = {
    "a URL": "https://a.example",
    "a path": "a.example/x",
    "a query": "a.example?x",
    "a port": "a.example:8443",
    "a user": "me@a.example",
    "a wildcard": "*.example",
    "empty": "",
    "a network of one's own": "10.0.0.7",
    "a number": "2130706433",
}


@pytest.mark.parametrize("role", STRANGERS)
def test_other_roles_manage_no_controllers(role: Role) -> None:
    stranger, controller = Actor(role=role, id=uuid.uuid4()), registered().controller
    with pytest.raises(ForbiddenActorError):
        register_controller("other", ["a.example"], actor=stranger)
    with pytest.raises(ForbiddenActorError):
        rotate_token(controller.pk, actor=stranger)
    with pytest.raises(ForbiddenActorError):
        deactivate_controller(controller.pk, actor=stranger)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidControllerError, match="name"):
        register_controller(NAMES[name], ["a.example"], actor=SYSTEM)


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_is_refused(name: str) -> None:
    with pytest.raises(InvalidControllerError, match="callback_hosts"):
        register_controller("acme", [HOSTS[name]], actor=SYSTEM)


def test_a_name_is_taken_once_and_hosts_are_few() -> None:
    registered("acme")
    with pytest.raises(InvalidControllerError, match="taken"):
        registered("acme")
    with pytest.raises(InvalidControllerError, match="at most 20"):
        register_controller("many", [f"h{number}.example" for number in range(21)], actor=SYSTEM)


def test_one_that_is_gone_or_was_never_there_is_not_changed() -> None:
    controller = registered().controller
    deactivate_controller(controller.pk, actor=SYSTEM)
    for controller_id in (controller.pk, uuid.uuid4()):
        with pytest.raises(UnknownControllerError):
            rotate_token(controller_id, actor=SYSTEM)
        with pytest.raises(UnknownControllerError):
            deactivate_controller(controller_id, actor=SYSTEM)


def test_a_token_is_shown_once_and_kept_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    first = registered("acme", "B.example", "a.example", "b.EXAMPLE")
    second = rotate_token(first.controller.pk, actor=SYSTEM)
    row = Controller.objects.get()
    assert row.callback_hosts == ["a.example", "b.example"]
    assert len({first.token, second}) == 2
    for token in (first.token, second):
        assert token not in caplog.text + repr(first) + repr(Controller.objects.values())
