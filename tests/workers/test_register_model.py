"""`manage.py register_model`: everything is refused that a later deletion would stumble over, and then nothing is kept."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from pytest_django import Settings

from compliance.ledger.models import PendingEntry
from compliance.registry.models import DataSource, LineageRecord, ModelVersion, RegisteredModel
from compliance.registry.pseudonyms import pseudonym_of
from compliance.sources import reading
from compliance.sources.declaration import SourceDeclaration
from compliance.suppression.actions.suppress import suppress
from ml_core.contract import Examples
from ml_core.data import write_examples
from tests.compliance import cast
from tests.workers import digits
from workers import artifacts, registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(digits_folder: Path, tmp_path: Path) -> Path:
    """A copy of the model's files that a test may spoil."""
    copy = tmp_path / "handed over"
    shutil.copytree(digits_folder, copy)
    return copy


def run(folder: Path, name: str = digits.MODEL, **options: str) -> str:
    output = StringIO()
    call_command(
        "register_model",
        name,
        weights=str(folder / "weights"),
        data=str(folder / "data.npz"),
        stdout=output,
        **options,
    )
    return output.getvalue()


def rewrite(folder: Path, change: Callable[[dict[str, Examples]], dict[str, Examples]]) -> None:
    write_examples(folder / "data.npz", change(digits.examples()))


def no_weights(folder: Path) -> None:
    shutil.rmtree(folder / "weights")


def pickle_among_weights(folder: Path) -> None:
    (folder / "weights" / "model.pkl").write_bytes(b"\x80\x04")


def unknown_family(folder: Path) -> None:
    path = folder / "weights" / "config.json"
    path.write_text(path.read_text().replace("analytic_classifier", "oracle"))


def damaged_weights(folder: Path) -> None:
    path = folder / "weights" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-8])


def no_data(folder: Path) -> None:
    (folder / "data.npz").unlink()


def data_that_is_no_archive(folder: Path) -> None:
    (folder / "data.npz").write_bytes(b"features,labels\n")


def pickled_data(folder: Path) -> None:
    np.savez(folder / "data.npz", features=np.array([{"a": 1}], dtype=object))


def names_instead_of_addresses(folder: Path) -> None:
    def change(splits: dict[str, Examples]) -> dict[str, Examples]:
        train = splits["train"]
        return {**splits, "train": replace(train, person_ids=tuple(p.partition("@")[0] for p in train.person_ids))}

    rewrite(folder, change)


def a_name_among_the_holdout(folder: Path) -> None:
    def change(splits: dict[str, Examples]) -> dict[str, Examples]:
        people = ("Somebody", *splits["holdout"].person_ids[1:])
        return {**splits, "holdout": replace(splits["holdout"], person_ids=people)}

    rewrite(folder, change)


def only_holdout(folder: Path) -> None:
    rewrite(folder, lambda splits: {"holdout": splits["holdout"]})


def a_record_too_few(folder: Path) -> None:
    rewrite(folder, lambda splits: {**splits, "train": splits["train"].subset(splits["train"].record_ids[1:])})


def another_label(folder: Path) -> None:
    def change(splits: dict[str, Examples]) -> dict[str, Examples]:
        labels = splits["train"].labels.clone()
        labels[0] = (labels[0] + 1) % 10
        return {**splits, "train": replace(splits["train"], labels=labels)}

    rewrite(folder, change)


def another_record_id(folder: Path) -> None:
    def change(splits: dict[str, Examples]) -> dict[str, Examples]:
        ids = ("unknown", *splits["train"].record_ids[1:])
        return {**splits, "train": replace(splits["train"], record_ids=ids)}

    rewrite(folder, change)


def wider_features(folder: Path) -> None:
    def change(splits: dict[str, Examples]) -> dict[str, Examples]:
        return {
            name: replace(examples, features=torch.cat([examples.features, examples.features], dim=1))
            for name, examples in splits.items()
        }

    rewrite(folder, change)


