"""Records for tests: random ones, and the handwritten digits of scikit-learn."""

from collections.abc import Sequence

import torch
from sklearn.datasets import load_digits  # type: ignore[import-untyped]

from ml_core.contract import Examples, Run


def new_run(seed: int = 0) -> Run:
    return Run(generator=torch.Generator().manual_seed(seed))


def random_examples(
    seed: int, n_records: int, *, n_features: int = 5, n_classes: int = 3, n_each: int = 2, prefix: str = "r"
) -> Examples:
    """Features uniform in [0, 1), labels by coin toss; n_each records a person."""
    generator = torch.Generator().manual_seed(seed)
    return Examples(
        features=torch.rand(n_records, n_features, generator=generator, dtype=torch.float64),
        labels=torch.randint(0, n_classes, (n_records,), generator=generator),
        record_ids=tuple(f"{prefix}{number}" for number in range(n_records)),
        person_ids=tuple(f"{prefix}-person-{number // n_each}" for number in range(n_records)),
    )


def digits(n_records: int = 1797, *, n_each: int = 12) -> Examples:
    """Images of 8 x 8 pixels in [0, 1]; the writers are not published, so n_each records in a row are one person."""
    images, labels = load_digits(return_X_y=True)
    return Examples(
        features=torch.from_numpy(images[:n_records] / 16.0),
        labels=torch.from_numpy(labels[:n_records]).to(torch.int64),
        record_ids=tuple(f"digit-{number}" for number in range(n_records)),
        person_ids=tuple(f"writer-{number // n_each}" for number in range(n_records)),
    )


def in_order(examples: Examples, order: Sequence[int]) -> Examples:
    """The records at these positions, in this order."""
    return Examples(
        features=examples.features[list(order)],
        labels=examples.labels[list(order)],
        record_ids=tuple(examples.record_ids[position] for position in order),
        person_ids=tuple(examples.person_ids[position] for position in order),
    )


def without(examples: Examples, record_ids: Sequence[str]) -> Examples:
    """All records but these, in stored order."""
    gone = set(record_ids)
    return in_order(examples, [number for number, name in enumerate(examples.record_ids) if name not in gone])


def changed(
    examples: Examples, *, features: torch.Tensor | None = None, labels: torch.Tensor | None = None
) -> Examples:
    """The same records with other contents."""
    return Examples(
        features=examples.features if features is None else features,
        labels=examples.labels if labels is None else labels,
        record_ids=examples.record_ids,
        person_ids=examples.person_ids,
    )
