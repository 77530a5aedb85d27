"""The self-certification list, run against this service over HTTP and against the stand-in that is shipped with it."""

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from compliance.controllers.actions.cancel import cancel
from compliance.opendsr.dialect import OPENDSR_2, Dialect
from compliance.opendsr.errors import UntrustedChainError
from compliance.opendsr.statuses import STATUS_OF_STATE, RequestStatus
from tests.compliance import cast
from tests.compliance.controllers import installation

from .authority import AT, DOMAIN, Authority, new_authority
from .conformance import ITEMS, Item, Processor, erasure
from .simulator import Controller, Wire
from .stub_processor import StubProcessor


class Service:
    """This service, with people who decide and a worker that works."""

    domain = DOMAIN

    def __init__(self, base_url: str, authority: Authority) -> None:
        token = installation.registered().token
        self.wire = Wire(base_url, {"Authorization": f"Bearer {token}"})
        self._policy = authority.policy()

    def controller(self, dialect: Dialect = OPENDSR_2) -> AbstractContextManager[Controller]:
        return Controller(self.wire, DOMAIN, self._policy, dialect, self.now)

    def advance(self, request_id: uuid.UUID, status: RequestStatus) -> None:
        row = installation.row_of(request_id)
        if status is RequestStatus.CANCELLED:
            cancel(row.controller_id, request_id)
        elif status is RequestStatus.IN_PROGRESS:
            cast.decide(row.request_id)
        else:
            cast.make_plan(row.request_id)
            cast.second_signature(row.request_id)
        assert STATUS_OF_STATE[installation.row_of(request_id).request.state] is status
        installation.deliver_all()

    def retry(self) -> None:
        installation.deliver_all()

    def now(self) -> datetime:
        return datetime.now(tz=UTC)


class StandIn:
    """The stub processor."""

    domain = DOMAIN

    def __init__(self, stub: StubProcessor, authority: Authority) -> None:
        self._stub, self._policy = stub, authority.policy()

    def controller(self, dialect: Dialect = OPENDSR_2) -> AbstractContextManager[Controller]:
        return Controller(self._stub.wire, DOMAIN, self._policy, dialect, self.now)

    def advance(self, request_id: uuid.UUID, status: RequestStatus) -> None:
        self._stub.requests.move(str(request_id), status)

    def retry(self) -> None:
        held = next(iter(self._stub.requests.held.values()))
        for url in held.request.status_callback_urls:
            self._stub.requests.call(held, url)

    def now(self) -> datetime:
        return AT


@pytest.fixture(scope="module")
def present() -> Authority:
    return installation.present_authority()


@pytest.fixture
def service(
    ledger_db: None, live_server: LiveServer, settings: Settings, tmp_path: Path, present: Authority
) -> Service:
    cache.clear()
    identity = present.identity(terms=installation.valid_terms())
    installation.switch_on(settings, tmp_path / "opendsr", identity)
    return Service(live_server.url, present)


@pytest.fixture
def stand_in(authority: Authority) -> Iterator[Processor]:
    with StubProcessor(authority.identity()) as stub:
        yield StandIn(stub, authority)


@pytest.mark.parametrize("examined", ITEMS, ids=lambda each: each.name)
def test_the_service_conforms(examined: Item, service: Processor) -> None:
    examined.check(service)


@pytest.mark.parametrize("examined", ITEMS, ids=lambda each: each.name)
def test_the_stand_in_conforms(examined: Item, stand_in: Processor) -> None:
    examined.check(stand_in)


def test_a_service_under_a_strangers_certificate_is_not_believed(service: Service) -> None:
    stranger = new_authority("Stranger").policy()
    with (
        Controller(service.wire, DOMAIN, stranger, OPENDSR_2, service.now) as controller,
        pytest.raises(UntrustedChainError),
    ):
        controller.create(erasure(controller, service.now()))
