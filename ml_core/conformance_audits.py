"""What is checked of an audit on the toy problem of each family that it reads, where the truth is known."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from ml_core.conformance_scene import (
    Scene,
    differing,
    examples_sha256,
    global_state_kept,
    refusal,
    require,
    require_nobody_named,
    require_same,
)
from ml_core.contract import AuditData, Finding, Model, Need, Verdict
from ml_core.errors import Cancelled, DeadlineExceededError
from ml_core.hyperparameters import schema
from ml_core.plugins import Audit

AuditCheck = Callable[[Audit[Any], Scene], None]
#: A whole-number hyper-parameter called min_… in one of these units is a smallest n.
COUNTED = ("records", "persons")


def passes_the_retrained_model(audit: Audit[Any], scene: Scene) -> None:
    """A model trained without the forget records passes."""
    _require_verdict(audit, scene, scene.retrained(), Verdict.PASS, "a model retrained without the records")


def fails_the_untouched_model(audit: Audit[Any], scene: Scene) -> None:
    """A model from which nothing was removed fails; inconclusive would not do."""
    _require_verdict(audit, scene, scene.copy(), Verdict.FAIL, "a model from which nothing was removed")


def inconclusive_below_its_smallest_n(audit: Audit[Any], scene: Scene) -> None:
    """One record, no record, no holdout, or fewer of either than its configuration asks for: inconclusive."""
    one = scene.forget.subset(scene.forget.record_ids[:1])
    few: dict[str, AuditData] = {
        "one forget record": scene.audit_data(forget=one),
        "no forget record": scene.audit_data(forget=scene.forget.subset([])),
        "no holdout record": scene.audit_data(holdout=scene.toy.holdout.subset([])),
    }
    for what, data in few.items():
        _require_inconclusive(audit, scene, data, audit.config(), what)
    for row in schema(audit.config):
        if row["name"].startswith("min_") and row["type"] == "int" and row["unit"] in COUNTED:
            config = dataclasses.replace(audit.config(), **{row["name"]: int(row["high"])})
            _require_inconclusive(audit, scene, scene.audit_data(), config, f"fewer {row['unit']} than {row['name']}")


def inconclusive_without_a_reference(audit: Audit[Any], scene: Scene) -> None:
    """An audit that needs a reference model does not guess one."""
    _require_inconclusive(audit, scene, scene.audit_data(reference=None), audit.config(), "no reference model")


def models_and_data_are_unchanged(audit: Audit[Any], scene: Scene) -> None:
    """before, after, reference and the three sets are still what they were."""
    after, data = scene.copy(), scene.audit_data()
    before = _states(scene, after, data)
    audit.apply(scene.before, after, data, audit.config(), scene.run())
    require_same(before, _states(scene, after, data), "the audit")


def global_state_is_unchanged(audit: Audit[Any], scene: Scene) -> None:
    """``run.generator`` is the only randomness; defaults of the process stay."""
    after = scene.retrained()
    with global_state_kept("the audit"):
        _find(audit, scene, after)


def same_seed_same_finding(audit: Audit[Any], scene: Scene) -> None:
    """Two runs from one seed say the same to the last digit."""
    for after in (scene.retrained(), scene.copy()):
        first, second = (_find(audit, scene, after).to_dict() for _ in range(2))
        different = differing(first, second)
        require(not different, f"a second run with the same seed finds other {', '.join(different)}")


def finding_is_json_and_names_nobody(audit: Audit[Any], scene: Scene) -> None:
    """What it says can be stored and signed, names the audit and its version, and holds no id."""
    one = scene.audit_data(forget=scene.forget.subset(scene.forget.record_ids[:1]))
    for after, data in ((scene.retrained(), None), (scene.copy(), None), (scene.copy(), one)):
        finding = _find(audit, scene, after, data)
        text = json.dumps(finding.to_dict(), allow_nan=False)
        require_nobody_named(text, scene.toy.train, scene.toy.holdout)
        stated = (finding.audit, finding.version)
        require(stated == (audit.name, audit.version), f"it signs as {stated}, not as {(audit.name, audit.version)}")


def honours_cancellation_and_deadline(audit: Audit[Any], scene: Scene) -> None:
    """It asks ``run.step`` before its work, and stops when told to."""
    after, data, config = scene.retrained(), scene.audit_data(), audit.config()
    cancelled = scene.run(is_cancelled=lambda: True)
    late = scene.run(deadline_at=time.monotonic() - 1)
    refusal(Cancelled, partial(audit.apply, scene.before, after, data, config, cancelled), "cancelled at its start")
    refusal(DeadlineExceededError, partial(audit.apply, scene.before, after, data, config, late), "a past deadline")


ALWAYS: tuple[AuditCheck, ...] = (
    passes_the_retrained_model,
    fails_the_untouched_model,
    inconclusive_below_its_smallest_n,
    models_and_data_are_unchanged,
    global_state_is_unchanged,
    same_seed_same_finding,
    finding_is_json_and_names_nobody,
    honours_cancellation_and_deadline,
)
FOR_COMPARISONS: tuple[AuditCheck, ...] = (inconclusive_without_a_reference,)


def audit_checks(audit: Audit[Any]) -> tuple[AuditCheck, ...]:
    """The checks that apply."""
    return (*ALWAYS, *(FOR_COMPARISONS if Need.REFERENCE_MODEL in audit.needs else ()))


def _find(audit: Audit[Any], scene: Scene, after: Model, data: AuditData | None = None) -> Finding:
    return audit.apply(scene.before, after, data or scene.audit_data(), audit.config(), scene.run())


def _require_verdict(audit: Audit[Any], scene: Scene, after: Model, wanted: Verdict, what: str) -> None:
    finding = _find(audit, scene, after)
    because = "; ".join(finding.reasons) or "no reason given"
    require(finding.verdict is wanted, f"{what}: expected {wanted}, found {finding.verdict} ({because})")


def _require_inconclusive(audit: Audit[Any], scene: Scene, data: AuditData, config: Any, what: str) -> None:
    for after in (scene.retrained(), scene.copy()):
        verdict = audit.apply(scene.before, after, data, config, scene.run()).verdict
        require(verdict is Verdict.INCONCLUSIVE, f"{what}: expected inconclusive, found {verdict}")


def _states(scene: Scene, after: Model, data: AuditData) -> dict[str, object]:
    models = {"before": scene.before, "after": after, "reference": scene.reference}
    sets = {"forget": data.forget, "retain": data.retain, "holdout": data.holdout}
    return {
        **{name: scene.state(model) for name, model in models.items()},
        **{name: examples_sha256(examples) for name, examples in sets.items()},
    }
