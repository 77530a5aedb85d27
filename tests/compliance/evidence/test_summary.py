"""The signed summary: read back as written, refused in any other form, never claiming more than it may."""

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.evidence import canonical, statement, summary
from compliance.evidence.errors import EvidenceMalformedError
from compliance.evidence.summary import SummaryFacts, parse_summary, summary_bytes
from compliance.evidence.verdict import Result

from .member_edits import every_change, name_of
from .story import START, Story, some_id
from .test_findings import TOKENS

ASSURANCES = ("exact", "certified", "approximate", "suppression")
ZERO = "0" * 64


@pytest.fixture(scope="module")
def facts(story: Story) -> SummaryFacts:
    return story.summary_facts(story.parts[0])


NOT_SIGNED: dict[str, dict[str, Any]] = {
    "a request that is a name": {"request_id": "jane"},
    "a target that is a number": {"target_id": 1},
    "a model that is nothing": {"model_id": None},
    "a worker that is an address": {"worker_id": "jane@example.org"},
    "a receipt that is no digest": {"request_leaf_sha256": "jane"},
    "a completion in capitals": {"completed_leaf_sha256": "AB" * 32},
    "a version that is too short": {"after_sha256": "ab" * 31},
    "a policy that is a list": {"policy_sha256": [ZERO]},
    "evidence that is nothing": {"evidence_sha256": None},
    "an entry of evidence that is an index": {"evidence_leaf_sha256": 7},
    "an unknown result": {"result": "GOOD"},
    "a result that is a list": {"result": []},
    "an unknown assurance": {"assurance": "absolute"},
    "an assurance that is a list": {"assurance": ["exact"]},
    "an assurance that is nothing": {"assurance": None},
    "a time without a zone": {"verified_at": datetime.fromisoformat("2026-05-01")},
    "a time with a fraction of a second": {"verified_at": START + timedelta(milliseconds=1)},
    "a time that is a text": {"verified_at": "2026-05-01T12:00:00Z"},
    "code that is a sentence": {"code_version": "the one of jane"},
    "code that is an address": {"code_version": "jane@example.org"},
}


@pytest.mark.parametrize("name", NOT_SIGNED)
def test_what_must_not_be_signed_is_refused_and_not_repeated(name: str, facts: SummaryFacts) -> None:
    with pytest.raises(EvidenceMalformedError) as caught:
        summary_bytes(dataclasses.replace(facts, **NOT_SIGNED[name]))
    assert "jane" not in str(caught.value)


def test_every_field_is_in_the_table_of_what_is_refused() -> None:
    assert {field for changes in NOT_SIGNED.values() for field in changes} == {
        field.name for field in dataclasses.fields(SummaryFacts)
    }


NO_SUMMARIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"summary",
    "no UTF-8": b"\xff",
    "a list": b"[]",
    "null": b"null",
    "an empty object": b"{}",
    "nesting without end": b"[" * 100_000,
    "a predicate that is a list": b'{"predicate":[]}',
    "a predicate of another service": canonical.dumps({"predicate": {"https://example.com/v1": {}}}),
    "no input": canonical.dumps({"predicate": {statement.EXTENSION: {"roles": {}}, "inputAttestations": []}}),
}


@pytest.mark.parametrize("name", NO_SUMMARIES)
def test_what_is_no_summary_is_refused(name: str) -> None:
    with pytest.raises(EvidenceMalformedError):
        parse_summary(NO_SUMMARIES[name])


def test_the_statement_of_a_job_is_no_summary(story: Story) -> None:
    with pytest.raises(EvidenceMalformedError):
        parse_summary(story.payload(story.parts[0]))


@pytest.mark.parametrize(
    "respell",
    [
        pytest.param(lambda data: data + b"\n", id="a final newline"),
        pytest.param(lambda data: json.dumps(json.loads(data)).encode(), id="spaces"),
        pytest.param(lambda data: data.replace(b'{"_type"', b'{"_type":"","_type"'), id="a name twice"),
        pytest.param(lambda data: data.replace(b"https://slsa.dev", rb"https:\/\/slsa.dev"), id="an escape"),
    ],
)
def test_another_spelling_is_refused(respell: Callable[[bytes], bytes], facts: SummaryFacts) -> None:
    written = respell(summary_bytes(facts))
    assert written != summary_bytes(facts)
    with pytest.raises(EvidenceMalformedError):
        parse_summary(written)


def other(value: Any) -> Any:
    """Another value that would do as well: a digest, an id, a time, a word."""
    if canonical.is_sha256(value):
        return ZERO
    if canonical.is_uuid4(value):
        return some_id(99)
    if canonical.is_time(value):
        return "2030-01-01T00:00:00Z"
    return f"{value}1"


