"""The first version of a model: its manifest, and whose records trained it (as pseudonyms)."""

import secrets
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

from django.db import transaction

from compliance.evidence import commitment
from compliance.evidence.leaf import FactValue
from compliance.ledger.actors import Actor
from compliance.ledger.record import record_event
from compliance.registry.errors import LineageError, VersionStateError
from compliance.registry.manifests import manifest_sha256, parse_manifest
from compliance.registry.models import LineageRecord, ModelVersion, RegisteredModel, VersionState
from compliance.registry.pseudonyms import pseudonym_of

BATCH_ROWS = 1000


def register_version(
    model: RegisteredModel, *, actor: Actor, manifest: bytes, records: Iterable[tuple[str, str]]
) -> ModelVersion:
    """`register_lineage` for pairs of record id and identifier, of the kind that the model's data source declares."""
    kind = model.data_source.identifier_kind
    lineage = ((record_id, frozenset({pseudonym_of(kind, identifier)})) for record_id, identifier in records)
    return register_lineage(model, actor=actor, manifest=manifest, lineage=lineage)


@transaction.atomic
def register_lineage(
    model: RegisteredModel, *, actor: Actor, manifest: bytes, lineage: Iterable[tuple[str, AbstractSet[str]]]
) -> ModelVersion:
    """Put the version into service and write its lineage: pairs of record id and its persons' pseudonyms, also none.

    Raises LineageError, VersionStateError (the model has a version), or ValueError for a malformed manifest.
    """
    if model.versions.exists():
        raise VersionStateError(f"{model.name} has a version already; later ones are made by jobs.")
    family, _ = parse_manifest(manifest)
    if family != model.family:
        raise VersionStateError(f"{model.name} is of the family {model.family!r}; the manifest says {family!r}.")
    rows = _checked(lineage)
    key = secrets.token_bytes(commitment.KEY_BYTES)
    version = ModelVersion.objects.create(
        model=model,
        number=1,
        sha256=manifest_sha256(manifest),
        manifest=manifest,
        status=VersionState.LIVE,
        n_records=len(rows),
        commitment_key=key,
        registered_at=datetime.now(tz=UTC),
    )
    _write_lineage(model, version, rows)
    RegisteredModel.objects.filter(pk=model.pk).update(head=version, live=version)
    model.refresh_from_db()
    _record(version, sorted(rows), key, actor)
    return version


def _checked(lineage: Iterable[tuple[str, AbstractSet[str]]]) -> dict[str, AbstractSet[str]]:
    rows: dict[str, AbstractSet[str]] = {}
    for record_id, pseudonyms in lineage:
        if not record_id or len(record_id) > 200 or record_id in rows:
            raise LineageError("Record ids must be different, and of 1 to 200 characters.")
        rows[record_id] = pseudonyms
    if not rows:
        raise LineageError("A version needs at least one training record; found none.")
    return rows


def _write_lineage(model: RegisteredModel, version: ModelVersion, rows: dict[str, AbstractSet[str]]) -> None:
    LineageRecord.objects.bulk_create(
        (
            LineageRecord(model=model, record_id=record_id, subject_pseudonym=pseudonym, added_in=version)
            for record_id, pseudonyms in rows.items()
            for pseudonym in sorted(pseudonyms) or [""]
        ),
        batch_size=BATCH_ROWS,
    )


def _record(version: ModelVersion, record_ids: list[str], key: bytes, actor: Actor) -> None:
    committed = commitment.commit(key, "records", {"records": record_ids})
    facts: dict[str, FactValue] = {
        "model": str(version.model_id),
        "version_sha256": version.sha256,
        "records_commitment": committed,
        "n_records": version.n_records,
    }
    record_event("version.registered", actor=actor, facts=facts, subject_id=version.model_id)
