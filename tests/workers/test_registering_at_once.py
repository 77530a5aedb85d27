"""A model is registered while somebody in its data is erased: nobody ends up erased, and in a model that none decided on."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.transaction import TransactionManagementError

from compliance.ledger import actors
from compliance.ledger.actors import Role
from compliance.registry.models import LineageRecord, RegisteredModel
from compliance.requests.actions import sign_off
from compliance.requests.errors import ScopeDriftError
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from compliance.suppression.errors import ErasedPeopleError
from compliance.suppression.registering import hold_registrations, take_registrations
from compliance.suppression.tokens import is_suppressed
from tests.compliance import cast
from tests.workers import digits
from workers import artifacts, registration

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger_db")]
#: In the data of the digits, and in the model whose deletion is signed.
PERSON = digits.TRAINED[3]
WAITING_SECONDS = 20
Start = Callable[[Callable[[], object]], Future[object]]

needs_two_writers = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite lets one writer in at a time: neither can be in the middle"
)


@pytest.fixture
def to_be_signed() -> DeletionRequest:
    """All that is missing is the second signature."""
    cast.bob()
    cast.model_of("spam", PERSON)
    return cast.brought_to(RequestState.SIGNOFF, PERSON).request


@pytest.fixture
def beside() -> Iterator[Start]:
    """Starts a call on a connection of its own."""
    with ThreadPoolExecutor(2) as threads:

        def run(call: Callable[[], object]) -> object:
            try:
                return call()
            finally:
                connection.close()

        yield lambda call: threads.submit(run, call)


def sign(request: DeletionRequest) -> DeletionRequest:
    return sign_off.sign_off(request.pk, actor=actors.staff(cast.bob(), Role.OPERATOR))


def until_somebody_waits() -> None:
    """Until a session waits for the lock that registering and erasing share."""
    for _ in range(WAITING_SECONDS * 50):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone() != (0,):
                return
        time.sleep(0.02)
    raise AssertionError("Nobody waits: the two do not see each other.")


def assert_registered(*names: str) -> None:
    assert set(RegisteredModel.objects.values_list("name", flat=True)) == set(names)


@pytest.mark.parametrize("take", [hold_registrations, take_registrations])
def test_outside_a_transaction_nothing_is_held(take: Callable[[], None]) -> None:
    with pytest.raises(TransactionManagementError, match="inside the transaction"):
        take()


def test_who_is_erased_between_the_first_look_and_the_last_is_not_registered(
    digits_folder: Path, to_be_signed: DeletionRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = artifacts.store

    def store_while_it_is_signed(*arguments: Any) -> Any:
        sign(to_be_signed)
        return store(*arguments)

    monkeypatch.setattr(artifacts, "store", store_while_it_is_signed)
    with pytest.raises(ErasedPeopleError, match="12 of 192 records"):
        digits.registered(digits_folder)
    assert_registered("spam")
    assert artifacts.stored() == {}
    assert LineageRecord.objects.exclude(model__name="spam").count() == 0


@needs_two_writers
def test_a_registration_waits_for_a_signature_that_is_not_committed_yet(
    digits_folder: Path, to_be_signed: DeletionRequest, monkeypatch: pytest.MonkeyPatch, beside: Start
) -> None:
    is_erased, may_commit = threading.Event(), threading.Event()

    def wait(*_: object) -> None:
        is_erased.set()
        assert may_commit.wait(WAITING_SECONDS)

    # The last step of the signature: the token is written, and nobody else can see it.
    monkeypatch.setattr(sign_off, "after_commit", wait)
    signing = beside(lambda: sign(to_be_signed))
    assert is_erased.wait(WAITING_SECONDS)
    registering = beside(lambda: digits.registered(digits_folder))
    try:
        until_somebody_waits()
    finally:
        may_commit.set()
    signing.result(WAITING_SECONDS)
    with pytest.raises(ErasedPeopleError):
        registering.result(WAITING_SECONDS)
    assert_registered("spam")


@needs_two_writers
def test_a_signature_waits_for_a_registration_that_is_not_committed_yet_and_sees_its_model(
    digits_folder: Path, to_be_signed: DeletionRequest, monkeypatch: pytest.MonkeyPatch, beside: Start
) -> None:
    looked, may_commit, look = [threading.Event(), threading.Event()], threading.Event(), registration._refuse_erased

    def look_and_wait(lineage: registration.Lineage) -> None:
        look(lineage)
        is_last = looked[0].is_set()
        looked[is_last].set()
        assert not is_last or may_commit.wait(WAITING_SECONDS)

    monkeypatch.setattr(registration, "_refuse_erased", look_and_wait)
    registering = beside(lambda: digits.registered(digits_folder))
    assert looked[1].wait(WAITING_SECONDS)
    signing = beside(lambda: sign(to_be_signed))
    try:
        until_somebody_waits()
    finally:
        may_commit.set()
    registering.result(WAITING_SECONDS)
    with pytest.raises(ScopeDriftError):
        signing.result(WAITING_SECONDS)
    to_be_signed.refresh_from_db()
    assert to_be_signed.state == RequestState.ATTENTION
    assert not is_suppressed("email", PERSON)
    assert_registered("spam", digits.MODEL)
