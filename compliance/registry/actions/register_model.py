"""A model the controller answers for enters the register, with the data source it was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.ledger.record import record_event
from compliance.registry.errors import NameTakenError, RegistryError
from compliance.registry.models import DataSource, RegisteredModel


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the training records are: the file, its digest, the kind of identifier in its person column.

    `declaration` describes the data source that knows the persons behind the records, if the file does not.
    """

    name: str
    location: Path
    sha256: str
    identifier_kind: str = "email"
    declaration: Mapping[str, Any] | None = None


@transaction.atomic
def register_model(*, actor: Actor, name: str, family: str, purpose: str, source: Source) -> RegisteredModel:
    """A model without a version yet; raises NameTakenError or RegistryError."""
    for text in (name, source.name):
        _refuse_no_slug(text)
    if RegisteredModel.objects.filter(name=name).exists():
        raise NameTakenError(f"A model named {name!r} is registered already. Choose another name.")
    now = datetime.now(tz=UTC)
    model = RegisteredModel.objects.create(
        name=name, family=family, purpose=purpose, data_source=_source(source, now), registered_at=now
    )
    facts = {"model": str(model.pk), "family": family}
    record_event("model.registered", actor=actor, facts=facts, subject_id=model.pk)
    return model


def _source(source: Source, now: datetime) -> DataSource:
    row, created = DataSource.objects.get_or_create(
        name=source.name,
        defaults={
            "location": str(source.location),
            "sha256": source.sha256,
            "identifier_kind": source.identifier_kind,
            "declaration": source.declaration,
            "registered_at": now,
        },
    )
    if not created and (row.sha256, row.declaration) != (source.sha256, source.declaration):
        raise NameTakenError(f"A data source named {source.name!r} with other contents is registered. Choose another.")
    return row


def _refuse_no_slug(text: str) -> None:
    try:
        validate_slug(text)
    except ValidationError as error:
        raise RegistryError(f"Names are letters, digits, hyphens and underscores; found {text!r}.") from error
    if len(text) > 80:
        raise RegistryError(f"Names have at most 80 characters; found {len(text)}.")
