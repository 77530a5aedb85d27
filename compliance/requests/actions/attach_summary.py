"""The signed summary of one target of a completed request is attached, and its digest and signature enter the ledger.

Next: compliance/reports/request_bundle.py
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.evidence import dsse
from compliance.evidence.summary import parse_summary
from compliance.ledger.record import record_evidence
from compliance.requests import transitions
from compliance.requests.errors import InvalidInputError, NotFoundError, NotReadyError
from compliance.requests.models import Summary, Target
from compliance.requests.states import FULFILLED, TargetState


@transaction.atomic
def attach_summary(target_id: uuid.UUID, *, request_id: uuid.UUID, envelope: bytes, key_pem: bytes) -> Summary:
    """Attach once: a second envelope for the same target changes nothing and returns the first.

    There is no actor: the entry is the signed envelope itself, and its key says who made it. Raises NotFoundError,
    NotReadyError before the request is completed, InvalidInputError (another target's summary), EvidenceError.
    """
    request = transitions.locked(request_id)
    target = request.targets.filter(pk=target_id, state=TargetState.DEPLOYED).first()
    if target is None:
        raise NotFoundError(f"The request {request_id} has no model in service under the target {target_id}.")
    if request.state not in FULFILLED:
        raise NotReadyError("A summary is signed once the request is completed.")
    existing = Summary.objects.filter(target=target).first()
    if existing is not None:
        return existing
    facts = parse_summary(dsse.parse_envelope(envelope).payload)
    if (facts.request_id, facts.target_id) != (str(request.pk), str(target.pk)):
        raise InvalidInputError("The summary is about another request or target than the one it is attached to.")
    Target.objects.filter(pk=target.pk).update(is_summarised=True)
    return Summary.objects.create(
        target=target,
        envelope=envelope,
        # Refuses, inside, an envelope that does not verify under this key.
        leaf_sha256=record_evidence(envelope, key_pem, request_id=request.pk),
        key_sha256=dsse.public_key_sha256(dsse.load_public_key(key_pem)),
        attached_at=datetime.now(tz=UTC),
    )
