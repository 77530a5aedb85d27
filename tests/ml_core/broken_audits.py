"""Broken audits: what is wrong with each, the text of its file, and every check that has to catch it."""

from tests.ml_core.broken_plugins import AUDIT, OF_ANY_KIND, Row


def audit_then(change: str) -> str:
    """An honest audit that does something more."""
    return AUDIT.broken(f"finding = honest(before, after, data, config, run)\n{change}\nreturn finding").source()


LENIENT = audit_then("finding = passed(finding)")

BROKEN_AUDITS: list[Row] = [
    *((name, AUDIT.source(**replaced), caught) for name, replaced, caught in OF_ANY_KIND),
    (
        "passes always",
        LENIENT,
        *("fails_the_untouched_model", "inconclusive_below_its_smallest_n", "inconclusive_without_a_reference"),
    ),
    (
        "never passes",
        audit_then("if finding.verdict is Verdict.PASS:\n    finding = dataclasses.replace(finding, verdict='fail')"),
        "passes_the_retrained_model",
    ),
    (
        "never fails",
        audit_then(
            "if finding.verdict is Verdict.FAIL:\n"
            "    finding = dataclasses.replace(finding, verdict=Verdict.INCONCLUSIVE, reasons=('unsure',))"
        ),
        "fails_the_untouched_model",
    ),
    (
        "judges one record",
        audit_then("if len(data.forget) == 1:\n    finding = passed(finding)"),
        "inconclusive_below_its_smallest_n",
    ),
    (
        "judges no record",
        audit_then("if not len(data.forget):\n    finding = passed(finding)"),
        "inconclusive_below_its_smallest_n",
    ),
    (
        "judges without holdout",
        audit_then("if not len(data.holdout):\n    finding = passed(finding)"),
        "inconclusive_below_its_smallest_n",
    ),
    (
        "ignores its configured smallest n",
        AUDIT.broken("return honest(before, after, data, Config(), run)").source(),
        "inconclusive_below_its_smallest_n",
    ),
    (
        "guesses a reference",
        audit_then("if data.reference is None:\n    finding = passed(finding)"),
        "inconclusive_without_a_reference",
    ),
    (
        "changes the model after",
        audit_then("after.weight.add_(1)"),
        *("models_and_data_are_unchanged", "same_seed_same_finding"),
    ),
    ("changes the model before", audit_then("before.weight.mul_(1 + 1e-13)"), "models_and_data_are_unchanged"),
    (
        "changes the reference",
        audit_then("if data.reference:\n    data.reference.weight.mul_(1 + 1e-13)"),
        "models_and_data_are_unchanged",
    ),
    ("changes its data", audit_then("data.holdout.features.mul_(1 + 1e-13)"), "models_and_data_are_unchanged"),
    ("random by the global generator", audit_then("torch.rand(1)"), "global_state_is_unchanged"),
    (
        "random by the machine",
        audit_then("finding = dataclasses.replace(finding, details=dict(noise=int.from_bytes(os.urandom(6))))"),
        "same_seed_same_finding",
    ),
    (
        "names records in its reasons",
        audit_then("finding = dataclasses.replace(finding, reasons=('of', *data.forget.record_ids))"),
        "finding_is_json_and_names_nobody",
    ),
    (
        "signs as another audit",
        audit_then("finding = dataclasses.replace(finding, audit='mia_loss')"),
        "finding_is_json_and_names_nobody",
    ),
    (
        "signs with another version",
        audit_then("finding = dataclasses.replace(finding, version='0')"),
        "finding_is_json_and_names_nobody",
    ),
    (
        "deaf to cancellation",
        AUDIT.broken(
            "return honest(before, after, data, config, dataclasses.replace(run, is_cancelled=lambda: False))"
        ).source(),
        "honours_cancellation_and_deadline",
    ),
    (
        "deaf to the deadline",
        AUDIT.broken("return honest(before, after, data, config, dataclasses.replace(run, deadline_at=None))").source(),
        "honours_cancellation_and_deadline",
    ),
]
