"""A person asks to be deleted: the request is stored, the identity sealed, the receipt recorded.

Next: compliance/requests/transitions.py
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction

from compliance.evidence import canonical, commitment
from compliance.ledger.actors import subject_of
from compliance.ledger.inserting import insert, together
from compliance.requests import clocks, identities, transitions
from compliance.requests.actions.ask_question import seal, written
from compliance.requests.choices import chosen, locale_named
from compliance.requests.dispatch import after_commit
from compliance.requests.models import Channel, DeletionRequest, Ground, Regulation, SealedNote


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """A new request and the token that opens its status: shown once, stored only as a digest."""

    request: DeletionRequest
    token: str


@transaction.atomic
def submit(
    *,
    identifier_kind: str,
    identifier_value: str,
    ground: str = Ground.CONSENT_WITHDRAWN,
    regulation: str = Regulation.GDPR,
    channel: str = Channel.API,
    locale: str = "en",
    submitted_at: datetime | None = None,
    said: str = "",
) -> Submitted:
    """Receive a request; raises InvalidInputError. The day of receipt starts the month of Art. 12(3) GDPR.

    `said` is what a model is reported to have said of the person, sealed for those who look into it: Opinion 28/2024 of
    the EDPB, paragraph 107, names such reports among what a controller should offer.
    """
    value = identities.canonical(identifier_kind, identifier_value)
    token, key, now = identities.new_token(), identities.new_commitment_key(), datetime.now(tz=UTC)
    request = DeletionRequest(
        id=uuid.uuid4(),
        channel=chosen(Channel, "channel", channel),
        regulation=chosen(Regulation, "regulation", regulation),
        ground=chosen(Ground, "ground", ground),
        locale=locale_named(locale),
        received_at=now,
        submitted_at=submitted_at,
        changed_at=now,
        token_sha256=identities.token_sha256(token),
    )
    clocks.begin(request)
    request.commitment = commitment.commit(key, "request", payload(request))
    facts = {
        "channel": request.channel,
        "regulation": request.regulation,
        "ground": request.ground,
        "commitment": request.commitment,
    }
    with together():
        insert(identities.seal(request, identifier_kind, value, key))
        transitions.create(request, "request.received", actor=subject_of(request.pk), facts=facts)
    if said.strip():
        seal(request, SealedNote.Kind.COMPLAINT, written(said, "said"), now)
    if request.channel != Channel.OPENDSR:
        # A controller that passes a request on vouches for the person itself (confirm_by_controller.py).
        after_commit("ask_identity", request.pk)
    return Submitted(request=request, token=token)


def payload(request: DeletionRequest) -> dict[str, str]:
    """What the commitment in `request.received` covers, and an auditor is shown: never who asked."""
    return {
        "channel": request.channel,
        "regulation": request.regulation,
        "ground": request.ground,
        "received_at": canonical.format_time(request.received_at.replace(microsecond=0)),
    }
