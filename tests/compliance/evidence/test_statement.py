"""What is signed: read back as written, refused in any other form, never saying more than it may."""

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.evidence import canonical, statement
from compliance.evidence.errors import EvidenceMalformedError
from compliance.evidence.statement import EvidenceFacts, parse_statement, statement_bytes
from compliance.evidence.verdict import Result

from .story import START, Story
from .test_findings import FINDINGS, NUMBERS, TOKENS


@pytest.fixture(scope="module")
def facts(story: Story) -> EvidenceFacts:
    return story.facts(story.parts[0])


def method(**changes: Any) -> Callable[[EvidenceFacts], dict[str, Any]]:
    return lambda facts: {"method": dataclasses.replace(facts.method, **changes)}


def worker(**changes: Any) -> Callable[[EvidenceFacts], dict[str, Any]]:
    return lambda facts: {"worker": dataclasses.replace(facts.worker, **changes)}


def challenge(**changes: Any) -> Callable[[EvidenceFacts], dict[str, Any]]:
    return lambda facts: {"challenge": dataclasses.replace(facts.challenge, **changes)}


def same(**changes: Any) -> Callable[[EvidenceFacts], dict[str, Any]]:
    return lambda facts: changes


def nested(depth: int) -> Any:
    return 1 if depth == 0 else {"a": nested(depth - 1)}


NOT_SIGNED: dict[str, Callable[[EvidenceFacts], dict[str, Any]]] = {
    "a receipt that is no digest": same(request_leaf_sha256="jane"),
    "a model before that is no digest": same(before_sha256="AB" * 32),
    "a model after that is no digest": same(after_sha256=None),
    "a commitment that is no digest": same(forget_commitment="jane@example.org"),
    "a policy that is no digest": same(policy_sha256=["0" * 64]),
    "a request that is a name": same(request_id="jane"),
    "a target that is a number": same(target_id=1),
    "a job of another version of UUID": same(job_id="3f2a8c1e-9f0b-1c6d-8e2a-1b3c5d7e9f00"),
    "an unknown result": same(result="GOOD"),
    "no findings": same(findings=()),
    "findings that are words": same(findings=("passed",)),
    "a term that is an address": same(guarantee_terms={"who": "jane@example.org"}),
    "a term that is no number": same(guarantee_terms={"epsilon": float("nan")}),
    "terms that are a list": same(guarantee_terms=["epsilon"]),
    "a time without a zone": same(started_at=datetime.fromisoformat("2026-05-01")),
    "a time with a fraction of a second": same(finished_at=START + timedelta(milliseconds=1)),
    "a finish before the start": same(finished_at=START - timedelta(seconds=1)),
    "records with a fraction": same(n_forget=1.5),
    "fewer records than none": same(n_forget=-1),
    "an unknown assurance": method(assurance="absolute"),
    "an assurance that is a list": method(assurance=["exact"]),
    "an unknown source": method(spec_source="hearsay"),
    "a method that is a sentence": method(name="my method"),
    "a source file that is no digest": method(source_sha256="main"),
    "a configuration with an address": method(config={"owner": "jane@example.org"}),
    "a configuration with an address in a list": method(config={"owner": [{"a": "jane＠example.org"}]}),
    "a configuration with a name that is an address": method(config={"jane@example.org": 1}),
    "a configuration with a name that is a number": method(config={1: 1}),
    "a configuration that is too deep": method(config=nested(7)),
    "a configuration with NaN": method(config={"rate": float("nan")}),
    "a configuration with a number that JSON readers round": method(config={"seed": 2**53 + 1}),
    "a configuration with bytes": method(config={"key": b"a"}),
    "a configuration that is a list": method(config=["a"]),
    "a challenge that is no digest": challenge(root_sha256="newest"),
    "a challenge of a size below zero": challenge(size=-1),
    "a worker that is a name": worker(id="jane"),
    "a version that is a sentence": worker(code_version="the newest one"),
}


@pytest.mark.parametrize("name", NOT_SIGNED)
def test_what_must_not_be_signed_is_refused_and_not_repeated(name: str, facts: EvidenceFacts) -> None:
    with pytest.raises(EvidenceMalformedError) as caught:
        statement_bytes(dataclasses.replace(facts, **NOT_SIGNED[name](facts)))
    assert "jane" not in str(caught.value)


