"""What is signed: an in-toto Statement v1 with a test-result predicate, built from typed facts and read back strictly.

in-toto matches subjects by digest alone, whatever their names say, so the role of each subject stands again in the
predicate's extension. The statement's bytes are RFC 8785 JSON; parsing rebuilds them from the typed facts and
compares, so a key or a spelling that is not in this file makes the statement invalid.

Source: in-toto/attestation, spec/v1/statement.md and spec/predicates/test-result.md

Next: compliance/evidence/signing.py
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from compliance.evidence import canonical
from compliance.evidence.errors import EvidenceMalformedError
from compliance.evidence.findings import Finding, count, number, terms, text, token
from compliance.evidence.verdict import Result, Verdict

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
EXTENSION = "https://expunge.dev/evidence/v1"
_MAX_CONFIG_DEPTH = 6
_SPEC_SOURCES = ("paper", "code", "interpretation")

# Suppression leaves the weights as they were, so its sentence must not say that anything is gone.
_CLAIMS = {
    "exact": "The method guarantees that the learned state is the one that training without the forgotten records "
    "would have given, under the terms stated.",
    "certified": "The method bounds how far the learned state can be from one trained without the forgotten records; "
    "the bound and its terms are stated.",
    "approximate": "The weights were changed to remove the influence of the forgotten records; how far this "
    "succeeded rests on the audits listed here, not on a proof.",
    "suppression": "The base weights are unchanged and still carry the influence of the forgotten records; a "
    "reversible measure holds it back in the outputs.",
}
_NO_CLAIM = "No claim is made: the audits of the policy did not confirm the outcome."


@dataclass(frozen=True, kw_only=True)
class Method:
    """The method that ran: its name and version, digest of its source file, full configuration, what it promises."""

    name: str
    version: str
    source_sha256: str
    config: Mapping[str, Any]
    assurance: str
    spec_source: str

    @cached_property
    def config_sha256(self) -> str:
        """Hex SHA-256 of the canonical JSON of the configuration."""
        return config_sha256(self.config)


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """The newest checkpoint when the job started: number of the log, its size and root (hex).

    Nobody can name the root before all entries under it are in the log, so the statement is not older than they are.
    """

    log: int
    size: int
    root_sha256: str


@dataclass(frozen=True, kw_only=True)
class Worker:
    """The process that ran the job: random id and version of the code."""

    id: str
    code_version: str


@dataclass(frozen=True, kw_only=True)
class EvidenceFacts:
    """Everything one piece of evidence says. Digests are lower-case hex, ids UUIDs version 4, times UTC to the second.

    `request_leaf_sha256` is the RFC 6962 leaf hash of `request.received`; `forget_commitment` a keyed commitment.
    """

    request_leaf_sha256: str
    before_sha256: str
    after_sha256: str
    forget_commitment: str
    policy_sha256: str
    result: Result
    request_id: str
    target_id: str
    job_id: str
    method: Method
    findings: tuple[Finding, ...]
    guarantee_terms: Mapping[str, str | int | float]
    challenge: Challenge
    started_at: datetime
    finished_at: datetime
    worker: Worker
    n_forget: int

    @property
    def claim(self) -> str:
        """What may be said of the outcome: never more than the assurance of the method and the result allow."""
        return claim(self.method.assurance, self.result)


def claim(assurance: str, result: Result) -> str:
    """The sentence for an assurance and a result; raises EvidenceMalformedError for an unknown assurance."""
    if assurance not in _CLAIMS:
        raise EvidenceMalformedError(f"Expected one of the assurances {', '.join(_CLAIMS)}; found another.")
    return _NO_CLAIM if Result(result) is Result.FAILED else _CLAIMS[assurance]


def config_sha256(config: Mapping[str, Any]) -> str:
    """Hex SHA-256 of the canonical JSON of a configuration: what `job.started` holds."""
    return canonical.digest(dict(config))


def statement_bytes(facts: EvidenceFacts) -> bytes:
    """The payload to sign; raises EvidenceMalformedError for values that are not on the allow-list."""
    subjects = _subjects(facts)
    try:
        return canonical.dumps(
            {
                "_type": STATEMENT_TYPE,
                "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in subjects.items()],
                "predicateType": PREDICATE_TYPE,
                "predicate": _predicate(facts, subjects),
            }
        )
    except EvidenceMalformedError:
        raise
    except (AttributeError, TypeError, ValueError) as error:
        raise EvidenceMalformedError(
            "The evidence holds a value that is not of its type or has no JSON form."
        ) from error


def parse_statement(data: bytes) -> EvidenceFacts:
    """The facts of a statement; raises EvidenceMalformedError unless `statement_bytes` gives the same bytes again."""
    try:
        facts = _read(canonical.parse(data))
    except EvidenceMalformedError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise EvidenceMalformedError("Expected an in-toto statement of this service, found something else.") from error
    if statement_bytes(facts) != data:
        raise EvidenceMalformedError("The statement holds members or sentences that are not on the allow-list.")
    return facts


def _subjects(facts: EvidenceFacts) -> dict[str, str]:
    subjects = {
        "request": facts.request_leaf_sha256,
        "model-before": facts.before_sha256,
        "model-after": facts.after_sha256,
        "forget-set": facts.forget_commitment,
        "policy": facts.policy_sha256,
    }
    return {name: _sha256(digest, name) for name, digest in subjects.items()}


def _predicate(facts: EvidenceFacts, subjects: dict[str, str]) -> dict[str, Any]:
    if not facts.findings:
        raise EvidenceMalformedError("Evidence needs at least one finding; found none.")
    digests = {"policy": subjects["policy"], "config": facts.method.config_sha256}
    return {
        "result": Result(facts.result).value,
        "configuration": [{"name": name, "digest": {"sha256": digest}} for name, digest in digests.items()],
        "passedTests": _audits(facts, Verdict.PASS),
        "warnedTests": _audits(facts, Verdict.INCONCLUSIVE),
        "failedTests": _audits(facts, Verdict.FAIL),
        EXTENSION: _extension(facts, subjects),
    }


def _audits(facts: EvidenceFacts, verdict: Verdict) -> list[str]:
    return [finding.audit for finding in facts.findings if Verdict(finding.verdict) is verdict]


def _extension(facts: EvidenceFacts, subjects: dict[str, str]) -> dict[str, Any]:
    if facts.finished_at < facts.started_at:
        raise EvidenceMalformedError("Expected finished_at not before started_at.")
    challenge = {
        "log": count(facts.challenge.log, "challenge.log"),
        "size": count(facts.challenge.size, "challenge.size"),
        "root_sha256": _sha256(facts.challenge.root_sha256, "challenge.root_sha256"),
    }
    return {
        "roles": subjects,
        "request": _uuid(facts.request_id, "request"),
        "target": _uuid(facts.target_id, "target"),
        "job": _uuid(facts.job_id, "job"),
        "method": _method(facts.method),
        "claim": facts.claim,
        "findings": [finding.to_dict() for finding in facts.findings],
        "guarantee_terms": terms(facts.guarantee_terms, "guarantee_terms"),
        "challenge": challenge,
        "started_at": canonical.format_time(facts.started_at),
        "finished_at": canonical.format_time(facts.finished_at),
        "worker": {
            "id": _uuid(facts.worker.id, "worker.id"),
            "code_version": token(facts.worker.code_version, "worker.code_version"),
        },
        "n_forget": count(facts.n_forget, "n_forget"),
    }


def _method(method: Method) -> dict[str, Any]:
    if method.spec_source not in _SPEC_SOURCES:
        raise EvidenceMalformedError(f"method.spec_source: expected one of {', '.join(_SPEC_SOURCES)}.")
    _refuse_config(method.config, _MAX_CONFIG_DEPTH)
    return {
        "name": token(method.name, "method.name"),
        "version": token(method.version, "method.version"),
        "source_sha256": _sha256(method.source_sha256, "method.source_sha256"),
        "config": dict(method.config),
        "config_sha256": method.config_sha256,
        "assurance": method.assurance,
        "spec_source": method.spec_source,
    }


def _refuse_config(value: Any, depth: int) -> None:
    """A configuration holds hyper-parameters: numbers, switches, short words, and lists or tables of them."""
    if depth == 0:
        raise EvidenceMalformedError(f"method.config: expected at most {_MAX_CONFIG_DEPTH} levels, found more.")
    if isinstance(value, Mapping):
        for key, member in value.items():
            token(key, "method.config")
            _refuse_config(member, depth - 1)
    elif isinstance(value, list | tuple):
        for member in value:
            _refuse_config(member, depth - 1)
    elif isinstance(value, str):
        text(value, "method.config")
    elif value is not None and not isinstance(value, bool):
        number(value, "method.config")


def _read(value: Any) -> EvidenceFacts:
    predicate = value["predicate"]
    extension = predicate[EXTENSION]
    roles = extension["roles"]
    return EvidenceFacts(
        request_leaf_sha256=roles["request"],
        before_sha256=roles["model-before"],
        after_sha256=roles["model-after"],
        forget_commitment=roles["forget-set"],
        policy_sha256=roles["policy"],
        result=Result(predicate["result"]),
        request_id=extension["request"],
        target_id=extension["target"],
        job_id=extension["job"],
        method=_read_method(extension["method"]),
        findings=tuple(Finding.from_dict(finding) for finding in extension["findings"]),
        guarantee_terms=extension["guarantee_terms"],
        challenge=Challenge(**extension["challenge"]),
        started_at=canonical.parse_time(extension["started_at"]),
        finished_at=canonical.parse_time(extension["finished_at"]),
        worker=Worker(**extension["worker"]),
        n_forget=extension["n_forget"],
    )


def _read_method(value: Any) -> Method:
    return Method(
        name=value["name"],
        version=value["version"],
        source_sha256=value["source_sha256"],
        config=value["config"],
        assurance=value["assurance"],
        spec_source=value["spec_source"],
    )


def _sha256(value: Any, name: str) -> str:
    if not canonical.is_sha256(value):
        raise EvidenceMalformedError(f"{name}: expected a SHA-256 in lower-case hex, found something else.")
    return str(value)


def _uuid(value: Any, name: str) -> str:
    if not canonical.is_uuid4(value):
        raise EvidenceMalformedError(f"{name}: expected a UUID version 4 as a string, found something else.")
    return str(value)
