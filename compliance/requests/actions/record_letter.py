"""A letter goes out: the ledger commits to what it said, under the request's key, and shows neither words nor address.

A person who kept the letter can prove it: whoever holds the key recomputes the commitment from the text.
"""

from datetime import UTC, datetime

from django.db import transaction

from compliance.evidence import commitment
from compliance.ledger.actors import Actor
from compliance.letters.composition import Composed
from compliance.requests import identities, transitions
from compliance.requests.models import Letter

#: The purpose in the commitment; its payload is `Composed.payload`.
LABEL = "letter"


@transaction.atomic
def record_letter(letter: Letter, composed: Composed, *, actor: Actor) -> None:
    """Mark the letter as sent, in the transaction that mails it; the rows of letter and request are locked.

    Raises ShreddedError when nobody can be written to any more.
    """
    request, sent_at = letter.request, datetime.now(tz=UTC)
    letter.commitment = commitment.commit(identities.commitment_key(request.vault), LABEL, composed.payload)
    letter.sent_at = sent_at
    letter.save(update_fields=["commitment", "sent_at"])
    facts = {"notice": letter.kind, "commitment": letter.commitment}
    transitions.note(request, "request.notified", actor=actor, facts=facts)
    if letter.kind == Letter.Kind.EXTENSION:
        # It owes this letter, so that the two files name each other.
        from compliance.requests.actions.extend import notice_sent

        notice_sent(request, sent_at)
