"""Rows to the data of a job: who is in which set, and what is an error instead of a guess."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.db.models import Q

from compliance.registry.models import LineageRecord, ModelVersion
from compliance.requests.models import Job
from ml_core.contract import Need
from ml_core.errors import DataError, NotApplicableError
from ml_core.plugins import Method
from tests.compliance import cast
from tests.workers import digits
from workers import catalogue, director, inputs


def started(email: str = cast.ALICE) -> Job:
    return Job.objects.select_related("model__data_source").get(pk=digits.planned(email).pk)


def record_ids_of(*people: str) -> set[str]:
    splits = digits.examples()
    return {record for split in splits.values() for record in split.of_persons(people).record_ids}


def test_it_refuses_a_method_that_this_worker_does_not_have(live: ModelVersion) -> None:
    job = started()
    job.method = "telepathy"
    with pytest.raises(NotApplicableError, match="telepathy"):
        inputs.load(job)


def test_it_refuses_an_audit_that_this_worker_does_not_have(
    live: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = started()
    plugins = catalogue.installed()
    fewer = replace(plugins, audits={"mia_loss": plugins.audits["mia_loss"]})
    monkeypatch.setattr(catalogue, "installed", lambda: fewer)
    with pytest.raises(NotApplicableError, match="retrain_equality"):
        inputs.load(job)


def test_it_refuses_a_lineage_with_other_records_than_were_approved(live: ModelVersion) -> None:
    job = started()
    LineageRecord.objects.filter(record_id=min(record_ids_of(cast.ALICE))).delete()
    with pytest.raises(DataError, match="12 records were approved for forgetting, the lineage names 11"):
        inputs.load(job)


def test_it_refuses_a_lineage_that_names_records_the_file_does_not_have(live: ModelVersion) -> None:
    job = started()
    LineageRecord.objects.filter(record_id=min(record_ids_of(cast.CHARLIE))).update(record_id="unknown")
    with pytest.raises(DataError, match="1 of 108 record ids are not among these examples"):
        inputs.load(job)


def test_forget_retain_and_holdout_are_the_three_groups_of_people(live: ModelVersion) -> None:
    work = inputs.load(started())
    assert set(work.forget.record_ids) == record_ids_of(cast.ALICE)
    assert set(work.retain.record_ids) == record_ids_of(*digits.TRAINED) - record_ids_of(cast.ALICE)
    assert set(work.holdout.record_ids) == record_ids_of(*digits.HELD_OUT)


def test_who_was_forgotten_before_is_in_none_of_them(live: ModelVersion) -> None:
    first, second = digits.planned(cast.ALICE), started(cast.CHARLIE)
    director.run_job(first.pk)
    second.refresh_from_db()
    work = inputs.load(second)
    everything = {record for part in (work.forget, work.retain, work.holdout) for record in part.record_ids}
    assert everything.isdisjoint(record_ids_of(cast.ALICE))
    assert set(work.forget.record_ids) == record_ids_of(cast.CHARLIE)


def test_a_job_sees_the_same_sets_before_and_after_its_result_was_accepted(live: ModelVersion) -> None:
    job = started()
    earlier = inputs.load(job)
    director.run_job(job.pk)
    job.refresh_from_db()
    later = inputs.load(job)
    assert not LineageRecord.objects.filter(Q(removed_in=None), record_id__in=earlier.forget.record_ids).exists()
    assert (later.forget.record_ids, later.retain.record_ids) == (earlier.forget.record_ids, earlier.retain.record_ids)


def test_a_method_gets_retain_only_when_it_asks_and_holdout_never(
    live: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = inputs.load(started())
    assert work.unlearn_data().retain is None
    asking: Method[object] = replace(work.method, needs=(Need.RETAIN_DATA,))
    data = replace(work, method=asking).unlearn_data()
    assert data.retain is work.retain
    assert set(vars(data)) == {"forget", "retain"}


def test_addresses_do_not_reach_ml_core_and_people_stay_apart(live: ModelVersion) -> None:
    work = inputs.load(started())
    persons = {person for part in (work.forget, work.retain, work.holdout) for person in part.person_ids}
    assert not any("@" in person for person in persons)
    assert len(persons) == len(digits.TRAINED) + len(digits.HELD_OUT)
    assert len(set(work.forget.person_ids)) == 1


def test_audits_get_the_thresholds_of_the_policy(live: ModelVersion) -> None:
    (share,) = inputs.load(started()).shares
    thresholds = {configured.audit.name: configured.config.threshold for configured in share.audits}
    assert thresholds == {"retrain_equality": 0, "mia_loss": 0.1}
    assert share.needs_reference


def test_it_refuses_a_source_whose_file_changed_by_one_byte(live: ModelVersion, tmp_path: Path) -> None:
    source = live.model.data_source
    content = bytearray(Path(source.location).read_bytes())
    content[-1] ^= 1
    (tmp_path / "data.npz").write_bytes(content)
    source.location = str(tmp_path / "data.npz")
    with pytest.raises(DataError, match="restore the file it was registered with"):
        inputs.read_source(source)
