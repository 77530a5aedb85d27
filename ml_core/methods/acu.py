"""Analytic continual unlearning: remove records from a ridge head in closed form, bit for bit.

Reference: Tang, Zhuang, Fang et al., "ACU: Analytic Continual Unlearning for Efficient and Exact Forgetting with
Privacy Preservation", 2025, https://arxiv.org/abs/2505.12239v1.

Idea: a ridge head W = (A + gamma I)^-1 C depends on its training records only through the sums A = X'X and C = X'Y
over the features X and one-hot labels Y. Removing the records X_f, Y_f gives A - X_f'X_f and C - X_f'Y_f, and solving
again gives the head that training on the remaining records would have given. Gradients and the remaining records are
not needed. Features are integers, so the sums are exact and nothing of the removed records stays behind as rounding.

Assurance: exact. gram, moments and weight equal, bit for bit, those of a head trained on the remaining records by the
same software on the same machine; on another machine gram and moments still do, and weight differs by no more than
error_bound. Removed: everything the head learned from the records. Not removed: what a feature extractor in front of
the head may have learned from them, and a keyed digest of each record's id, kept to refuse a second deletion.

Cost: one pass over the forget records, none over the retain records; k W^2 + 2 W^3 / 3 + 20 W^2 C multiplications for
k records (half of the W^3 and nine tenths of the W^2 C are for the certificate); peak memory about six times the Gram
matrix, 48 W^2 bytes.

Fails when: a record was never trained on, was deleted before, or is offered with other features or another label
(nothing is changed); the stored moments are damaged; the penalty is so small that the solution is not accurate.

Differs from the paper: keeps A and C and factors again instead of updating the inverse recursively, because the
recursion lost five digits more on ill-conditioned streams; quantises features to integers; checks membership first,
because the arithmetic accepts a stranger's record in silence; attaches a bound on the error of W.

Next: ml_core/audits/mia_loss.py
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ml_core import linear, ridge
from ml_core.contract import Assurance, Model, Run, SpecSource, UnlearnData, UnlearnResult
from ml_core.digests import tensor_sha256
from ml_core.errors import NumericalError
from ml_core.families.analytic_classifier import AnalyticClassifier, as_classifier
from ml_core.hyperparameters import check_ranges, number
from ml_core.membership import locate, without
from ml_core.plugins import Method


@dataclass(frozen=True, kw_only=True)
class Config:
    """The paper has no hyper-parameter for deletion; this one decides when to refuse an inaccurate solution."""

    largest_error: float = number(1e-6, unit="bound on ||W - W*|| / ||W||", low=1e-17, high=1.0)

    def __post_init__(self) -> None:
        check_ranges(self)


method = Method(
    __name__,
    version="2",
    assurance=Assurance.EXACT,
    families=("analytic_classifier",),
    needs=(),
    source=SpecSource.PAPER,
    config=Config,
)


@method.unlearn
def unlearn(model: Model, data: UnlearnData, config: Config, run: Run) -> UnlearnResult:
    """Raises NeverTrainedError, AlreadyDeletedError, DataError, NumericalError; then the model is as it was."""
    head = as_classifier(model)
    run.step(0.0, "looking the records up")
    quantised = head.quantised(data.forget.features)  # [F, D]
    rows = locate(head.members, data.forget, quantised)
    if not rows:
        return _result(head, {}, None, n_forget=0, n_before=head.members.n_held)
    run.step(0.1, "subtracting moments")
    gram, moments = _remaining_moments(head, quantised, data.forget.labels.to(head.device))
    run.step(0.3, "solving")
    solution = ridge.solve_ridge(gram, moments, head.config.ridge)
    _require_accurate(solution, config.largest_error)
    run.step(0.9, "taking over the result")
    members, n_before = without(head.members, rows), head.members.n_held
    learned = {"gram": gram, "moments": moments, "weight": solution.weight}
    changed = {name: learned[name] for name, old in head.named_tensors().items() if not torch.equal(old, learned[name])}
    head.adopt(learned, members)  # the only change, after everything that can raise
    return _result(head, changed, solution, n_forget=len(rows), n_before=n_before)


def _remaining_moments(head: AnalyticClassifier, quantised: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    removed_gram, removed_moments = linear.exact_moments(
        head.expanded(quantised), labels, head.config.n_classes, head.config.n_bits
    )
    gram, moments = head.gram - removed_gram, head.moments - removed_moments
    # A sum of squares cannot be negative: below zero, the stored moments never contained these records.
    if bool((gram.diagonal() < 0).any()) or bool((moments < 0).any()):
        raise NumericalError("the stored moments do not contain the records that membership lists; restore the model")
    return gram, moments


def _require_accurate(solution: ridge.RidgeSolution, largest_error: float) -> None:
    size = float(torch.linalg.matrix_norm(solution.weight))
    if solution.error_bound > largest_error * size:
        raise NumericalError(
            f"the bound on the error of W is {solution.error_bound:.3g}, more than {largest_error:.3g} of its norm "
            f"{size:.3g}; train with a larger gamma"
        )


def _result(
    head: AnalyticClassifier,
    changed: dict[str, Tensor],
    solution: ridge.RidgeSolution | None,
    *,
    n_forget: int,
    n_before: int,
) -> UnlearnResult:
    terms: dict[str, str | int | float] = {"n_before": n_before, "n_after": head.members.n_held}
    terms |= {f"{name}_sha256": tensor_sha256(tensor) for name, tensor in head.named_tensors().items()}
    if solution is not None:
        terms |= {
            "ridge": head.config.ridge,
            "residual_norm": solution.residual_norm,
            "error_bound": solution.error_bound,
            "smallest_eigenvalue_bound": solution.smallest_eigenvalue,
        }
    return UnlearnResult(
        touched=tuple(sorted(changed)),
        n_steps=1 if solution is not None else 0,
        n_forget_seen=n_forget,
        n_retain_seen=0,
        guarantee_terms=terms,
        notes=("exact for the head, given its input features; a feature extractor before it is not covered",),
    )
