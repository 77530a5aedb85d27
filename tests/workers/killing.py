"""What stands for SIGKILL where a test needs it at an exact point, within its own process."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance.requests.models import Job
from workers import director


class KilledError(BaseException):
    """Nothing catches it, so nothing is tidied up."""


def killed(*_: Any, **__: Any) -> Any:
    """Put in the place of a function: it is the last thing that the process did."""
    raise KilledError


def run_until_killed(job: Job) -> None:
    """Run a job in which something is killed, and let its lease run out."""
    with pytest.raises(KilledError):
        director.run_job(job.pk)
    end_lease(job)


def end_lease(job: Job) -> None:
    """What time does by itself: the next worker may take the job."""
    Job.objects.filter(pk=job.pk).update(lease_expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
