"""Letters to the data subject: composed when they are sent, mailed to the address in the vault, never stored.

What is stored, in the row and in the ledger, is a keyed commitment to the text: whoever kept a letter can prove it.

Duties: Art. 12(3) and 12(4) GDPR (what was done; if nothing, why, and where to complain).
"""

import logging
import uuid
from datetime import UTC, datetime

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F

from compliance.ledger.actors import SYSTEM
from compliance.letters.composition import Composed, compose
from compliance.requests import identities, transitions
from compliance.requests.actions.record_letter import record_letter
from compliance.requests.dispatch import after_commit
from compliance.requests.errors import NotFoundError, NotReadyError
from compliance.requests.letter_parts import identity_parts, parts_of
from compliance.requests.models import Channel, DeletionRequest, Letter

logger = logging.getLogger(__name__)


def is_written_to(request: DeletionRequest) -> bool:
    """Whether letters go to the person from here: not where another controller passed the request on, and writes itself."""
    return request.channel != Channel.OPENDSR


def owe(request: DeletionRequest, kind: Letter.Kind) -> Letter | None:
    """Note, in the caller's transaction, that this letter is to be sent; it goes out after commit.

    None where another controller passed the request on: it is that one who writes to the person.

    It is composed once already, so that nothing is decided whose letter could not be sent: raises MissingPartError and
    InvalidPartError.
    """
    if not is_written_to(request):
        return None
    letter = None
    if kind != Letter.Kind.QUESTION:
        letter = request.letters.filter(kind=kind).first()
    if letter is None:
        letter = Letter.objects.create(request=request, kind=kind, created_at=datetime.now(tz=UTC))
    if letter.sent_at is None:
        _composed(letter)
    after_commit("send_letter", letter.pk)
    return letter


def send_identity_code(request_id: uuid.UUID, code: str) -> None:
    """Mail a one-time code; raises NotFoundError or what the mail server raises.

    No commitment is made: the ledger says already that a code was asked for, and a code is used once.
    """
    request = DeletionRequest.objects.select_related("vault").filter(pk=request_id).first()
    if request is None:
        raise NotFoundError(f"There is no request {request_id}.")
    _mail(request, compose(Letter.Kind.IDENTITY, request.locale, identity_parts(request, code)))


def send(letter_id: int) -> None:
    """Mail a letter that is owed, once; a letter already sent is left alone.

    The rows are locked while the mail goes out, so that two workers do not both send it. The mail is the last step: when
    it fails, the record of it is undone too.
    """
    try:
        _send(letter_id)
    except NotReadyError:
        # A key service that is down says nothing about the mailbox.
        raise
    except Exception:
        # Outside the transaction that was rolled back, and after it: a letter whose last try is counted is taken for
        # given up, and what opens its address may be shredded.
        Letter.objects.filter(pk=letter_id, sent_at=None).update(n_tries=F("n_tries") + 1)
        raise


@transaction.atomic
def _send(letter_id: int) -> None:
    letter = _locked(letter_id)
    if letter is not None:
        composed = _composed(letter)
        record_letter(letter, composed, actor=SYSTEM)
        _mail(letter.request, composed)


def _locked(letter_id: int) -> Letter | None:
    """The letter if it is still owed. The request is locked first, as every other action does."""
    unsent = Letter.objects.filter(pk=letter_id, sent_at=None)
    request_id = unsent.values_list("request_id", flat=True).first()
    if request_id is None:
        return None
    transitions.locked(request_id)
    return unsent.select_for_update(of=("self",)).select_related("request__vault").first()


def _composed(letter: Letter) -> Composed:
    return compose(letter.kind, letter.request.locale, parts_of(letter))


def _mail(request: DeletionRequest, composed: Composed) -> None:
    EmailMessage(subject=composed.subject, body=composed.body, to=[identities.identifier(request.vault)]).send()
    logger.info("letter %s sent for request %s", composed.kind, request.pk)
