"""The restore drill: a backup from before an erasure comes back, and what must be erased again is found."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from compliance.ledger.actors import SYSTEM
from compliance.registry.actions.register_version import register_lineage
from compliance.registry.lineage import leave
from compliance.registry.models import LineageRecord, ModelVersion, RegisteredModel
from compliance.registry.pseudonyms import pseudonym_of
from compliance.suppression.actions.suppress import suppress
from compliance.suppression.models import SuppressionToken
from tests.compliance import cast

pytestmark = pytest.mark.django_db
ALICE, CHARLIE = (pseudonym_of("email", person) for person in (cast.ALICE, cast.CHARLIE))


def run() -> tuple[int, str]:
    said = StringIO()
    try:
        call_command("replay_erasures", stdout=said)
    except SystemExit as end:
        return int(str(end.code)), said.getvalue()
    return 0, said.getvalue()


def later_version(model: RegisteredModel) -> ModelVersion:
    """As a job makes it."""
    version = model.versions.get()
    version.pk, version.number, version.sha256 = None, 2, "cd" * 32
    version.save(force_insert=True)
    return version


def test_models_that_hold_nobody_who_was_erased_are_fine() -> None:
    cast.model_of("spam", cast.CHARLIE)
    suppress("email", cast.ALICE)
    assert run() == (0, "No model holds records of people who were erased.\n")


def test_the_drill(tmp_path: Path) -> None:
    """Alice is erased from one of two models; the backup from before comes back, the tokens from beside it."""
    spam, fraud = cast.model_of("spam", cast.ALICE), cast.model_of("fraud", cast.ALICE, cast.CHARLIE)
    cast.model_of("other", cast.CHARLIE)
    backup = list(LineageRecord.objects.values("pk", "removed_in"))
    for model in (spam, fraud):
        leave(later_version(model), ALICE)
    suppress("email", cast.ALICE)
    call_command("export_suppressions", str(tmp_path / "tokens"), stdout=StringIO())
    assert run()[0] == 0

    SuppressionToken.objects.all().delete()
    for row in backup:
        LineageRecord.objects.filter(pk=row["pk"]).update(removed_in=row["removed_in"])
    call_command("import_suppressions", str(tmp_path / "tokens"), stdout=StringIO())
    code, said = run()
    assert code == 1
    assert said.splitlines() == [
        f"model {model.pk} ({model.name}): 2 records of 1 people who were erased" for model in (fraud, spam)
    ]
    assert cast.MARK not in said


def test_a_record_of_two_people_leaves_for_both_and_counts_once() -> None:
    model = cast.model_of("spam")
    LineageRecord.objects.all().delete()
    version = later_version(model)
    for record, people in {"r1": (ALICE, CHARLIE), "r2": (CHARLIE,), "r3": ("",)}.items():
        for pseudonym in people:
            LineageRecord.objects.create(model=model, record_id=record, subject_pseudonym=pseudonym, added_in=version)
    for person in (cast.ALICE, cast.CHARLIE):
        suppress("email", person)
    assert "2 records of 2 people" in run()[1]
    assert leave(version, ALICE) == 1
    assert set(LineageRecord.objects.filter(removed_in=None).values_list("record_id", "subject_pseudonym")) == {
        ("r2", CHARLIE),
        ("r3", ""),
    }
    assert leave(version, ALICE) == 1, "one job may serve two people who share a record"
    # Shredding takes the pseudonyms of both; the rows then look alike.
    LineageRecord.objects.filter(record_id="r1").update(subject_pseudonym="")
    assert LineageRecord.objects.filter(record_id="r1").count() == 2


def test_lineage_of_a_record_has_a_row_for_each_person_and_one_for_nobody() -> None:
    source = cast.model_of("spam").data_source
    model = RegisteredModel.objects.create(
        name="letters", family=cast.FAMILY, data_source=source, registered_at=source.registered_at
    )
    lineage = [("r1", {ALICE, CHARLIE}), ("r2", set())]
    version = register_lineage(model, actor=SYSTEM, manifest=cast.manifest_of("letters", 1), lineage=lineage)
    assert version.n_records == 2
    assert set(model.lineage.values_list("record_id", "subject_pseudonym")) == {
        ("r1", ALICE),
        ("r1", CHARLIE),
        ("r2", ""),
    }
