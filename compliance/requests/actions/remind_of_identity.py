"""The person has not proven the identity for a day: one reminder, and never a second one."""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.identity import flood, silence
from compliance.requests import transitions
from compliance.requests.errors import NotReadyError, StateError
from compliance.requests.letters import is_written_to, owe
from compliance.requests.models import DeletionRequest, Letter
from compliance.requests.states import RequestState


@transaction.atomic
def remind_of_identity(request_id: uuid.UUID) -> DeletionRequest:
    """Owe the reminder; a second call owes nothing more. No ledger entry: that is made with the letter.

    Raises NotFoundError, StateError once nothing is waited for and where another controller writes to the person, and
    NotReadyError before a day of silence or while the address is sent too much: the sweep asks again.
    """
    request = transitions.locked(request_id)
    if request.state != RequestState.IDENTITY_PENDING:
        raise StateError("A reminder is only sent while a proof of identity is waited for; this request is past that.")
    if not is_written_to(request):
        raise StateError(
            "Another controller passed this request on, and writes to the person itself: remind nobody here."
        )
    if request.letters.filter(kind=Letter.Kind.IDENTITY_REMINDER).exists():
        return request
    if not silence.is_silent(request, datetime.now(tz=UTC)):
        raise NotReadyError("The person was asked, or answered, less than a day ago. Remind them after that.")
    flood.refuse_letter(request)
    owe(request, Letter.Kind.IDENTITY_REMINDER)
    return request