NO_STATEMENTS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"statement",
    "a list": b"[]",
    "null": b"null",
    "an empty object": b"{}",
    "a predicate that is a list": b'{"predicate":[]}',
    "a predicate of another service": canonical.dumps({"predicate": {"https://example.com/v1": {}}}),
}


@pytest.mark.parametrize("name", NO_STATEMENTS)
def test_what_is_no_statement_is_refused(name: str) -> None:
    with pytest.raises(EvidenceMalformedError):
        parse_statement(NO_STATEMENTS[name])


def test_a_member_that_is_not_ours_is_refused_and_not_repeated(facts: EvidenceFacts) -> None:
    value = json.loads(statement_bytes(facts))
    value["predicate"][statement.EXTENSION]["worker"]["jane@example.org"] = 1
    with pytest.raises(EvidenceMalformedError) as caught:
        parse_statement(canonical.dumps(value))
    assert "jane" not in str(caught.value)


def test_a_statement_is_read_back_as_it_was_written(facts: EvidenceFacts) -> None:
    written = statement_bytes(facts)
    assert parse_statement(written) == facts
    assert statement_bytes(parse_statement(written)) == written


CONFIGS = st.dictionaries(
    TOKENS,
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-1e39, 1e39)
    | TOKENS
    | st.lists(TOKENS),
    max_size=4,
)


@settings(max_examples=100)
@given(
    findings=st.lists(FINDINGS, min_size=1, max_size=2).map(tuple),
    config=CONFIGS,
    terms=st.dictionaries(TOKENS, NUMBERS | TOKENS, max_size=3),
    assurance=st.sampled_from(["exact", "certified", "approximate", "suppression"]),
    result=st.sampled_from(Result),
)
def test_every_statement_that_can_be_signed_can_be_read(
    facts: EvidenceFacts, findings: Any, config: Any, terms: Any, assurance: str, result: Result
) -> None:
    """Evidence that is signed but cannot be verified would be found out too late."""
    changed = dataclasses.replace(facts.method, config=config, assurance=assurance)
    said = dataclasses.replace(facts, findings=findings, method=changed, guarantee_terms=terms, result=result)
    written = statement_bytes(said)
    parsed = parse_statement(written)
    assert statement_bytes(parsed) == written
    assert parsed.method.config_sha256 == statement.config_sha256(config)


def test_the_statement_is_an_in_toto_test_result(facts: EvidenceFacts) -> None:
    value = json.loads(statement_bytes(facts))
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert value["predicate"]["result"] == "PASSED"
    assert value["predicate"]["passedTests"] == ["retrain_equality", "mia_loss"]
    assert {subject["name"] for subject in value["subject"]} == {
        "request",
        "model-before",
        "model-after",
        "forget-set",
        "policy",
    }


def test_each_subject_has_its_role_in_the_predicate_for_in_toto_ignores_names(facts: EvidenceFacts) -> None:
    value = json.loads(statement_bytes(facts))
    roles = value["predicate"][statement.EXTENSION]["roles"]
    assert {subject["name"]: subject["digest"]["sha256"] for subject in value["subject"]} == roles


@pytest.mark.parametrize("assurance", ["exact", "certified", "approximate", "suppression"])
def test_a_failed_run_claims_nothing_whatever_the_method_promises(assurance: str) -> None:
    assert "No claim is made" in statement.claim(assurance, Result.FAILED)


@pytest.mark.parametrize("result", [Result.PASSED, Result.WARNED])
def test_suppression_never_claims_that_anything_is_gone(result: Result) -> None:
    sentence = statement.claim("suppression", result)
    assert "unchanged" in sentence
    assert not {"erased", "removed", "deleted", "forgotten without"} & set(sentence.lower().split())


def test_only_exactness_and_bounds_are_called_guaranteed() -> None:
    assert "guarantees" in statement.claim("exact", Result.PASSED)
    assert "not on a proof" in statement.claim("approximate", Result.PASSED)


def test_an_unknown_assurance_claims_nothing() -> None:
    with pytest.raises(EvidenceMalformedError):
        statement.claim("absolute", Result.PASSED)


def test_times_are_written_in_utc(facts: EvidenceFacts) -> None:
    zoned = dataclasses.replace(facts, started_at=datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC))
    assert b'"started_at":"2026-05-01T12:00:00Z"' in statement_bytes(zoned)
