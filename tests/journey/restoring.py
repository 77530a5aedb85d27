"""What the tests of a restore do as an operator, and how they see who is still known."""

import io
import uuid
from datetime import UTC, datetime

import torch
from django.core.management import CommandError, call_command

from compliance.registry.models import LineageRecord, RegisteredModel
from compliance.registry.pseudonyms import pseudonym_of
from compliance.requests.models import Letter
from ml_core.errors import UnlearningError
from ml_core.families.analytic_classifier import family
from ml_core.membership import locate
from tests.compliance import cast
from tests.workers import digits
from workers import artifacts, director, tasks

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
LACKS_NOTHING = "The database lacks nothing of what the published log says.\n"


def run(command: str, *arguments: str) -> tuple[int, str]:
    """Exit code and output."""
    out = io.StringIO()
    try:
        call_command(command, *arguments, stdout=out, stderr=out)
    except SystemExit as error:
        return int(str(error.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def erase(request_id: uuid.UUID) -> str:
    """From the decision to the letter; the digest of the version that serves then."""
    director.run_job(digits.planned_for(request_id).pk)
    cast.second_signature(request_id)
    for letter in Letter.objects.filter(request=request_id):
        tasks.send_letter(letter.pk)
    live = RegisteredModel.objects.select_related("live").get(name=digits.MODEL).live
    assert live is not None
    return live.sha256


def publish() -> None:
    """Everything is signed, and lies in the published log."""
    cast.run_ledger()
    assert run("publisher", "--once")[0] == 0


def serving() -> str:
    """The digest of what serves, "" for nothing."""
    model = RegisteredModel.objects.select_related("live").get(name=digits.MODEL)
    return "" if model.live is None else model.live.sha256


def holds(sha256: str, email: str) -> bool:
    """Whether the weights themselves know the records of this person: the model keeps whom it learned from."""
    model = family.load(artifacts.open(sha256), torch.device("cpu"))
    records = digits.examples()["train"].of_persons([email])
    try:
        return bool(locate(model.members, records, model.quantised(records.features)))
    except UnlearningError:
        return False


def rows_of_alice() -> int:
    return LineageRecord.objects.filter(subject_pseudonym=pseudonym_of("email", cast.ALICE), removed_in=None).count()
