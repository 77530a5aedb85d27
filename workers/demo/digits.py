"""1,797 handwritten digits (scikit-learn, BSD-3-Clause), shared out to invented data subjects of 15 records each."""

from __future__ import annotations

from pathlib import Path

import torch

from ml_core.contract import Examples, Run
from ml_core.data import write_examples
from ml_core.families.analytic_classifier import TrainConfig, family

N_EACH = 15
N_TRAIN_PERSONS = 80
#: Fewer weights than records to remember would leave the attack without power before forgetting.
CONFIG = TrainConfig(width=2048, gamma=0.01, n_classes=10)
SEED = 20_260_501


def write_digits(path: Path) -> dict[str, Examples]:
    """Write the data file and return its splits, ``train`` and ``holdout``; no person is in both."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]  # only the demo needs it

    digits = load_digits()
    order = torch.randperm(len(digits.target), generator=torch.Generator().manual_seed(SEED))
    examples = Examples(
        features=torch.from_numpy(digits.data)[order] / 16.0,
        labels=torch.from_numpy(digits.target).to(torch.int64)[order],
        record_ids=tuple(f"digit-{int(number):04d}" for number in order),
        person_ids=tuple(f"person{position // N_EACH:03d}@example.org" for position in range(len(order))),
    )
    is_train = torch.arange(len(examples)) < N_TRAIN_PERSONS * N_EACH
    splits = {"train": examples.subset(is_train), "holdout": examples.subset(~is_train)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_examples(path, splits)
    return splits


def train_classifier(train: Examples, folder: Path) -> float:
    """Train on all of ``train``, save the weights into a new folder, return the accuracy on ``train``."""
    model = family.train(train, CONFIG, Run(generator=torch.Generator().manual_seed(SEED)))
    family.save(model, folder)
    return accuracy(folder, train)


def accuracy(folder: Path, examples: Examples) -> float:
    """Share of the examples that the stored classifier gets right."""
    model = family.load(folder, torch.device("cpu"))
    return float((family.predict(model, examples.features) == examples.labels).double().mean())
