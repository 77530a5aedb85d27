"""The same message at the same moment, over two connections, is one request; and so is a cancellation."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.http import HttpResponse

from compliance.requests.models import DeletionRequest
from tests.compliance.controllers.caller import Caller, creation
from tests.compliance.controllers.installation import registered
from tests.compliance.opendsr.messages import encoded

N_AT_ONCE = 4
pytestmark = pytest.mark.usefixtures("ledger_db")


def at_once(ask: Callable[[], HttpResponse]) -> list[HttpResponse]:
    """The answers to one question, asked by several at the same moment."""
    barrier = Barrier(N_AT_ONCE)

    def one() -> HttpResponse:
        barrier.wait()
        try:
            return ask()
        finally:
            connection.close()

    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        return [future.result() for future in [pool.submit(one) for _ in range(N_AT_ONCE)]]


def test_one_of_several_equal_messages_is_the_first_and_all_are_answered_alike() -> None:
    token, body = registered().token, encoded(creation())
    answers = at_once(lambda: Caller(token).create(body))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert DeletionRequest.objects.count() == 1


def test_of_several_different_messages_under_one_id_one_is_taken_in() -> None:
    token, asked = registered().token, creation()
    bodies = [encoded(asked) + b" " * number for number in range(N_AT_ONCE)]
    answers = at_once(lambda: Caller(token).create(bodies.pop()))
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400]
    assert DeletionRequest.objects.count() == 1


def test_a_request_is_cancelled_once() -> None:
    token = registered().token
    request_id = Caller(token).created()
    answers = at_once(lambda: Caller(token).cancel(request_id))
    assert sorted(answer.status_code for answer in answers) == [202, 400, 400, 400]
