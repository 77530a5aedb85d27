"""Two proofs of one request at the same moment: exactly one wins, and a code is compared at most as often as allowed."""

import threading
import uuid
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection

from compliance.ledger.actors import SYSTEM, Actor, Role, subject_of
from compliance.ledger.models import PendingEntry
from compliance.requests.actions.close_unverified import close_unverified
from compliance.requests.actions.confirm_identity import confirm_identity
from compliance.requests.actions.confirm_identity_manually import confirm_identity_manually
from compliance.requests.actions.remind_of_identity import remind_of_identity
from compliance.requests.errors import RequestError
from compliance.requests.models import IdentityChallenge, Letter
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.identity.test_silence import reminded, silent_since

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger_db")]

OPERATOR = Actor(role=Role.OPERATOR, id=uuid.UUID(int=1, version=4))


def outcomes_of(*calls: Callable[[], object]) -> list[str]:
    """What comes of calls that begin at the same moment."""
    barrier, outcomes = threading.Barrier(len(calls)), list[str]()

    def run(call: Callable[[], object]) -> None:
        try:
            barrier.wait()
            call()
            outcomes.append("done")
        except RequestError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_proofs_made_at_the_same_time_exactly_one_wins() -> None:
    request = cast.brought_to(RequestState.IDENTITY_PENDING).request
    code, n_before = cast.mail_code(request.pk), PendingEntry.objects.count()

    def by_code() -> None:
        confirm_identity(request.pk, actor=subject_of(request.pk), code=code)

    def by_staff() -> None:
        confirm_identity_manually(request.pk, actor=OPERATOR, means="in_person")

    outcomes = outcomes_of(by_code, by_staff, by_code, by_staff)
    assert sorted(outcomes) == ["done", "wrong_state", "wrong_state", "wrong_state"]
    assert PendingEntry.objects.count() == n_before + 1
    request.refresh_from_db()
    assert (request.state, request.pauses.filter(until_at=None).count()) == (RequestState.UNDER_REVIEW, 0)


def test_tries_at_the_same_time_do_not_share_one() -> None:
    request = cast.brought_to(RequestState.IDENTITY_PENDING).request
    wrong = f"{(int(cast.mail_code(request.pk)) + 1) % 10**10:010d}"

    def guess() -> None:
        confirm_identity(request.pk, actor=subject_of(request.pk), code=wrong)

    assert set(outcomes_of(*[guess] * 6)) == {"identity_not_confirmed"}
    assert IdentityChallenge.objects.get().attempts_left == 0
    assert settings.IDENTITY_CODE_ATTEMPTS < 6


def test_a_proof_at_the_moment_of_closing_is_either_taken_or_too_late() -> None:
    request = reminded()
    code = cast.mail_code(request.pk)

    def prove() -> None:
        confirm_identity(request.pk, actor=subject_of(request.pk), code=code)

    def close() -> None:
        close_unverified(request.pk, actor=SYSTEM)

    assert sorted(outcomes_of(prove, close)) == ["done", "wrong_state"]
    request.refresh_from_db()
    is_closed = request.state == RequestState.CLOSED_UNVERIFIED
    assert request.letters.filter(kind=Letter.Kind.CLOSED_UNVERIFIED).exists() is is_closed
    assert (request.closed_at is not None) is is_closed


def test_sweeps_at_the_same_time_owe_one_reminder() -> None:
    request = silent_since(25)
    assert set(outcomes_of(*[lambda: remind_of_identity(request.pk)] * 3)) == {"done"}
    assert Letter.objects.count() == 1