def test_what_is_said_twice_cannot_be_changed_in_one_place(facts: SummaryFacts) -> None:
    """Only what stands in one place can be another, well-formed thing; the ledger says whether it is true."""
    written = summary_bytes(facts)
    accepted = set()
    for kind, path, document in every_change(json.loads(written), other):
        changed = canonical.dumps(document)
        assert changed != written
        try:
            assert parse_summary(changed) != facts
        except EvidenceMalformedError:
            continue
        accepted.add((kind, name_of(path)))
    said_once = {"request", "evidence_leaf_sha256", "worker", "timeVerified", "expunge"}
    # The digest of the evidence itself.
    assert accepted == {("replaced", name) for name in said_once | {"sha256"}}


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(SummaryFacts)])
def test_every_field_shows_in_the_bytes(field: str, facts: SummaryFacts) -> None:
    value = getattr(facts, field)
    changes: dict[str, Any] = {
        "result": Result.WARNED,
        "assurance": "approximate",
        "verified_at": START + timedelta(days=1),
    }
    changed = dataclasses.replace(facts, **{field: changes.get(field) or other(value)})
    assert summary_bytes(changed) != summary_bytes(facts)
    assert parse_summary(summary_bytes(changed)) == changed


@settings(max_examples=100)
@given(
    ids=st.lists(st.uuids(version=4).map(str), min_size=4, max_size=4),
    digests=st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=6, max_size=6),
    assurance=st.sampled_from(ASSURANCES),
    result=st.sampled_from(Result),
    at=st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - aware by zones
    code_version=TOKENS,
)
def test_every_summary_that_can_be_signed_can_be_read(
    ids: list[str], digests: list[str], assurance: str, result: Result, at: datetime, code_version: str
) -> None:
    said = SummaryFacts(
        request_id=ids[0],
        target_id=ids[1],
        model_id=ids[2],
        worker_id=ids[3],
        request_leaf_sha256=digests[0],
        completed_leaf_sha256=digests[1],
        after_sha256=digests[2],
        policy_sha256=digests[3],
        evidence_sha256=digests[4],
        evidence_leaf_sha256=digests[5],
        result=result,
        assurance=assurance,
        verified_at=at.replace(microsecond=0),
        code_version=code_version,
    )
    assert parse_summary(summary_bytes(said)) == said


# --- What it claims -------------------------------------------------------------------------------------------------


def predicate_of(facts: SummaryFacts, result: Result, assurance: str) -> dict[str, Any]:
    written = summary_bytes(dataclasses.replace(facts, result=result, assurance=assurance))
    predicate: dict[str, Any] = json.loads(written)["predicate"]
    return predicate


@pytest.mark.parametrize("assurance", ASSURANCES)
def test_a_failed_request_claims_nothing_and_reaches_no_level(assurance: str, facts: SummaryFacts) -> None:
    """SLSA's word for no level is FAILED."""
    predicate = predicate_of(facts, Result.FAILED, assurance)
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("FAILED", ["FAILED"])
    assert "No claim is made" in predicate[statement.EXTENSION]["claim"]


@pytest.mark.parametrize("assurance", ASSURANCES)
@pytest.mark.parametrize("result", [Result.PASSED, Result.WARNED])
def test_a_request_claims_what_the_statement_claims(result: Result, assurance: str, facts: SummaryFacts) -> None:
    predicate = predicate_of(facts, result, assurance)
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["verifiedLevels"] == [f"EXPUNGE_ASSURANCE_{assurance.upper()}"]
    assert predicate[statement.EXTENSION]["claim"] == statement.claim(assurance, result)


def test_a_warning_stands_in_the_extension_for_slsa_knows_none(facts: SummaryFacts) -> None:
    predicate = predicate_of(facts, Result.WARNED, "exact")
    assert predicate["verificationResult"] == "PASSED"
    assert predicate[statement.EXTENSION]["result"] == "WARNED"


def test_the_summary_is_a_slsa_verification_summary(facts: SummaryFacts) -> None:
    """What slsa.dev/spec/v1.1/verification_summary requires."""
    value = json.loads(summary_bytes(facts))
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == "https://slsa.dev/verification_summary/v1"
    required = {"verifier", "timeVerified", "resourceUri", "policy", "verificationResult", "verifiedLevels"}
    assert required <= set(value["predicate"])
    assert value["predicate"]["verifier"]["id"] == summary.VERIFIER_ID
    assert value["predicate"]["policy"]["digest"] == {"sha256": facts.policy_sha256}


def test_each_subject_has_its_role_in_the_predicate_for_in_toto_ignores_names(facts: SummaryFacts) -> None:
    value = json.loads(summary_bytes(facts))
    roles = value["predicate"][statement.EXTENSION]["roles"]
    assert {subject["name"]: subject["digest"]["sha256"] for subject in value["subject"]} == roles
    assert set(roles) == {"model-after", "request", "completion"}
