"""One completed request of the big export: its policy, its ids and versions, and the words of its signed statements."""

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Self

from compliance.evidence import canonical, commitment, findings
from compliance.evidence.statement import Challenge, EvidenceFacts, Method, Worker
from compliance.evidence.summary import SummaryFacts
from compliance.evidence.verdict import Result, Verdict

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
POLICY = canonical.dumps(
    {
        "version": 1,
        "methods": {"analytic_classifier": {"method": "acu", "config": {}}},
        "audits": [
            {
                "audit": "retrain_equality",
                "config": {"threshold": 0},
                "pass_when": "value_at_most_threshold",
                "accept_inconclusive_when_passed": [],
            },
            {
                "audit": "mia_loss",
                "config": {"threshold": 0.1},
                "pass_when": "interval_within_threshold",
                "accept_inconclusive_when_passed": [],
            },
        ],
    }
)
METHOD = Method(
    name="acu",
    version="1",
    source_sha256="ab" * 32,
    config={"gamma": 1.0, "n_bits": 8},
    assurance="exact",
    spec_source="paper",
)
_EQUAL = findings.Finding(
    audit="retrain_equality",
    version="1",
    statistic="largest difference of weights",
    value=0,
    threshold=0,
    interval=None,
    level=None,
    p_value=None,
    n={"retain": 500},
    verdict=Verdict.PASS,
)
_ATTACK = replace(
    _EQUAL,
    audit="mia_loss",
    statistic="AUC after minus AUC of the retrained model",
    value=0.0123,
    threshold=0.1,
    interval=(-0.021, 0.043),
    level=0.9,
    n={"forget": 2, "holdout": 200},
)


FOUND = (_EQUAL, _ATTACK)
POLICY_SHA256 = sha256(POLICY).hexdigest()


@dataclass(frozen=True)
class Subject:
    """The ids and versions of one completed request about one model; `before` and `after` are manifests."""

    request: str
    job: str
    target: str
    model: str
    before: bytes
    after: bytes

    @classmethod
    def new_one(cls, model: str, before: bytes, version: int) -> Self:
        request, job, target = (str(uuid.uuid4()) for _ in range(3))
        return cls(request, job, target, model, before, canonical.dumps({"model": model, "version": version}))

    @property
    def key(self) -> bytes:
        return sha256(self.request.encode()).digest()

    @property
    def old(self) -> str:
        return sha256(self.before).hexdigest()

    @property
    def new(self) -> str:
        return sha256(self.after).hexdigest()

    @property
    def share(self) -> str:
        return commitment.commit(self.key, "forget-set", {"records": [self.request]})

    def nothing(self, model: str) -> str:
        """The share of a model that holds no record of the person."""
        return commitment.commit(self.key, "forget-set", {"model": model, "records": []})

    def facts(self, received: str, challenge: Challenge) -> EvidenceFacts:
        return EvidenceFacts(
            request_leaf_sha256=received,
            before_sha256=self.old,
            after_sha256=self.new,
            forget_commitment=self.share,
            policy_sha256=POLICY_SHA256,
            result=Result.PASSED,
            request_id=self.request,
            target_id=self.target,
            job_id=self.job,
            method=METHOD,
            findings=FOUND,
            guarantee_terms={"residual": 1e-12, "gram_sha256": "cd" * 32},
            challenge=challenge,
            started_at=AT,
            finished_at=AT + timedelta(minutes=5),
            worker=Worker(id=self.job, code_version="0.1.0"),
            n_forget=2,
        )

    def summary(self, received: str, completed: str, envelope: bytes, evidence_leaf: str) -> SummaryFacts:
        return SummaryFacts(
            request_id=self.request,
            target_id=self.target,
            model_id=self.model,
            request_leaf_sha256=received,
            completed_leaf_sha256=completed,
            after_sha256=self.new,
            policy_sha256=POLICY_SHA256,
            evidence_sha256=sha256(envelope).hexdigest(),
            evidence_leaf_sha256=evidence_leaf,
            result=Result.PASSED,
            assurance="exact",
            verified_at=AT,
            worker_id=self.job,
            code_version="0.1.0",
        )
