"""Models, versions and lineage enter the register whole or not at all; weights in use are never given up."""

from pathlib import Path

import pytest
from django.db import transaction

from compliance.evidence import commitment
from compliance.evidence import leaf as leaves
from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import PendingEntry
from compliance.registry.actions.destroy_version import destroy_version
from compliance.registry.actions.publish_cards import publish_cards
from compliance.registry.actions.register_model import Source, register_model
from compliance.registry.actions.register_version import register_version
from compliance.registry.errors import LineageError, NameTakenError, RegistryError, VersionStateError
from compliance.registry.manifests import ManifestFile, manifest_bytes, manifest_sha256, parse_manifest
from compliance.registry.models import DataSource, LineageRecord, MethodCard, ModelVersion, RegisteredModel
from compliance.requests.states import RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db

SOURCE = Source(name="rows", location=Path("/data/rows.npz"), sha256="ab" * 32)
FILES = [ManifestFile(name=name, sha256=f"{number:064x}", n_bytes=number) for number, name in enumerate("cab")]


def registered(name: str = "spam", source: Source = SOURCE) -> RegisteredModel:
    return register_model(actor=SYSTEM, name=name, family="analytic_classifier", purpose="", source=source)


@pytest.mark.parametrize(
    ("name", "source", "error"),
    [
        pytest.param("two words", SOURCE, RegistryError, id="a name with a space"),
        pytest.param("x" * 81, SOURCE, RegistryError, id="a name that is too long"),
        pytest.param("taken", SOURCE, NameTakenError, id="a name that is taken"),
        pytest.param(
            "new", Source(name="rows", location=Path("/x"), sha256="cd" * 32), NameTakenError, id="other data"
        ),
    ],
)
def test_a_model_that_cannot_be_registered_leaves_nothing(name: str, source: Source, error: type[Exception]) -> None:
    registered("taken")
    with pytest.raises(error), transaction.atomic():
        registered(name, source)
    assert (RegisteredModel.objects.count(), DataSource.objects.count(), PendingEntry.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    ("records", "error"),
    [
        pytest.param([], LineageError, id="no record"),
        pytest.param([("r1", "a@example.org"), ("r1", "b@example.org")], LineageError, id="a record twice"),
        pytest.param([("", "a@example.org")], LineageError, id="a record without an id"),
        pytest.param([("r1", "a@example.org"), ("r2", "nobody")], ValueError, id="no address"),
    ],
)
def test_a_version_with_bad_lineage_leaves_nothing(records: list[tuple[str, str]], error: type[Exception]) -> None:
    model = registered()
    with pytest.raises(error) as refused, transaction.atomic():
        register_version(model, actor=SYSTEM, manifest=manifest_bytes(model.family, FILES), records=records)
    assert "nobody" not in str(refused.value)
    model.refresh_from_db()
    assert model.live is None
    assert not ModelVersion.objects.exists()
    assert not LineageRecord.objects.exists()


def test_a_manifest_of_another_family_and_a_second_first_version_are_refused() -> None:
    model, records = registered(), [("r1", "a@example.org")]
    with pytest.raises(VersionStateError, match="family"), transaction.atomic():
        register_version(model, actor=SYSTEM, manifest=manifest_bytes("recommender", FILES), records=records)
    register_version(model, actor=SYSTEM, manifest=manifest_bytes(model.family, FILES), records=records)
    with pytest.raises(VersionStateError, match="already"), transaction.atomic():
        register_version(model, actor=SYSTEM, manifest=manifest_bytes(model.family, FILES[:1]), records=records)


def test_the_ledger_commits_to_the_records_and_names_none() -> None:
    model = registered()
    manifest = manifest_bytes(model.family, FILES)
    version = register_version(model, actor=SYSTEM, manifest=manifest, records=[("r2", cast.ALICE), ("r1", cast.ALICE)])
    row = PendingEntry.objects.get(event_type="version.registered")
    event = leaves.parse(bytes(row.leaf))
    opened = commitment.commit(bytes(version.commitment_key), "records", {"records": ["r1", "r2"]})
    assert event.text("records_commitment") == opened
    assert event.text("version_sha256") == version.sha256 == manifest_sha256(manifest)
    assert cast.MARK.encode() not in bytes(row.leaf)
    assert not LineageRecord.objects.filter(subject_pseudonym__contains=cast.MARK).exists()


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="no members"),
        pytest.param(
            b'{"family":"x","files":[{"n_bytes":1,"name":"a","sha256":"zz"}],"format":"expunge-model/1"}', id="hash"
        ),
        pytest.param(manifest_bytes("x", FILES) + b" ", id="another spelling"),
        pytest.param(manifest_bytes("x", [FILES[0], FILES[0]]), id="a file twice"),
    ],
)
def test_a_malformed_manifest_is_refused(manifest: bytes) -> None:
    with pytest.raises(ValueError, match=r"manifest|JSON|SHA-256"):
        parse_manifest(manifest)


def test_the_order_of_files_does_not_change_the_digest() -> None:
    assert manifest_bytes("x", FILES) == manifest_bytes("x", FILES[::-1])
    assert parse_manifest(manifest_bytes("x", FILES)) == ("x", sorted(FILES, key=lambda file: file.name))


def test_weights_in_use_are_not_destroyed_and_superseded_ones_once() -> None:
    model = cast.model_of("spam", cast.ALICE)
    cast.brought_to(RequestState.COMPLETED)
    model.refresh_from_db()
    assert model.live is not None
    with pytest.raises(VersionStateError, match="out of use"), transaction.atomic():
        destroy_version(model.live.pk, actor=SYSTEM)
    old = model.versions.get(number=1)
    for _ in range(2):
        assert destroy_version(old.pk, actor=SYSTEM).destroyed_at is not None
    assert PendingEntry.objects.filter(event_type="version.destroyed").count() == 1


def test_cards_of_plug_ins_that_are_gone_go() -> None:
    card = {"kind": "method", "version": "1", "source_sha256": "ab" * 32}
    publish_cards([{**card, "name": "old"}, {**card, "name": "kept"}])
    publish_cards([{**card, "name": "kept", "version": "2"}, {**card, "kind": "audit", "name": "old"}])
    assert sorted(MethodCard.objects.values_list("kind", "name", "version")) == [
        ("audit", "old", "1"),
        ("method", "kept", "2"),
    ]
