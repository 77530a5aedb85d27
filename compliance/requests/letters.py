"""Letters to the data subject: rendered when they are sent, mailed to the address in the vault, never stored.

Duties: Art. 12(3) and 12(4) GDPR (what was done; if nothing, why, and where to complain).
"""

import logging
import uuid
from datetime import UTC, datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string

from compliance.evidence.verdict import Result
from compliance.requests import identities
from compliance.requests.dispatch import after_commit
from compliance.requests.errors import NotFoundError
from compliance.requests.models import DeletionRequest, Evidence, Letter, Target

logger = logging.getLogger(__name__)

# For a lay reader, and for each assurance no more than the signed claim says (evidence.statement).
_IN_WORDS = {
    "exact": "What it learned was changed to be exactly what it would have learned without them.",
    "certified": "What it learned was changed to be provably close to what it would have learned without them.",
    "approximate": "What it learned was changed to remove their influence, and tests were made of how far this succeeded.",
    "suppression": "What it learned still carries their influence; a measure holds it back in what the model puts out.",
}
_NO_WORDS = "The tests did not confirm that their influence was removed."


def owe(request: DeletionRequest, kind: Letter.Kind) -> Letter:
    """Note, in the caller's transaction, that this letter is to be sent; it goes out after commit."""
    letter, _ = Letter.objects.get_or_create(request=request, kind=kind, defaults={"created_at": datetime.now(tz=UTC)})
    after_commit("send_letter", letter.pk)
    return letter


def send_identity_code(request_id: uuid.UUID, code: str) -> None:
    """Mail a one-time code, with the receipt of the request; raises NotFoundError or what the mail server raises."""
    request = DeletionRequest.objects.select_related("vault").filter(pk=request_id).first()
    if request is None:
        raise NotFoundError(f"There is no request {request_id}.")
    minutes = settings.IDENTITY_CODE_SECONDS // 60
    context = {"code": code, "minutes": minutes, "controller": settings.CONTROLLER_NAME}
    _mail(request, "identity_code", context)


def send(letter_id: int) -> None:
    """Mail a letter that is owed, once; a letter already sent is left alone.

    The row is locked while the mail goes out, so that two workers do not both send it.
    """
    # Counted outside the transaction that a failing mail rolls back.
    Letter.objects.filter(pk=letter_id, sent_at=None).update(n_tries=F("n_tries") + 1)
    with transaction.atomic():
        letters = Letter.objects.select_for_update(of=("self",)).select_related("request__vault")
        letter = letters.filter(pk=letter_id, sent_at=None).first()
        if letter is None:
            return
        _mail(letter.request, letter.kind, _context(letter))
        Letter.objects.filter(pk=letter.pk).update(sent_at=datetime.now(tz=UTC))


def _mail(request: DeletionRequest, template: str, context: dict[str, object]) -> None:
    text = render_to_string(f"letters/{template}.txt", {**context, "request": request})
    subject, _, body = text.strip().partition("\n")
    EmailMessage(subject=subject, body=body.strip() + "\n", to=[identities.identifier(request.vault)]).send()
    logger.info("letter %s sent for request %s", template, request.pk)


def _context(letter: Letter) -> dict[str, object]:
    request = letter.request
    return {
        "outcomes": [_outcome(target) for target in request.targets.select_related("model") if target.n_records],
        "n_not_present": request.targets.filter(n_records=0).count(),
        "authority": settings.SUPERVISORY_AUTHORITY,
        "controller": settings.CONTROLLER_NAME,
    }


def _outcome(target: Target) -> dict[str, object]:
    """One model's outcome in words that claim no more than its evidence does."""
    shown: dict[str, object] = {"model": target.model.name, "n_records": target.n_records, "in_words": ""}
    evidence = Evidence.objects.filter(target=target, job=target.job).select_related("job").first()
    if evidence is None or evidence.job.outcome is None:
        return shown
    result = Result(evidence.result)
    words = _NO_WORDS if result is Result.FAILED else _IN_WORDS[evidence.job.outcome["assurance"]]
    return {**shown, "in_words": words, "is_warned": result is Result.WARNED}
