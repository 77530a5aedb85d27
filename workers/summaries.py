"""A completed request is summed up: for each model in service a worker signs what ledger and evidence say.

Workers alone hold the evidence key, so this comes after the second signature, not with it; a request whose summaries
are not signed yet is found again by the sweep.

Next: compliance/requests/actions/attach_summary.py
"""

import uuid
from datetime import UTC, datetime
from hashlib import sha256

from compliance.evidence import dsse
from compliance.evidence.statement import parse_statement
from compliance.evidence.summary import SummaryFacts, summary_bytes
from compliance.ledger import keys
from compliance.requests import queries
from compliance.requests.actions.attach_summary import attach_summary
from compliance.requests.models import DeletionRequest, Evidence, Target
from compliance.requests.states import TargetState
from workers import process


def summarise(request_id: uuid.UUID) -> None:
    """Sign what is missing; raises NotFoundError, LookupError while an entry it rests on is missing, KeyFileError."""
    request = queries.detail(request_id)
    waiting = request.targets.filter(state=TargetState.DEPLOYED, summary=None)
    for target in waiting.select_related("job"):
        signer = keys.evidence_signer()
        envelope = signer.sign(summary_bytes(_facts(request, target)))
        attach_summary(target.pk, request_id=request.pk, envelope=envelope, key_pem=signer.public_key_pem)


def _facts(request: DeletionRequest, target: Target) -> SummaryFacts:
    evidence = Evidence.objects.get(target=target, job=target.job)
    said = parse_statement(dsse.parse_envelope(bytes(evidence.envelope)).payload)
    leaves = {entry.event_type: entry.leaf_sha256 for entry in queries.timeline(request.pk)}
    worker = process.worker()
    return SummaryFacts(
        request_id=str(request.pk),
        target_id=str(target.pk),
        model_id=str(target.model_id),
        request_leaf_sha256=said.request_leaf_sha256,
        completed_leaf_sha256=leaves[f"request.{request.state}"],
        after_sha256=said.after_sha256,
        policy_sha256=said.policy_sha256,
        evidence_sha256=sha256(bytes(evidence.envelope)).hexdigest(),
        evidence_leaf_sha256=evidence.leaf_sha256,
        result=said.result,
        assurance=said.method.assurance,
        verified_at=datetime.now(tz=UTC).replace(microsecond=0),
        worker_id=worker.id,
        code_version=worker.code_version,
    )
