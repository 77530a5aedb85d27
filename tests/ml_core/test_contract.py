"""The types at the border: what they refuse, and that what they let out is JSON."""

import dataclasses
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
import torch

from ml_core.contract import Assurance, Card, Examples, Finding, Run, SpecSource, UnlearnData, UnlearnResult, Verdict
from ml_core.errors import Cancelled, DataError, DeadlineExceededError
from tests.ml_core.datasets import in_order, random_examples

NAN = torch.tensor([[0.0, float("nan")], [0.0, 0.0]])
BAD_EXAMPLES: list[tuple[str, dict[str, object], str]] = [
    ("features of one dimension", {"features": torch.zeros(2)}, "floating point"),
    ("whole-number features", {"features": torch.zeros(2, 2, dtype=torch.int64)}, "floating point"),
    ("complex features", {"features": torch.zeros(2, 2, dtype=torch.complex64)}, "floating point"),
    ("features that are not numbers", {"features": NAN}, "1 records have features"),
    ("infinite features", {"features": torch.full((2, 2), float("inf"))}, "2 records have features"),
    ("labels of another type", {"labels": torch.zeros(2, dtype=torch.int32)}, "int64"),
    ("labels of two dimensions", {"labels": torch.zeros(2, 1, dtype=torch.int64)}, "int64"),
    ("fewer labels", {"labels": torch.zeros(1, dtype=torch.int64)}, "lengths differ"),
    ("fewer features", {"features": torch.zeros(1, 2)}, "lengths differ"),
    ("more record ids", {"record_ids": ("a", "b", "c")}, "lengths differ"),
    ("fewer person ids", {"person_ids": ("p",)}, "lengths differ"),
    ("an empty record id", {"record_ids": ("a", "")}, "non-empty"),
    ("an empty person id", {"person_ids": ("p", "")}, "non-empty"),
    ("a number for an id", {"record_ids": ("a", 7)}, "non-empty"),
    ("a NUL in an id", {"record_ids": ("a", "a\0")}, "NUL"),
    ("a lone surrogate in an id", {"person_ids": ("p", "\ud800")}, "UTF-8"),
    ("one id twice", {"record_ids": ("a", "a")}, "1 record ids occur more than once"),
]


