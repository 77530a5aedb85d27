"""Loss-threshold membership inference: does the model still know the forget records better than strangers' records?

Reference: Yeom et al., "Privacy Risk in Machine Learning", CSF 2018, https://arxiv.org/abs/1709.01604 (the attack);
Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987 (two one-sided tests); Field, Welsh, JRSS-B 69, 2007 (bootstrap of
clusters).

Null hypothesis: after unlearning, the attack's advantage differs by ``threshold`` or more from its advantage on a
model that never saw the forget records. A pass rejects it on both sides.

Statistic: AUC(after) - AUC(reference), no unit, ideal 0. Each AUC compares forget records with holdout records by the
score -loss; larger means "member". Above 0 the model remembers too much; below 0 it has forgotten too much, which
gives the person away as well. The interval is a paired percentile bootstrap that resamples persons.

A pass means: this attack cannot tell, within ``threshold`` at confidence ``level``, the model from a retrained one,
although it could tell the model before.

A pass does not mean: that no stronger attack succeeds, or that the weights hold nothing of the records.

Smallest n: ``min_forget`` forget records and ``min_holdout_persons`` persons in holdout; below, inconclusive.

Fooled by: a filter that recognises the forget records and imitates the reference's answers; a model that is broken
for everyone, so that no record is told from another (compare its accuracy).

Cost: one forward pass of three models over forget and holdout; F x H comparisons; milliseconds of bootstrap.

Next: workers/outputs.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ml_core import statistics
from ml_core.contract import ANY_FAMILY, AuditData, Examples, Finding, Model, Need, Run, SpecSource, Verdict
from ml_core.hyperparameters import check_ranges, number
from ml_core.plugins import Audit
from ml_core.registry import family_of


@dataclass(frozen=True, kw_only=True)
class Config:
    """Policy fixes these before the run. Raises ConfigError."""

    threshold: float = number(0.1, unit="difference of AUC", low=0.001, high=0.5)
    level: float = number(0.9, unit="confidence; 0.9 is two one-sided tests at 5 %", low=0.5, high=0.999)
    min_forget: int = number(10, unit="records", low=2, high=1_000_000)
    min_holdout_persons: int = number(5, unit="persons", low=2, high=1_000_000)
    min_power_margin: float = number(0.05, unit="AUC of before above 1/2", low=0.0, high=0.5)
    n_replicates: int = number(2000, unit="bootstrap replicates", low=200, high=100_000)

    def __post_init__(self) -> None:
        check_ranges(self)


audit = Audit(
    __name__,
    version="1",
    families=(ANY_FAMILY,),
    needs=(Need.REFERENCE_MODEL,),
    source=SpecSource.INTERPRETATION,
    config=Config,
)


@dataclass(frozen=True)
class _Attack:
    """One model under attack: its AUC and the AUC in each bootstrap replicate [B]."""

    auc: float
    replicates: Tensor


@audit.run
def run(before: Model, after: Model, data: AuditData, config: Config, run: Run) -> Finding:
    """Inconclusive, with a reason and without a value, whenever the comparison could not have failed."""
    n = {
        "forget_records": len(data.forget),
        "forget_persons": len(set(data.forget.person_ids)),
        "holdout_records": len(data.holdout),
        "holdout_persons": len(set(data.holdout.person_ids)),
    }
    reasons = _too_little(data, n, config)
    if reasons or data.reference is None:
        return _inconclusive(config, n, reasons)
    run.step(0.0, "scoring forget and holdout records")
    models = {"before": before, "after": after, "reference": data.reference}
    scores = {name: _scores(model, data) for name, model in models.items()}
    broken = [name for name, pair in scores.items() if not all(bool(torch.isfinite(side).all()) for side in pair)]
    if broken:
        return _inconclusive(config, n, [f"losses of {', '.join(broken)} are not finite"])
    run.step(0.5, "resampling persons")
    return _judge(_attacks(scores, data, config, run), n, config)


def _too_little(data: AuditData, n: dict[str, int], config: Config) -> list[str]:
    reasons = []
    if n["forget_records"] < config.min_forget:
        reasons.append(f"{n['forget_records']} forget records, at least {config.min_forget} needed")
    if n["holdout_persons"] < config.min_holdout_persons:
        reasons.append(f"{n['holdout_persons']} persons in holdout, at least {config.min_holdout_persons} needed")
    n_shared = len(set(data.forget.person_ids) & set(data.holdout.person_ids))
    if n_shared:
        reasons.append(f"{n_shared} persons are in both forget and holdout, so holdout is no sample of strangers")
    if data.reference is None:
        reasons.append("no reference model, trained without the forget records, was supplied")
    return reasons


def _inconclusive(config: Config, n: dict[str, int], reasons: Sequence[str]) -> Finding:
    return Finding(
        audit=audit.name,
        version=audit.version,
        statistic="auc_after_minus_auc_reference",
        value=None,
        threshold=config.threshold,
        interval=None,
        level=config.level,
        p_value=None,
        n=n,
        verdict=Verdict.INCONCLUSIVE,
        reasons=tuple(reasons),
    )


def _scores(model: Model, data: AuditData) -> tuple[Tensor, Tensor]:
    """Scores [F] of forget and [H] of holdout: -loss, because a member's loss is the smaller."""
    family = family_of(model)
    return -family.losses(model, data.forget), -family.losses(model, data.holdout)


