"""The closing decision about one model, signed: a SLSA Verification Summary over the evidence that it rests on.

It says in the words of a public format what a completed request came to: which version may be used, that it was
verified under which policy, on the strength of which statement. As in statement.py, the role of each subject stands
again in the extension, and reading rebuilds the bytes.

Source: https://slsa.dev/spec/v1.1/verification_summary
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance.evidence import canonical
from compliance.evidence.errors import EvidenceMalformedError
from compliance.evidence.findings import token
from compliance.evidence.statement import EXTENSION, STATEMENT_TYPE, claim
from compliance.evidence.verdict import Result

PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1"
VERIFIER_ID = "https://expunge.dev/verifier/v1"


@dataclass(frozen=True, kw_only=True)
class SummaryFacts:
    """Everything one summary says. Digests are lower-case hex, ids UUIDs version 4, times UTC to the second.

    `request_leaf_sha256` and `completed_leaf_sha256` are RFC 6962 leaf hashes of the request's first event and of its
    completion, `evidence_leaf_sha256` that of the statement's entry; `evidence_sha256` is SHA-256 of its envelope.
    """

    request_id: str
    target_id: str
    model_id: str
    request_leaf_sha256: str
    completed_leaf_sha256: str
    after_sha256: str
    policy_sha256: str
    evidence_sha256: str
    evidence_leaf_sha256: str
    result: Result
    assurance: str
    verified_at: datetime
    worker_id: str
    code_version: str


def summary_bytes(facts: SummaryFacts) -> bytes:
    """The payload to sign; raises EvidenceMalformedError for values that are not on the allow-list."""
    subjects = {
        "model-after": facts.after_sha256,
        "request": facts.request_leaf_sha256,
        "completion": facts.completed_leaf_sha256,
    }
    for name, digest in {
        **subjects,
        "policy": facts.policy_sha256,
        "evidence": facts.evidence_sha256,
        "evidence entry": facts.evidence_leaf_sha256,
    }.items():
        if not canonical.is_sha256(digest):
            raise EvidenceMalformedError(f"{name}: expected a SHA-256 in lower-case hex, found something else.")
    for name, identifier in {"request": facts.request_id, "target": facts.target_id, "model": facts.model_id}.items():
        if not canonical.is_uuid4(identifier):
            raise EvidenceMalformedError(f"{name}: expected a UUID version 4 as a string, found something else.")
    try:
        return canonical.dumps(
            {
                "_type": STATEMENT_TYPE,
                "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in subjects.items()],
                "predicateType": PREDICATE_TYPE,
                "predicate": {**_predicate(facts), EXTENSION: _extension(facts, subjects)},
            }
        )
    except EvidenceMalformedError:
        raise
    except (AttributeError, TypeError, ValueError) as error:
        raise EvidenceMalformedError(
            "The summary holds a value that is not of its type or has no JSON form."
        ) from error


def parse_summary(data: bytes) -> SummaryFacts:
    """The facts of a summary; raises EvidenceMalformedError unless `summary_bytes` gives the same bytes again."""
    try:
        facts = _read(canonical.parse(data))
    except EvidenceMalformedError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise EvidenceMalformedError(
            "Expected a verification summary of this service, found something else."
        ) from error
    if summary_bytes(facts) != data:
        raise EvidenceMalformedError("The summary holds members or sentences that are not on the allow-list.")
    return facts


def _predicate(facts: SummaryFacts) -> Mapping[str, Any]:
    result = Result(facts.result)
    is_passed = result is not Result.FAILED
    # The words of SLSA know no warning: that some audit was inconclusive stands in the extension.
    return {
        "verifier": {"id": VERIFIER_ID, "version": {"expunge": token(facts.code_version, "code_version")}},
        "timeVerified": canonical.format_time(facts.verified_at),
        "resourceUri": f"urn:uuid:{facts.model_id}",
        "policy": {"uri": f"urn:expunge:policy:{facts.policy_sha256}", "digest": {"sha256": facts.policy_sha256}},
        "inputAttestations": [
            {"uri": f"urn:uuid:{facts.target_id}", "digest": {"sha256": facts.evidence_sha256}},
        ],
        "verificationResult": "PASSED" if is_passed else "FAILED",
        "verifiedLevels": [f"EXPUNGE_ASSURANCE_{facts.assurance.upper()}" if is_passed else "FAILED"],
        "slsaVersion": "1.1",
    }


def _extension(facts: SummaryFacts, subjects: Mapping[str, str]) -> Mapping[str, Any]:
    if not canonical.is_uuid4(facts.worker_id):
        raise EvidenceMalformedError("worker: expected a UUID version 4 as a string, found something else.")
    return {
        "roles": dict(subjects),
        "request": facts.request_id,
        "target": facts.target_id,
        "model": facts.model_id,
        "result": Result(facts.result).value,
        "assurance": facts.assurance,
        "claim": claim(facts.assurance, facts.result),
        "evidence_leaf_sha256": facts.evidence_leaf_sha256,
        "worker": facts.worker_id,
    }


def _read(value: Any) -> SummaryFacts:
    predicate = value["predicate"]
    extension = predicate[EXTENSION]
    roles = extension["roles"]
    return SummaryFacts(
        request_id=extension["request"],
        target_id=extension["target"],
        model_id=extension["model"],
        request_leaf_sha256=roles["request"],
        completed_leaf_sha256=roles["completion"],
        after_sha256=roles["model-after"],
        policy_sha256=predicate["policy"]["digest"]["sha256"],
        evidence_sha256=predicate["inputAttestations"][0]["digest"]["sha256"],
        evidence_leaf_sha256=extension["evidence_leaf_sha256"],
        result=Result(extension["result"]),
        assurance=extension["assurance"],
        verified_at=canonical.parse_time(predicate["timeVerified"]),
        worker_id=extension["worker"],
        code_version=predicate["verifier"]["version"]["expunge"],
    )
