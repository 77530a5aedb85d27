"""Equality with retraining: are the unlearned tensors, byte for byte, those of a model trained without the records?

Reference: the definition of exact unlearning, Cao, Yang, "Towards Making Systems Forget with Machine Unlearning",
IEEE S&P 2015, https://doi.org/10.1109/SP.2015.35.

Null hypothesis: at least one named tensor differs from the retrained model's. No sampling, so no p-value.

Statistic: number of named tensors whose name, type, shape or bytes differ between after and reference; ideal 0.

A pass means: the learned state equals that of the reference, hence nothing that was not in the reference's training
data is in it, to the extent that the reference is honest.

A pass does not mean: that frozen parts in front of the learned state never saw the records.

Smallest n: none; equality is not sampled. Where before already equals the reference it is inconclusive.

Fooled by: a reference that was itself trained on the forget records; code that serves other weights than these.

Cost: one read of the tensors of three models.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml_core.contract import ANY_FAMILY, AuditData, Finding, Model, Need, Run, SpecSource, Verdict
from ml_core.digests import model_sha256s
from ml_core.hyperparameters import check_ranges, number
from ml_core.plugins import Audit


@dataclass(frozen=True, kw_only=True)
class Config:
    """Raises ConfigError."""

    threshold: int = number(0, unit="tensors that may differ", low=0, high=0)

    def __post_init__(self) -> None:
        check_ranges(self)


audit = Audit(
    __name__,
    version="1",
    families=(ANY_FAMILY,),
    needs=(Need.REFERENCE_MODEL,),
    source=SpecSource.INTERPRETATION,
    config=Config,
    exempt={"inconclusive_below_its_smallest_n": "equality of bytes is not sampled: one record is enough to judge"},
)


@audit.run
def run(before: Model, after: Model, data: AuditData, config: Config, run: Run) -> Finding:
    """Inconclusive without a reference, or where the untouched model would have passed as well."""
    run.step(0.0, "hashing tensors")
    if data.reference is None:
        return _finding(
            config, data, {}, {}, reason="no reference model, trained without the forget records, was supplied"
        )
    if data.reference is after:
        return _finding(
            config, data, {}, {}, reason="reference and after are one object; supply a model retrained apart"
        )
    found, wanted = model_sha256s(after), model_sha256s(data.reference)
    if found == wanted and model_sha256s(before) == wanted:
        return _finding(config, data, {}, {}, reason="before equals the reference already: there was nothing to forget")
    return _finding(config, data, found, wanted)


def _finding(
    config: Config, data: AuditData, found: dict[str, str], wanted: dict[str, str], reason: str = ""
) -> Finding:
    different = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    verdict = Verdict.INCONCLUSIVE if reason else (Verdict.FAIL if different else Verdict.PASS)
    return Finding(
        audit=audit.name,
        version=audit.version,
        statistic="n_tensors_that_differ",
        value=None if reason else float(len(different)),
        threshold=float(config.threshold),
        interval=None,
        level=1.0,
        p_value=None,
        n={"forget_records": len(data.forget), "tensors": len(found.keys() | wanted.keys())},
        verdict=verdict,
        reasons=(reason,) if reason else tuple(f"{name} differs from retraining" for name in different),
        details={f"{name}_after_sha256": digest for name, digest in found.items()}
        | {f"{name}_reference_sha256": digest for name, digest in wanted.items()},
    )