REFUSALS = [
    (no_weights, "no such folder of weights"),
    (pickle_among_weights, "could run code"),
    (unknown_family, "no model family 'oracle'; expected one of analytic_classifier"),
    (damaged_weights, "not a readable safetensors file"),
    (no_data, "data file cannot be read"),
    (data_that_is_no_archive, "expected an npz file"),
    (pickled_data, "expected an npz file of plain arrays"),
    (names_instead_of_addresses, "10 of 16 person_ids are not e-mail addresses"),
    (a_name_among_the_holdout, "1 of 17 person_ids are not e-mail addresses"),
    (only_holdout, "no training records"),
    (a_record_too_few, "the model holds 120 records, the data file has 119 training records"),
    (another_label, "1 of 120 records have features or a label that differ"),
    (another_record_id, "1 of 120 records were never trained on"),
    (wider_features, "this model takes features"),
]


@pytest.mark.parametrize(("spoil", "says"), [pytest.param(*row, id=row[0].__name__) for row in REFUSALS])
def test_it_refuses_and_stores_nothing(folder: Path, spoil: Callable[[Path], None], says: str) -> None:
    spoil(folder)
    with pytest.raises(CommandError, match=says) as refused:
        run(folder)
    assert cast.MARK not in str(refused.value)
    assert_nothing_stored()


@pytest.mark.parametrize("name", ["two words", "../etc", "x" * 81, ""])
def test_it_refuses_a_name_that_is_no_slug(folder: Path, name: str) -> None:
    with pytest.raises(CommandError, match="Names "):
        run(folder, name)
    assert_nothing_stored()


def assert_nothing_stored() -> None:
    assert artifacts.stored() == {}
    assert not any(table.objects.exists() for table in (RegisteredModel, ModelVersion, DataSource, LineageRecord))
    assert not PendingEntry.objects.exists()


def test_it_refuses_a_name_that_is_taken_and_keeps_the_weights_of_the_first(folder: Path) -> None:
    run(folder)
    with pytest.raises(CommandError, match="registered already"):
        run(folder, source="another")
    assert set(artifacts.stored()) == {ModelVersion.objects.get().sha256}
    assert (RegisteredModel.objects.count(), DataSource.objects.count()) == (1, 1)


def test_it_takes_the_weights_back_when_the_rows_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(registration, "register_lineage", fail)
    with pytest.raises(OSError, match="the database is away"):
        run(folder)
    assert_nothing_stored()


def test_it_stores_model_weights_source_and_lineage(folder: Path) -> None:
    said = run(folder, purpose="reading digits")
    model = RegisteredModel.objects.get()
    version = ModelVersion.objects.get()
    assert (model.name, model.family, model.purpose) == (digits.MODEL, "analytic_classifier", "reading digits")
    assert (model.head, model.live, version.n_records) == (version, version, 120)
    assert str(model.pk) in said
    assert version.sha256 in said
    assert set(artifacts.stored()) == {version.sha256}
    source = DataSource.objects.get()
    assert (source.name, source.location) == ("digits-data", str((folder / "data.npz").resolve()))
    of_alice = LineageRecord.objects.filter(subject_pseudonym=pseudonym_of("email", cast.ALICE))
    assert set(of_alice.values_list("record_id", flat=True)) == {f"digit-{number}" for number in range(digits.N_EACH)}
    assert sorted(PendingEntry.objects.values_list("event_type", flat=True)) == [
        "model.registered",
        "version.registered",
    ]


def test_two_models_may_share_weights_and_source(folder: Path) -> None:
    run(folder)
    run(folder, "twin", source="digits-data")
    assert (RegisteredModel.objects.count(), DataSource.objects.count(), len(artifacts.stored())) == (2, 1, 1)


def declared(folder: Path, rows: str, sources: Path, **change: Any) -> str:
    """The path of a declaration of a CSV file that says whose the records are."""
    sources.mkdir(exist_ok=True)
    (sources / "persons.csv").write_text(f"id,from,to\n{rows}")
    members = {"kind": "csv", "location": "persons.csv", "record_columns": ["id"]}
    path = folder / "persons.json"
    path.write_text(json.dumps({**members, "subjects": {"from": "email", "to": "email"}, **change}))
    return str(path)


