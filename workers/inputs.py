"""Rows to the dataclasses of ml_core: the one place that reads models and people's records for a job.

A method gets forget and, when it asks for it, retain. Holdout goes to audits alone. Addresses stay here: ml_core tells
persons apart by numbers. Whatever is missing or changed since it was registered is an error, not a default.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from compliance.evidence.verdict import rules_of
from compliance.registry.models import DataSource, LineageRecord, ModelVersion
from compliance.requests import policy, transitions
from compliance.requests.models import Job, Target
from ml_core.contract import Examples, Family, Model, Need, UnlearnData
from ml_core.data import read_examples
from ml_core.errors import DataError, NotApplicableError
from ml_core.hyperparameters import from_mapping
from ml_core.plugins import Audit, Method
from workers import artifacts, catalogue, device


@dataclass(frozen=True, kw_only=True)
class ConfiguredAudit:
    """An audit of the policy with the configuration that was fixed before the run."""

    audit: Audit[Any]
    config: Any


@dataclass(frozen=True, kw_only=True)
class Share:
    """One target's part of a job: its records, and the audits that decide about it."""

    target: Target
    forget: Examples
    audits: tuple[ConfiguredAudit, ...]

    @property
    def needs_reference(self) -> bool:
        """Whether an audit compares with a model trained without the records."""
        return any(Need.REFERENCE_MODEL in configured.audit.needs for configured in self.audits)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything that a job works on. ``retain`` are the records the model keeps once all shares are forgotten."""

    family: Family
    method: Method[Any]
    config: Any
    shares: tuple[Share, ...]
    forget: Examples
    retain: Examples
    holdout: Examples

    def unlearn_data(self) -> UnlearnData:
        """What the method may see."""
        return UnlearnData(forget=self.forget, retain=self.retain if Need.RETAIN_DATA in self.method.needs else None)


def load(job: Job) -> Inputs:
    """Raises NotApplicableError, ConfigError, DataError."""
    plugins = catalogue.installed()
    method, family = plugins.methods.get(job.method), plugins.families.get(job.model.family)
    if method is None or family is None:
        raise NotApplicableError(f"this worker has no method {job.method!r} or no family {job.model.family!r}")
    splits = read_source(job.model.data_source)
    records_of = {target: _record_ids(job, target) for target in targets(job)}
    forgotten = {record_id for record_ids in records_of.values() for record_id in record_ids}
    present = _present(job)
    return Inputs(
        family=family,
        method=method,
        config=from_mapping(method.config, job.config),
        shares=tuple(_share(target, splits["train"].subset(ids)) for target, ids in records_of.items()),
        forget=splits["train"].subset(forgotten),
        retain=splits["train"].subset(present - forgotten),
        holdout=splits["holdout"],
    )


def targets(job: Job) -> QuerySet[Target]:
    """The targets of a job with all that is read of them."""
    return job.targets.select_related("model", "request__vault", "request__policy").order_by("request_id")


def load_model(family: Family, version: ModelVersion | None) -> Model:
    """The weights of a version on this worker's device. Raises ArtifactError."""
    if version is None:
        raise NotApplicableError("the job has no version of the model to load")
    return family.load(artifacts.open(version.sha256), device.chosen())


def read_source(source: DataSource) -> dict[str, Examples]:
    """Both splits of a data source, with numbers in place of persons. Raises DataError."""
    path = Path(source.location)
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"the data source {source.name} cannot be read ({error.strerror}); restore its file") from error
    if found != source.sha256:
        raise DataError(
            f"the data source {source.name} was changed: expected the digest {source.sha256[:16]}…, "
            f"found {found[:16]}…; restore the file it was registered with"
        )
    return _numbered(read_examples(path))


def _numbered(splits: dict[str, Examples]) -> dict[str, Examples]:
    names = dict.fromkeys(person for examples in splits.values() for person in examples.person_ids)
    numbers = {name: f"person-{number}" for number, name in enumerate(names)}
    return {
        split: Examples(
            features=examples.features,
            labels=examples.labels,
            record_ids=examples.record_ids,
            person_ids=tuple(numbers[name] for name in examples.person_ids),
        )
        for split, examples in splits.items()
    }


def _share(target: Target, forget: Examples) -> Share:
    document = policy.document(transitions.policy_of(target.request))
    return Share(target=target, forget=forget, audits=tuple(_configured(document)))


def _configured(document: dict[str, Any]) -> Iterable[ConfiguredAudit]:
    audits = catalogue.installed().audits
    for rule in rules_of(document):
        if rule.audit not in audits:
            raise NotApplicableError(f"the policy asks for the audit {rule.audit!r}, which this worker does not have")
        audit = audits[rule.audit]
        yield ConfiguredAudit(audit=audit, config=from_mapping(audit.config, rule.config))


def _held_before(job: Job) -> QuerySet[LineageRecord]:
    """Lineage of the version that the job started from: once its result is accepted, the rows name that as removal."""
    still_there = Q(removed_in=None)
    return LineageRecord.objects.filter(
        still_there if job.after_id is None else still_there | Q(removed_in=job.after_id), model=job.model_id
    )


def _record_ids(job: Job, target: Target) -> set[str]:
    rows = _held_before(job).filter(subject_pseudonym=target.request.vault.pseudonym)
    found = set(rows.values_list("record_id", flat=True))
    if len(found) != target.n_records:
        raise DataError(f"{target.n_records} records were approved for forgetting, the lineage names {len(found)}")
    return found


def _present(job: Job) -> set[str]:
    return set(_held_before(job).values_list("record_id", flat=True))