def _attacks(scores: dict[str, tuple[Tensor, Tensor]], data: AuditData, config: Config, run: Run) -> dict[str, _Attack]:
    """Every model meets the same resamples, so that their differences are paired."""
    groups = _forget_groups(data.forget), _numbered(data.holdout.person_ids)
    sizes = torch.bincount(groups[0]).double(), torch.bincount(groups[1]).double()
    counts = (
        statistics.resampled_counts(len(sizes[0]), config.n_replicates, run.generator),
        statistics.resampled_counts(len(sizes[1]), config.n_replicates, run.generator),
    )
    attacks = {}
    for name, (members, others) in scores.items():
        wins = statistics.grouped_wins(members, others, *groups)  # [P, Q]
        overall = float(wins.sum()) / (len(members) * len(others))
        attacks[name] = _Attack(overall, statistics.bootstrap_aucs(wins, *sizes, counts))
    return attacks


def _forget_groups(forget: Examples) -> Tensor:
    # One person cannot be resampled; then records are, and the interval is conditional on that person.
    persons = _numbered(forget.person_ids)
    return persons if int(persons.max()) > 0 else torch.arange(len(forget))


def _numbered(names: Sequence[str]) -> Tensor:
    """Names as integers 0 .. P-1 in order of first appearance."""
    numbers = {name: position for position, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([numbers[name] for name in names], dtype=torch.int64)


def _judge(attacks: dict[str, _Attack], n: dict[str, int], config: Config) -> Finding:
    before, after, reference = (attacks[name] for name in ("before", "after", "reference"))
    differences = after.replicates - reference.replicates  # [B]
    low, high = statistics.percentile_interval(differences, config.level)
    reasons = []
    if low > config.threshold:
        verdict, reasons = (
            Verdict.FAIL,
            ["the attack tells these records apart as it could before: too little forgotten"],
        )
    elif high < -config.threshold:
        verdict, reasons = Verdict.FAIL, ["these records stand out as unknown: too much forgotten"]
    elif low < -config.threshold or high > config.threshold:
        verdict, reasons = Verdict.INCONCLUSIVE, ["the interval crosses the threshold: more records are needed"]
    else:
        reasons = _powerless(before, reference, config)
        verdict = Verdict.INCONCLUSIVE if reasons else Verdict.PASS
    if n["forget_persons"] == 1:
        reasons.append("one person: the interval is conditional on that person, whose records are resampled")
    return Finding(
        audit=audit.name,
        version=audit.version,
        statistic="auc_after_minus_auc_reference",
        value=after.auc - reference.auc,
        threshold=config.threshold,
        interval=(low, high),
        level=config.level,
        p_value=statistics.equivalence_p_value(differences, config.threshold),
        n=n,
        verdict=verdict,
        reasons=tuple(reasons),
        details=_details(attacks, config),
    )


def _powerless(before: _Attack, reference: _Attack, config: Config) -> list[str]:
    """Why a pass would be hollow: the same attack would not have failed the model before."""
    reasons = []
    low, _ = statistics.percentile_interval(before.replicates, config.level)
    if low <= 0.5 + config.min_power_margin:
        reasons.append(f"no power: AUC of the model before may be {low:.3f}, little better than chance")
    low, _ = statistics.percentile_interval(before.replicates - reference.replicates, config.level)
    if low <= config.threshold:
        reasons.append(f"no power: before may exceed the reference by {low:.3f} only, so it might pass unchanged")
    return reasons


def _details(attacks: dict[str, _Attack], config: Config) -> dict[str, float | int | str]:
    details: dict[str, float | int | str] = {"n_replicates": config.n_replicates}
    for name, attack in attacks.items():
        low, high = statistics.percentile_interval(attack.replicates, config.level)
        details |= {f"auc_{name}": attack.auc, f"auc_{name}_low": low, f"auc_{name}_high": high}
    return details
