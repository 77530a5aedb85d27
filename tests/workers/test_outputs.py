"""Results of ml_core in the alphabet of evidence."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import findings as signed
from compliance.evidence.canonical import dumps
from compliance.registry.models import ModelVersion
from compliance.requests.models import Job, Target
from ml_core.contract import Finding, UnlearnResult, Verdict
from ml_core.methods import acu
from tests.workers import digits
from workers import director, outputs

LONG = "model.layers.11.self_attn.query_projection.lora_embedding_A.default.weight_after_sha256"


def finding(**changes: object) -> Finding:
    values: dict[str, object] = {
        "audit": "mia_loss",
        "version": "1",
        "statistic": "auc_after_minus_auc_reference",
        "value": 0.01,
        "threshold": 0.1,
        "interval": (-0.02, 0.03),
        "level": 0.9,
        "p_value": 0.001,
        "n": {"forget_records": 12},
        "verdict": Verdict.PASS,
        "reasons": (),
        "details": {"auc_before": 0.9},
    }
    return Finding(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain", "plain", id="a plain line"),
        pytest.param("two\nlines", "two lines", id="a line break"),
        pytest.param("alice@example.org", "alice at example.org", id="an address"),
        pytest.param("alice\uff20example.org", "alice at example.org", id="an address in full width"),
        pytest.param("x" * 400, "x" * 300, id="too long"),
        pytest.param("\x00", "-", id="nothing printable"),
    ],
)
def test_reasons_become_printable_lines_without_addresses(text: str, expected: str) -> None:
    made = outputs.finding_of(finding(verdict=Verdict.INCONCLUSIVE, value=None, reasons=(text,)))
    assert made.reasons == (expected,)
    made.to_dict()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(LONG, id="too long"),
        pytest.param("block/0", id="a slash"),
        pytest.param("_private", id="an underscore first"),
        pytest.param("größe", id="an umlaut"),
        pytest.param("", id="empty"),
    ],
)
def test_names_that_do_not_fit_end_in_a_digest(name: str) -> None:
    (word,) = outputs.finding_of(finding(details={name: 1})).details
    assert re.fullmatch(r"n[A-Za-z0-9_.+-]{0,54}-[0-9a-f]{8}", word)


def test_two_long_names_with_one_beginning_stay_two() -> None:
    details = {LONG + ".a": 1, LONG + ".b": 2}
    assert sorted(outputs.finding_of(finding(details=details)).details.values()) == [1, 2]


def test_a_finding_that_fits_is_taken_as_it_is() -> None:
    original = finding()
    made = outputs.finding_of(original)
    assert made.to_dict() == signed.Finding.from_dict(original.to_dict()).to_dict()


@given(
    details=st.dictionaries(
        st.text(max_size=80), st.one_of(st.text(max_size=400), st.floats(allow_nan=False, allow_infinity=False))
    ),
    reasons=st.lists(st.text(max_size=400), min_size=1),
)
def test_whatever_an_audit_says_can_be_signed(details: dict[str, str | float], reasons: list[str]) -> None:
    bounded = {name: value for name, value in details.items() if isinstance(value, str) or abs(value) < 1e40}
    inconclusive = finding(verdict=Verdict.INCONCLUSIVE, value=None, reasons=tuple(reasons), details=bounded)
    made = outputs.finding_of(inconclusive).to_dict()
    assert len(made["details"]) == len(bounded)
    assert b"@" not in dumps(made)


def test_terms_that_are_not_finite_are_said_in_words() -> None:
    result = UnlearnResult(
        touched=("weight",), n_steps=1, n_forget_seen=1, n_retain_seen=0, guarantee_terms={"bound": float("inf")}
    )
    outcome = outputs.outcome_of(acu.method, result)
    assert outcome["guarantee_terms"] == {"bound": "not finite"}
    assert outcome["assurance"] == "exact"
    assert outcome["method"]["source_sha256"] == acu.method.source_sha256


def test_there_is_nothing_to_sign_before_the_job_was_recorded(live: ModelVersion) -> None:
    job = digits.planned()
    with pytest.raises(LookupError, match="nothing to sign"):
        outputs.evidence_facts(job, Target.objects.get(job=job))


def test_recorded_findings_are_read_back_as_they_were_signed(live: ModelVersion) -> None:
    director.run_job(digits.planned().pk)
    job, target = Job.objects.get(), Target.objects.get()
    read = outputs.recorded_findings(job, target)
    assert signed.findings_sha256(read) == signed.findings_sha256(outputs.evidence_facts(job, target).findings)
    assert [found.audit for found in read] == ["retrain_equality", "mia_loss"]
