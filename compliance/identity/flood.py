"""Before an identity is proven, anyone can have mail sent to anybody: what one address is sent within an hour is bounded.

Nothing is refused for good: what does not go out now goes out later, those that wait longest first. So a stranger's
requests for an address delay the owner's code at most by those that came before it, and never take its place.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from compliance.ledger.models import LedgerEntry, PendingEntry
from compliance.requests.errors import NotReadyError
from compliance.requests.models import DeletionRequest, IdentityChallenge, Letter
from compliance.requests.states import RequestState

_HOUR = timedelta(hours=1)
#: Letters to an address that may be a stranger's.
TO_ANYBODY = (Letter.Kind.IDENTITY_REMINDER, Letter.Kind.CLOSED_UNVERIFIED)


def refuse_code(request: DeletionRequest) -> None:
    """Raises NotReadyError while the address was sent enough codes, or this request was, or others go first."""
    is_before_its_turn = _n_sent(request) + _n_waiting_longer(request) >= settings.IDENTITY_CODES_PER_HOUR
    if is_before_its_turn or _n_issued(request) >= settings.IDENTITY_CODES_PER_HOUR:
        raise NotReadyError("This address was sent many codes within the hour. The next one is sent when that is over.")


def refuse_letter(request: DeletionRequest) -> None:
    """Raises NotReadyError while the address was sent enough. Letters count codes; codes do not count letters, which
    must not keep the owner of the address from proving it."""
    letters = Letter.objects.filter(
        kind__in=TO_ANYBODY, created_at__gt=_hour_ago(), request__vault__pseudonym=request.vault.pseudonym
    )
    if _n_sent(request) + letters.count() >= settings.IDENTITY_CODES_PER_HOUR:
        raise NotReadyError("This address was sent many messages within the hour. Try again when that is over.")


def _n_sent(request: DeletionRequest) -> int:
    challenges = IdentityChallenge.objects.filter(request__vault__pseudonym=request.vault.pseudonym)
    return challenges.filter(sent_at__gt=_hour_ago()).count()


def _n_waiting_longer(request: DeletionRequest) -> int:
    waiting = DeletionRequest.objects.filter(vault__pseudonym=request.vault.pseudonym, state=RequestState.RECEIVED)
    return waiting.filter(received_at__lt=request.received_at).count() if request.state == RequestState.RECEIVED else 0


def _n_issued(request: DeletionRequest) -> int:
    """By the ledger: the row of the code is gone once it was used, and knows only the last one."""
    asked = {"request_id": request.pk, "event_type": "request.identity_requested", "recorded_at__gt": _hour_ago()}
    return PendingEntry.objects.filter(**asked).count() + LedgerEntry.objects.filter(**asked).count()


def _hour_ago() -> datetime:
    return datetime.now(tz=UTC) - _HOUR
