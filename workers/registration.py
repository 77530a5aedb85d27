"""A trained model enters the register: everything is checked first, then all of it is stored, or nothing.

What is checked is what a later deletion will rest on: that the weights load, that the data file parses and names
persons by e-mail address (or a declared data source does for each of its records), that nobody among them was erased
before, and, for families whose models keep membership, that the model holds exactly the training records of the file,
with the contents that the file has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import torch
from django.db import transaction
from torch import Tensor

from compliance.ledger.actors import SYSTEM
from compliance.registry.actions.register_model import Source, register_model
from compliance.registry.actions.register_version import register_lineage
from compliance.registry.models import ModelVersion
from compliance.registry.pseudonyms import canonical_identifier, pseudonym_of
from compliance.sources import reading
from compliance.sources.declaration import SourceDeclaration
from compliance.suppression.errors import ErasedPeopleError
from compliance.suppression.registering import take_registrations
from compliance.suppression.tokens import suppressed_among
from ml_core.contract import Examples, Family, Model
from ml_core.data import read_examples
from ml_core.errors import ArtifactError, DataError, NotApplicableError
from ml_core.membership import Membership, locate
from ml_core.weights_folder import read_family_name
from workers import artifacts, catalogue

IDENTIFIER_KIND = "email"
#: Record id → pseudonyms of the persons whom the record is about.
Lineage = Mapping[str, frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What the controller hands over: a name, a folder of weights, an npz file of the records behind them.

    With `persons`, the data source that says whose the records are, the person_ids of the npz file may be anything.
    """

    name: str
    purpose: str
    weights: Path
    data: Path
    source_name: str
    persons: SourceDeclaration | None = None


class _KeepsMembership(Protocol):
    """A model that can tell its own training records."""

    members: Membership

    def quantised(self, features: Tensor) -> Tensor: ...


def register(registration: Registration) -> ModelVersion:
    """The model's first version, in service.

    Raises UnlearningError, RegistryError, SourceError, ErasedPeopleError or ValueError; then nothing is kept.
    """
    family, model = _load(registration.weights)
    data = registration.data.resolve()
    digest = _sha256(data)
    splits = read_examples(data)
    _refuse_no_training(splits)
    lineage = _declared_lineage(registration.persons, splits) if registration.persons else _own_lineage(splits)
    _refuse_erased(lineage)
    _refuse_other_records(model, splits["train"])
    manifest, version_sha256 = artifacts.store(registration.weights, family.name)
    declaration = registration.persons.to_dict() if registration.persons else None
    source = Source(
        name=registration.source_name,
        location=data,
        sha256=digest,
        identifier_kind=IDENTIFIER_KIND,
        declaration=declaration,
    )
    try:
        return _record(registration, family.name, source, manifest, splits["train"].record_ids, lineage)
    except BaseException:
        # Unless the same weights belong to a version that was registered before.
        if not ModelVersion.objects.filter(sha256=version_sha256).exists():
            artifacts.destroy(version_sha256)
        raise


@transaction.atomic
def _record(
    registration: Registration,
    family: str,
    source: Source,
    manifest: bytes,
    trained: Iterable[str],
    lineage: Lineage,
) -> ModelVersion:
    model = register_model(
        actor=SYSTEM, name=registration.name, family=family, purpose=registration.purpose, source=source
    )
    pairs = ((record_id, lineage[record_id]) for record_id in trained)
    version = register_lineage(model, actor=SYSTEM, manifest=manifest, lineage=pairs)
    # Again: reading, checking and writing took a while, in which people may have been erased.
    take_registrations()
    _refuse_erased(lineage)
    return version


def _load(folder: Path) -> tuple[Family, Model]:
    name = read_family_name(folder)
    family = catalogue.installed().families.get(name)
    if family is None:
        known = ", ".join(sorted(catalogue.installed().families))
        raise NotApplicableError(f"{folder.name}: there is no model family {name!r}; expected one of {known}")
    return family, family.load(folder, torch.device("cpu"))


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path.name}: the data file cannot be read ({error.strerror})") from error


def _refuse_no_training(splits: dict[str, Examples]) -> None:
    if not len(splits["train"]):
        raise DataError("the data file has no training records; a model without them needs no registration")


def _own_lineage(splits: dict[str, Examples]) -> Lineage:
    """Of the records in both splits, from the person_ids of the data file."""
    persons = {person for examples in splits.values() for person in examples.person_ids}
    n_strange = sum(not _is_identifier(person) for person in persons)
    if n_strange:
        raise DataError(
            f"{n_strange} of {len(persons)} person_ids are not e-mail addresses; requests could not find them"
        )
    pseudonym = {person: frozenset({pseudonym_of(IDENTIFIER_KIND, person)}) for person in persons}
    return {
        record_id: pseudonym[person]
        for examples in splits.values()
        for record_id, person in zip(examples.record_ids, examples.person_ids, strict=True)
    }


def _declared_lineage(persons: SourceDeclaration, splits: dict[str, Examples]) -> Lineage:
    """The same from a declared data source, which may hold other records as well."""
    wanted = {record_id for examples in splits.values() for record_id in examples.record_ids}
    found: dict[str, frozenset[str]] = {}
    for record_id, pseudonyms in reading.pseudonyms(persons):
        if record_id in wanted:
            # Several rows of one record, as a table of participants has them, are about all of their persons.
            found[record_id] = found.get(record_id, frozenset()) | pseudonyms
    if len(found) != len(wanted):
        raise DataError(
            f"{len(wanted) - len(found)} of {len(wanted)} records of the data file are not in the declared data source; "
            "nobody could find out whose they are"
        )
    return found


def _refuse_erased(lineage: Lineage) -> None:
    erased = suppressed_among({pseudonym for pseudonyms in lineage.values() for pseudonym in pseudonyms})
    n_records = sum(bool(pseudonyms & erased) for pseudonyms in lineage.values())
    if n_records:
        raise ErasedPeopleError(
            f"{n_records} of {len(lineage)} records are about {len(erased)} people who were erased. Train the model "
            "without them: `manage.py check_training_data` finds these records and writes a file that has none."
        )


def _is_identifier(person: str) -> bool:
    try:
        canonical_identifier(IDENTIFIER_KIND, person)
    except ValueError:
        return False
    return True


def _refuse_other_records(model: Model, train: Examples) -> None:
    if not isinstance(getattr(model, "members", None), Membership):
        return  # This family cannot tell; its methods say what they need when they run.
    keeper = cast(_KeepsMembership, model)
    if keeper.members.n_held != len(train):
        raise ArtifactError(
            f"the model holds {keeper.members.n_held} records, the data file has {len(train)} training records; "
            "register the file that it was trained on"
        )
    locate(keeper.members, train, keeper.quantised(train.features))
