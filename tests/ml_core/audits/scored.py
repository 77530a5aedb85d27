"""A family whose losses are chosen by the test: a model reads the loss of a record from one of its features."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ml_core.contract import AuditData, Examples, Model


class Scored:
    """The loss of a record is its feature number ``column``."""

    def __init__(self, column: int):
        self.family = "scored"
        self.column = column

    def named_tensors(self) -> dict[str, Tensor]:
        return {"column": torch.tensor([self.column])}


class ScoredFamily:
    """What an audit of losses asks of a family."""

    name = "scored"

    def losses(self, model: Model, examples: Examples) -> Tensor:
        assert isinstance(model, Scored)
        return examples.features[:, model.column].double()


family = ScoredFamily()
BEFORE, AFTER, REFERENCE = Scored(0), Scored(1), Scored(2)


def records(prefix: str, losses: Sequence[Tensor], *, n_each: int = 1) -> Examples:
    """Records with the given losses [N] under before, after and reference; n_each records a person."""
    features = torch.stack(list(losses), dim=1)  # [N, 3]
    return Examples(
        features=features,
        labels=torch.zeros(len(features), dtype=torch.int64),
        record_ids=tuple(f"{prefix}-record-{number}" for number in range(len(features))),
        person_ids=tuple(f"{prefix}-person-{number // n_each}" for number in range(len(features))),
    )


def normal(seed: int, n_records: int, mean: float) -> Tensor:
    """[N] losses, normal with unit deviation around ``mean``."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n_records, generator=generator, dtype=torch.float64) + mean


def scene(
    *,
    known_before: float = 2.0,
    known_after: float = 0.0,
    known_by_reference: float = 0.0,
    n_forget: int = 60,
    n_holdout: int = 60,
    n_each: int = 1,
    seed: int = 0,
) -> AuditData:
    """Forget losses lie ``known_…`` below holdout losses; after and reference share their noise, before has its own."""
    noise = normal(seed, n_forget, 0.0)
    own = normal(seed + 1000, n_forget, 0.0)
    forget = records("forget", (own - known_before, noise - known_after, noise - known_by_reference), n_each=n_each)
    outside = normal(seed + 2000, n_holdout, 0.0)
    holdout = records("holdout", (outside, outside, outside), n_each=n_each)
    return AuditData(forget=forget, retain=holdout.subset([]), holdout=holdout, reference=REFERENCE)