def all_rows() -> str:
    return "".join(f"digit-{number},{cast.ALICE},{cast.CHARLIE}\n" for number in range(16 * digits.N_EACH))


def user_numbers(splits: dict[str, Examples]) -> dict[str, Examples]:
    """Persons by numbers of no meaning, as a training set without addresses has them."""
    return {
        name: replace(examples, person_ids=tuple(f"{hash(person)}" for person in examples.person_ids))
        for name, examples in splits.items()
    }


@pytest.mark.parametrize("person", [digits.TRAINED[3], digits.HELD_OUT[2]], ids=["trained", "held out"])
def test_it_refuses_records_of_people_who_were_erased(folder: Path, person: str) -> None:
    suppress("email", person)
    with pytest.raises(CommandError, match="12 of 192 records are about 1 people who were erased") as refused:
        run(folder)
    assert person not in str(refused.value)
    assert_nothing_stored()


DECLARED_REFUSALS: dict[str, tuple[str, dict[str, Any], str]] = {
    "records that are not there": (f"digit-0,{cast.ALICE},\n", {}, "191 of 192 records of the data file are not in"),
    "no address": (f"digit-0,{cast.MARK},\n", {}, "Row 1: column 'from' holds something"),
    "a file outside the folder": ("", {"location": "/etc/hosts"}, "inside"),
    "no column": ("", {"subjects": {"address": "email"}}, "no column 'address'"),
    "another member": ("", {"password": "x"}, "and no others"),
    "no record id": ("", {"record_columns": []}, "record_columns is empty"),
}


@pytest.mark.parametrize(("rows", "change", "says"), DECLARED_REFUSALS.values(), ids=DECLARED_REFUSALS)
def test_it_refuses_a_declared_source_that_does_not_say_whose_each_record_is(
    folder: Path, tmp_path: Path, settings: Settings, rows: str, change: dict[str, Any], says: str
) -> None:
    settings.SOURCES_DIR = tmp_path / "sources"
    with pytest.raises(CommandError, match=says) as refused:
        run(folder, persons=declared(folder, rows, settings.SOURCES_DIR, **change))
    assert cast.MARK not in str(refused.value)
    assert_nothing_stored()


def test_it_refuses_a_declaration_that_is_no_json(folder: Path) -> None:
    (folder / "persons.json").write_text("persons")
    for name in ("persons.json", "missing.json"):
        with pytest.raises(CommandError, match="expected a declaration in JSON"):
            run(folder, persons=str(folder / name))


def test_a_declared_source_says_whose_the_records_are(folder: Path, tmp_path: Path, settings: Settings) -> None:
    """Two persons for each record; the npz file names none."""
    settings.SOURCES_DIR = tmp_path / "sources"
    rewrite(folder, user_numbers)
    declaration = declared(folder, all_rows() + f"elsewhere,{cast.ALICE},\n", settings.SOURCES_DIR)
    run(folder, persons=declaration)
    version, source = ModelVersion.objects.get(), DataSource.objects.get()
    assert version.n_records == 120
    for person in (cast.ALICE, cast.CHARLIE):
        rows = LineageRecord.objects.filter(subject_pseudonym=pseudonym_of("email", person))
        assert set(rows.values_list("record_id", flat=True)) == {f"digit-{number}" for number in range(120)}
        found = reading.records_of(SourceDeclaration.from_dict(source.declaration), "email", person)
        assert len(found) == 192 + (person == cast.ALICE)
    other = declared(folder, all_rows(), settings.SOURCES_DIR, subjects={"from": "email"})
    with pytest.raises(CommandError, match="with other contents"):
        run(folder, "twin", source="digits-data", persons=other)


def test_it_refuses_people_who_were_erased_in_a_declared_source(
    folder: Path, tmp_path: Path, settings: Settings
) -> None:
    settings.SOURCES_DIR = tmp_path / "sources"
    suppress("email", cast.CHARLIE)
    with pytest.raises(CommandError, match="192 of 192 records are about 1 people"):
        run(folder, persons=declared(folder, all_rows(), settings.SOURCES_DIR))
    assert_nothing_stored()