@pytest.mark.parametrize(("replaced", "message"), [pytest.param(*row[1:], id=row[0]) for row in BAD_EXAMPLES])
def test_examples_refuse(replaced: Mapping[str, object], message: str) -> None:
    genuine = {
        "features": torch.zeros(2, 2),
        "labels": torch.zeros(2, dtype=torch.int64),
        "record_ids": ("a", "b"),
        "person_ids": ("p", "p"),
    }
    assert len(Examples(**genuine)) == 2  # type: ignore[arg-type]
    with pytest.raises(DataError, match=message):
        Examples(**{**genuine, **replaced})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        pytest.param(torch.ones(3, dtype=torch.bool), "boolean mask", id="mask of another length"),
        pytest.param(torch.ones(4, dtype=torch.int64), "boolean mask", id="mask that is not boolean"),
        pytest.param(["r0", "nobody"], "1 of 2 record ids", id="unknown record"),
    ],
)
def test_a_subset_refuses(chosen: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as refused:
        random_examples(0, 4).subset(chosen)
    assert "nobody" not in str(refused.value)


def test_a_record_is_refused_in_both_forget_and_retain() -> None:
    examples = random_examples(0, 4)
    with pytest.raises(DataError, match="1 records are in both"):
        UnlearnData(forget=in_order(examples, [0, 1]), retain=in_order(examples, [1, 2]))


def test_subsets_keep_the_stored_order_and_what_belongs_together() -> None:
    examples = random_examples(0, 6, n_each=2)
    by_name = examples.subset(["r4", "r1"])
    by_mask = examples.subset(torch.tensor([False, True, False, False, True, False]))
    for subset in (by_name, by_mask):
        assert subset.record_ids == ("r1", "r4")
        assert subset.person_ids == ("r-person-0", "r-person-2")
        assert torch.equal(subset.features, examples.features[[1, 4]])
        assert torch.equal(subset.labels, examples.labels[[1, 4]])
    assert len(examples.subset([])) == 0


def test_records_of_persons_are_all_of_theirs_and_none_of_others() -> None:
    examples = random_examples(0, 6, n_each=2)
    assert examples.of_persons(["r-person-2", "r-person-0"]).record_ids == ("r0", "r1", "r4", "r5")
    assert len(examples.of_persons(["nobody"])) == 0


def test_a_run_stops_when_cancelled_and_reports_no_progress_then() -> None:
    seen: list[tuple[float, str]] = []
    run = Run(generator=torch.Generator(), progress=lambda *report: seen.append(report), is_cancelled=lambda: True)
    with pytest.raises(Cancelled, match="before: solving"):
        run.step(0.5, "solving")
    assert seen == []
    assert not Cancelled.retryable


def test_a_run_stops_after_its_deadline_and_may_be_repeated() -> None:
    run = Run(generator=torch.Generator(), deadline_at=time.monotonic() - 1)
    with pytest.raises(DeadlineExceededError, match="before: solving"):
        run.step(0.5, "solving")
    assert DeadlineExceededError.retryable


def test_a_run_in_time_reports_progress() -> None:
    seen: list[tuple[float, str]] = []
    deadline_at = time.monotonic() + 3600
    run = Run(generator=torch.Generator(), progress=lambda *report: seen.append(report), deadline_at=deadline_at)
    run.step(0.5, "solving")
    assert seen == [(0.5, "solving")]


FINDING = Finding(
    audit="an_audit",
    version="1",
    statistic="difference",
    value=0.25,
    threshold=0.1,
    interval=(0.2, 0.3),
    level=0.9,
    p_value=0.5,
    n={"forget_records": 12},
    verdict=Verdict.FAIL,
    reasons=("too much is known",),
    details={"auc_after": 0.75},
)


@pytest.mark.parametrize(
    "replaced",
    [
        pytest.param({"verdict": Verdict.INCONCLUSIVE, "reasons": ()}, id="inconclusive without a reason"),
        pytest.param({"verdict": Verdict.PASS, "value": None}, id="pass without a value"),
        pytest.param({"value": None}, id="fail without a value"),
        pytest.param({"value": float("nan")}, id="value that is not a number"),
        pytest.param({"verdict": Verdict.INCONCLUSIVE, "value": float("nan")}, id="inconclusive, not a number"),
        pytest.param({"threshold": float("inf")}, id="infinite threshold"),
        pytest.param({"interval": (float("-inf"), 0.0)}, id="infinite interval"),
        pytest.param({"p_value": float("nan")}, id="p-value that is not a number"),
        pytest.param({"details": {"auc_after": float("nan")}}, id="detail that is not a number"),
    ],
)
def test_a_finding_refuses(replaced: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must say why|needs a value|not finite"):
        dataclasses.replace(FINDING, **replaced)


def test_a_finding_is_json() -> None:
    assert json.loads(json.dumps(FINDING.to_dict(), allow_nan=False)) == {
        "audit": "an_audit",
        "version": "1",
        "statistic": "difference",
        "value": 0.25,
        "threshold": 0.1,
        "interval": [0.2, 0.3],
        "level": 0.9,
        "p_value": 0.5,
        "n": {"forget_records": 12},
        "verdict": "fail",
        "reasons": ["too much is known"],
        "details": {"auc_after": 0.75},
    }


def test_a_result_is_json() -> None:
    result = UnlearnResult(
        touched=("weight",), n_steps=1, n_forget_seen=2, n_retain_seen=0, guarantee_terms={"epsilon": 0.5}
    )
    assert json.loads(json.dumps(result.to_dict())) == {
        "touched": ["weight"],
        "n_steps": 1,
        "n_forget_seen": 2,
        "n_retain_seen": 0,
        "guarantee_terms": {"epsilon": 0.5},
        "notes": [],
    }


@pytest.mark.parametrize(("assurance", "stored"), [(Assurance.CERTIFIED, "certified"), (None, None)])
def test_a_card_is_json(assurance: Assurance | None, stored: str | None) -> None:
    card = Card(
        name="x",
        kind="method",
        version="1",
        assurance=assurance,
        families=("any",),
        needs=(),
        spec_source=SpecSource.PAPER,
        summary="s",
        reference="r",
        cost="c",
        source_sha256="0" * 64,
        config_schema=[],
    )
    document = json.loads(json.dumps(card.to_dict()))
    assert document["assurance"] == stored
    assert (document["families"], document["needs"], document["spec_source"]) == (["any"], [], "paper")
