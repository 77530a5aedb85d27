"""Small planted problems with a known answer: labels are coin tosses, so whatever a model knows it has memorised."""

from __future__ import annotations

import torch

from ml_core.contract import Examples


def memorisable(
    generator: torch.Generator, *, prefix: str, n_persons: int, n_each: int, n_features: int, n_classes: int
) -> Examples:
    """Records with features uniform in [0, 1) and labels independent of them: n_persons * n_each records."""
    n_records = n_persons * n_each
    return Examples(
        features=torch.rand(n_records, n_features, generator=generator, dtype=torch.float64),
        labels=torch.randint(0, n_classes, (n_records,), generator=generator),
        record_ids=tuple(f"{prefix}-record-{position}" for position in range(n_records)),
        person_ids=tuple(f"{prefix}-person-{position // n_each}" for position in range(n_records)),
    )
