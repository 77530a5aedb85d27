"""Every state of a request is told in one of four words, and a word once told is not taken back."""

import itertools

import pytest

from compliance.opendsr.statuses import STATUS_OF_STATE, RequestStatus, may_follow
from compliance.requests.states import TERMINAL, TRANSITIONS, RequestState

PENDING, IN_PROGRESS, COMPLETED, CANCELLED = RequestStatus
BACK = [
    (IN_PROGRESS, PENDING),
    (COMPLETED, PENDING),
    (COMPLETED, IN_PROGRESS),
    (COMPLETED, CANCELLED),
    (CANCELLED, PENDING),
    (CANCELLED, IN_PROGRESS),
    (CANCELLED, COMPLETED),
    # Only a request that is still pending can be cancelled.
    (IN_PROGRESS, CANCELLED),
]


@pytest.mark.parametrize(("before", "after"), BACK)
def test_no_status_is_taken_back(before: RequestStatus, after: RequestStatus) -> None:
    assert not may_follow(before, after)


def test_every_other_step_goes_on() -> None:
    assert {pair for pair in itertools.product(RequestStatus, repeat=2) if not may_follow(*pair)} == set(BACK)


def test_each_state_has_a_status_and_no_other_has() -> None:
    assert set(STATUS_OF_STATE) == {state.value for state in RequestState}


def test_each_transition_is_told_as_a_step_that_goes_on() -> None:
    for before, after in TRANSITIONS:
        assert may_follow(STATUS_OF_STATE[before.value], STATUS_OF_STATE[after.value]), (before, after)


def test_a_request_is_over_when_its_state_is() -> None:
    over = {state for state in RequestState if STATUS_OF_STATE[state.value] in (COMPLETED, CANCELLED)}
    assert over == TERMINAL
