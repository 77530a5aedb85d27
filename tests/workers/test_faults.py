"""What may be said of an error."""

import pytest

from compliance.evidence import leaf
from compliance.requests.errors import NotReadyError, RequestError, StaleStateError, StateError
from ml_core.errors import (
    AlreadyDeletedError,
    DeadlineExceededError,
    NeverTrainedError,
    NumericalError,
    UnlearningError,
)
from tests.compliance import cast
from workers import faults


class OwnError(NumericalError):
    """As a plug-in may define it."""


@pytest.mark.parametrize(
    ("error", "reason", "may_pass", "is_expected"),
    [
        pytest.param(NeverTrainedError("12 of 12 records"), "never_trained", False, True, id="ml_core, final"),
        pytest.param(AlreadyDeletedError("1 of 12"), "already_deleted", False, True, id="ml_core, two words"),
        pytest.param(DeadlineExceededError("late"), "deadline_exceeded", True, True, id="ml_core, may pass"),
        pytest.param(OwnError("no rank"), "numerical", False, True, id="a plug-in's own"),
        pytest.param(StateError("over"), "wrong_state", False, True, id="a request's, final"),
        pytest.param(NotReadyError("soon"), "not_ready", True, True, id="a request's, not ready"),
        pytest.param(StaleStateError("changed"), "changed_meanwhile", True, True, id="a request's, overtaken"),
        pytest.param(MemoryError("full"), "unexpected_error", True, False, id="anything else"),
    ],
)
def test_an_error_has_a_code_and_a_prospect(error: Exception, reason: str, may_pass: bool, is_expected: bool) -> None:
    fault = faults.fault_of(error)
    assert (fault.reason, fault.may_pass, fault.is_expected) == (reason, may_pass, is_expected)


def test_the_message_of_an_expected_error_is_kept_on_one_line() -> None:
    assert faults.fault_of(NeverTrainedError("3 of 12\nrecords")).message == "3 of 12 records"
    assert len(faults.fault_of(NeverTrainedError("x" * 500)).message) == faults.MAX_MESSAGE


@pytest.mark.parametrize("error", [KeyError(cast.ALICE), NeverTrainedError(f"{cast.ALICE} was never there")])
def test_nothing_that_an_error_carried_is_repeated(error: Exception) -> None:
    try:
        raise error
    except Exception as caught:  # noqa: BLE001  both kinds
        said = repr(faults.fault_of(caught)) + faults.describe(caught)
    assert cast.MARK not in said
    assert "test_faults.py" in said
    assert "test_nothing_that_an_error_carried_is_repeated" in said


@pytest.mark.parametrize("error", [*RequestError.__subclasses__(), *UnlearningError.__subclasses__(), UnlearningError])
def test_every_error_that_can_end_a_job_has_a_code_that_the_ledger_takes(error: type[Exception]) -> None:
    """A code that the ledger refuses would leave its job running for ever."""
    assert faults.fault_of(error("")).reason in leaf.WORDS["failure reason"]
