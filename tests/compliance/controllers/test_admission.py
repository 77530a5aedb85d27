"""Who is let in at the addresses of OpenDSR, and what is told to everybody else."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from compliance.api.opendsr import admission
from compliance.controllers.actions.deactivate_controller import deactivate_controller
from compliance.controllers.actions.rotate_token import rotate_token
from compliance.controllers.models import ControllerRequest
from compliance.ledger.actors import SYSTEM
from compliance.requests.models import DeletionRequest
from tests.compliance.controllers.caller import Caller, creation, members_of
from tests.compliance.controllers.installation import registered, switch_on
from tests.compliance.opendsr.authority import Authority, Terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    return Caller(registered().token)


CREDENTIALS: dict[str, str] = {
    "none": "",
    "no scheme": "{token}",
    "another scheme": "Token {token}",
    "another token": "Bearer " + "a" * 43,
    "a shorter one": "Bearer {token:.42}",
    "a longer one": "Bearer {token}a",
    "two": "Bearer {token} {token}",
}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_whoever_is_no_controller_is_not_answered(name: str) -> None:
    header = CREDENTIALS[name].format(token=registered().token)
    headers = {"Authorization": header} if header else {}
    answer: Any = Caller().client.get(f"/v2/requests/{uuid.uuid4()}", headers=headers)
    assert (answer.status_code, members_of(answer)["error"]["code"]) == (401, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Cache-Control"] == "no-store"


def test_another_controllers_request_is_not_there(caller: Caller) -> None:
    request_id = caller.created()
    stranger = Caller(registered("stranger").token)
    for answer in (
        stranger.ask(request_id),
        stranger.cancel(request_id),
        stranger.get(f"/v2/requests/{request_id}/evidence"),
        stranger.ask(str(uuid.uuid4())),
        stranger.ask(request_id.upper()),
        stranger.ask("a7551968-d5d6-11b2-9831-815ac9017798"),
        stranger.ask("x"),
    ):
        assert (answer.status_code, members_of(answer)["error"]["code"]) == (404, 404)
    assert stranger.create(creation(subject_request_id=request_id)).status_code == 201
    assert caller.ask(request_id).status_code == 200


def test_a_controller_that_was_deactivated_or_has_a_new_token_is_not_let_in(caller: Caller) -> None:
    request_id = caller.created()
    controller = ControllerRequest.objects.get().controller
    fresh = Caller(rotate_token(controller.pk, actor=SYSTEM))
    assert (caller.ask(request_id).status_code, fresh.ask(request_id).status_code) == (401, 200)
    deactivate_controller(controller.pk, actor=SYSTEM)
    assert fresh.ask(request_id).status_code == fresh.create(creation()).status_code == 401


@pytest.mark.parametrize("method", ["put", "patch", "options", "get"])
def test_another_method_is_refused_by_name(method: str, caller: Caller) -> None:
    answer = getattr(caller.client, method)("/v2/requests")
    assert (answer.status_code, answer["Allow"], members_of(answer)["error"]["code"]) == (405, "POST", 405)


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v2/requests/", "/v2/discovery/", "/v1/x", "/opengdpr_requests/"])
def test_what_is_no_endpoint_is_told_as_an_error_object(path: str, caller: Caller) -> None:
    answer = caller.get(path)
    assert (answer.status_code, members_of(answer)["error"]["code"]) == (404, 404)


def test_more_than_normal_operation_is_told_to_wait(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission._Ceiling, "THROTTLE_RATES", {"opendsr": "2/hour"})
    statuses = [caller.ask(str(uuid.uuid4())) for _ in range(3)]
    assert [answer.status_code for answer in statuses] == [404, 404, 429]
    assert int(statuses[-1]["Retry-After"]) > 1000
    assert Caller(registered("other").token).ask(str(uuid.uuid4())).status_code == 404


def test_without_configuration_there_is_nothing_at_any_address(caller: Caller, settings: Settings) -> None:
    settings.OPENDSR_DOMAIN = ""
    for answer in (caller.create(creation()), *map(caller.get, ("/v2/discovery", "/v2/certificate", "/v2/x"))):
        assert (answer.status_code, members_of(answer)["error"]["code"]) == (404, 404)


def test_nothing_is_signed_or_taken_in_under_a_certificate_that_has_ended(
    caller: Caller, settings: Settings, tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    yesterday = Terms(valid_until=datetime.now(tz=UTC) - timedelta(days=1))
    switch_on(settings, tmp_path / "old", authority.identity(terms=yesterday))
    answer = caller.create(creation())
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert not DeletionRequest.objects.exists()
    assert "was valid until" in caplog.text
