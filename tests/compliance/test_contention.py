"""Two in each other's way: whoever lost is told to try again, and nothing else is mistaken for that."""

import sqlite3
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from compliance.api.errors import problem_of
from compliance.api.staff import deciding
from compliance.contention import ContentionMiddleware, is_lost_to_another
from compliance.portal.views import decisions
from compliance.registry.models import RegisteredModel
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api.caller import Caller, body_of
from tests.compliance.portal.browsing import signed_in


def caused_by(cause: Exception | None, kind: type[Exception] = OperationalError) -> Exception:
    """As Django wraps what a driver raised."""
    error = kind(f"DETAIL: Key (x)=({cast.ALICE})")
    error.__cause__ = cause
    return error


def of_sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = code
    return error


LOST = {
    "a deadlock": caused_by(psycopg.errors.DeadlockDetected()),
    "a serialization failure": caused_by(psycopg.errors.SerializationFailure()),
    "a lock that did not come": caused_by(psycopg.errors.LockNotAvailable()),
    "SQLite is busy": caused_by(of_sqlite(sqlite3.SQLITE_BUSY)),
    "SQLite is busy with a newer snapshot": caused_by(of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT)),
}
OTHERS = {
    "the server is away": caused_by(psycopg.OperationalError("connection refused")),
    "the disk is full": caused_by(psycopg.errors.DiskFull()),
    "SQLite cannot open its file": caused_by(of_sqlite(sqlite3.SQLITE_CANTOPEN)),
    "no cause": caused_by(None),
    "not of the database": caused_by(psycopg.errors.DeadlockDetected(), ValueError),
    "a row that is there already": caused_by(psycopg.errors.UniqueViolation(), IntegrityError),
}


@pytest.mark.parametrize("error", [pytest.param(error, id=name) for name, error in OTHERS.items()])
def test_what_trying_again_does_not_mend_stays_a_failure(error: Exception) -> None:
    assert not is_lost_to_another(error)
    assert problem_of(error).status == 500
    assert ContentionMiddleware(answer).process_exception(HttpRequest(), error) is None


@pytest.mark.parametrize("error", [pytest.param(error, id=name) for name, error in LOST.items()])
def test_whoever_lost_is_told_to_try_again_and_nothing_of_the_rows(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code, problem.headers) == (503, "try_again", {"Retry-After": "1"})
    page = ContentionMiddleware(answer).process_exception(RequestFactory().post("/requests/"), error)
    assert page is not None
    assert (page.status_code, page["Retry-After"]) == (503, "1")
    assert "try once more" in page.content.decode()
    said = f"{problem} {page.content.decode()} {caplog.text}"
    assert cast.MARK not in said
    assert caplog.text.count("lost to another transaction") == 2


def answer(_: HttpRequest) -> HttpResponse:
    return HttpResponse("fine")


def test_an_answer_passes_as_it_is() -> None:
    assert ContentionMiddleware(answer)(HttpRequest()).content == b"fine"


@pytest.fixture
def deadlock(ledger_db: None) -> Iterator[Callable[[], None]]:
    """A real one: the action waits for a row whose holder waits for the row that the action holds."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time: there is nothing to wait for in a circle")
    first, second = (cast.model_of(name) for name in ("first", "second"))
    is_locked, is_held = threading.Event(), threading.Event()

    def lock(model: RegisteredModel) -> None:
        RegisteredModel.objects.select_for_update().get(pk=model.pk)

    def hold_in_the_other_order() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                # Not this one, but the call that is looked at, is to be given up: it looks first.
                cursor.execute("SET LOCAL deadlock_timeout = '30s'")
                lock(second)
                is_held.set()
                assert is_locked.wait(20)
                lock(first)
        finally:
            connection.close()

    def in_a_circle(*_: object, **__: object) -> None:
        with transaction.atomic():
            lock(first)
            is_locked.set()
            assert is_held.wait(20)
            lock(second)

    holder = threading.Thread(target=hold_in_the_other_order)
    holder.start()
    yield in_a_circle
    holder.join(60)


def test_a_deadlock_is_answered_with_503_by_the_api(
    deadlock: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    monkeypatch.setattr(deciding, "refuse", deadlock)
    response = Caller(f"Token {cast.staff_token(cast.dana())}").post(
        "staff-refuse", request.pk, body={"reason": "art17_3_e"}
    )
    assert (response.status_code, body_of(response)["code"]) == (503, "try_again")


def test_a_deadlock_is_answered_with_503_by_the_portal(
    deadlock: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    monkeypatch.setattr(decisions, "refuse_request", deadlock)
    response = signed_in(cast.dana()).post(reverse("portal:refuse", args=[request.pk]), {"reason": "art17_3_e"})
    assert (response.status_code, response["Retry-After"]) == (503, "1")
