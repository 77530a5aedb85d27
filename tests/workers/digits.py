"""A real classifier of real handwritten digits, small enough for tests: twelve records for each of sixteen persons.

Alice and Charlie are among the ten whose records were trained on; nobody of the holdout is.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import torch

from compliance.ledger.actors import SYSTEM
from compliance.registry.models import ModelVersion
from compliance.requests.actions.plan import plan
from compliance.requests.models import Job
from ml_core.contract import Examples, Run
from ml_core.data import write_examples
from ml_core.families.analytic_classifier import TrainConfig, family
from tests.compliance import cast
from workers import catalogue
from workers.registration import Registration, register

N_EACH = 12
TRAINED = (cast.ALICE, cast.CHARLIE, *(f"trained{number}@example.org" for number in range(8)))
HELD_OUT = tuple(f"holdout{number}@example.org" for number in range(6))
MODEL = "digits"


def examples() -> dict[str, Examples]:
    """Both splits."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    digits = load_digits()
    people = [person for person in TRAINED + HELD_OUT for _ in range(N_EACH)]
    everything = Examples(
        features=torch.from_numpy(digits.data[: len(people)]) / 16.0,
        labels=torch.from_numpy(digits.target[: len(people)]).to(torch.int64),
        record_ids=tuple(f"digit-{number}" for number in range(len(people))),
        person_ids=tuple(people),
    )
    return {"train": everything.of_persons(TRAINED), "holdout": everything.of_persons(HELD_OUT)}


def write(folder: Path, *, width: int = 96) -> None:
    """`data.npz` and `weights/` in this folder."""
    splits = examples()
    write_examples(folder / "data.npz", splits)
    config = TrainConfig(width=width, gamma=0.01, n_classes=10)
    model = family.train(splits["train"], config, Run(generator=torch.Generator().manual_seed(1)))
    family.save(model, folder / "weights")


def registration(folder: Path) -> Registration:
    """What the register command would be told."""
    return Registration(
        name=MODEL, purpose="tests", weights=folder / "weights", data=folder / "data.npz", source_name="digits-data"
    )


def registered(folder: Path) -> ModelVersion:
    """The model in service, a ledger at work and a worker's catalogue: all that a request needs."""
    catalogue.publish()
    version = register(registration(folder))
    cast.run_ledger()
    return version


def planned(email: str = cast.ALICE) -> Job:
    """The queued job of a new request, approved and planned."""
    return planned_for(approved(email))


def planned_for(request_id: uuid.UUID) -> Job:
    """The queued job of an approved request."""
    plan(request_id, actor=SYSTEM)
    cast.run_ledger()
    return Job.objects.get(targets__request=request_id)


def approved(email: str = cast.ALICE) -> uuid.UUID:
    """A new request that was proven and approved."""
    request_id = cast.ask(email).request.pk
    cast.prove(request_id)
    cast.decide(request_id)
    return request_id
