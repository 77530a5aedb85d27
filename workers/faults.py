"""What may be said of an error in logs and rows, and whether trying again can help.

Messages and source lines of unexpected errors can hold a person's address (a mail server names the recipient that it
refuses, a mapping the key that it lacks), so neither is written anywhere: only the type and where it happened.
"""

import re
import traceback
from dataclasses import dataclass
from pathlib import Path

from compliance.evidence.leaf import WORDS
from compliance.requests.errors import NotReadyError, RequestError, StaleStateError
from ml_core.errors import UnlearningError

MAX_MESSAGE = 300
_N_FRAMES = 8


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An error as staff and ledger see it: a code, a sentence without personal data, whether it may pass by itself."""

    reason: str
    message: str
    may_pass: bool
    is_expected: bool


def fault_of(error: Exception) -> Fault:
    """The fault behind an error of ml_core, of a request, or of anything else."""
    if isinstance(error, UnlearningError):
        return Fault(reason=_code(error), message=_message(error), may_pass=error.retryable, is_expected=True)
    if isinstance(error, RequestError):
        may_pass = isinstance(error, NotReadyError | StaleStateError)
        # Errors of other parts, of an identity provider for one, have codes that no job ends with.
        reason = error.code if error.code in WORDS["failure reason"] else RequestError.code
        return Fault(reason=reason, message=_message(error), may_pass=may_pass, is_expected=True)
    message = f"An unexpected {type(error).__name__}; the worker's log says where."
    return Fault(reason="unexpected_error", message=message, may_pass=True, is_expected=False)


def describe(error: BaseException) -> str:
    """The type of an error and the calls that led to it, innermost first."""
    frames = traceback.extract_tb(error.__traceback__)[-_N_FRAMES:]
    calls = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames)]
    return f"{type(error).__name__} at {' < '.join(calls) or 'an unknown place'}"


def _code(error: UnlearningError) -> str:
    """NeverTrainedError is ``never_trained``; an error of a plug-in's own has the code of the one it was made from."""
    kind = next(kind for kind in type(error).__mro__ if kind.__module__ == UnlearningError.__module__)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removesuffix("Error")).lower()


def _message(error: Exception) -> str:
    text = " ".join(str(error).split())
    # By contract these messages hold no personal data; this is the second look.
    return f"{type(error).__name__}: its message may hold an address" if "@" in text else text[:MAX_MESSAGE]
