"""What can go wrong while a model is made to forget, and whether trying again can help.

Every error says what was expected, what was found and what to do. ``retryable`` tells the caller, without
knowing the method, whether the same request may succeed when it is repeated unchanged. No message ever
contains a record, a person's identifier or a tensor's values: messages end up in logs and evidence.
"""

from __future__ import annotations

from typing import ClassVar


class UnlearningError(Exception):
    """The root of everything raised on purpose by ml_core."""

    retryable: ClassVar[bool] = False


class ConfigError(UnlearningError):
    """A hyper-parameter is unknown, of the wrong type or outside its range."""


class DataError(UnlearningError):
    """Examples are malformed: lengths, shapes, types, non-finite features, duplicates."""


class NeverTrainedError(UnlearningError):
    """The request names records on which this model was never trained, or was trained with other contents."""


class AlreadyDeletedError(UnlearningError):
    """The request names records that were removed from this model before."""


class NotApplicableError(UnlearningError):
    """The method or audit cannot work on this model: wrong family, unmet need, failed check."""


class NumericalError(UnlearningError):
    """Arithmetic left the range in which its result can be trusted; nothing was changed."""


class ArtifactError(UnlearningError):
    """Stored weights are missing, damaged, of an unknown layout, or in a format that can run code."""


class PluginError(UnlearningError):
    """A file in a plug-in folder breaks the contract; the catalogue is refused as a whole."""


class DeadlineExceededError(UnlearningError):
    """The run was still working when its deadline passed; nothing was changed."""

    retryable: ClassVar[bool] = True


class Cancelled(UnlearningError):  # a signal of control flow, not a fault; hence its name
    """The caller asked the run to stop; nothing was changed."""


class ConformanceError(UnlearningError):
    """A plug-in fails a check that every plug-in must pass."""
