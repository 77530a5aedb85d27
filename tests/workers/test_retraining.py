"""A policy that has models retrained: the same way to signed evidence, and to the same weights, as the closed form."""

import json
from pathlib import Path

from pytest_django import Settings

from compliance.evidence.verdict import Result
from compliance.ledger import keys
from compliance.registry.models import LineageRecord
from compliance.requests.models import Evidence
from compliance.requests.states import JobState, RequestState
from ml_core.contract import UnlearnData
from ml_core.digests import model_sha256s
from ml_core.families.analytic_classifier import family
from ml_core.methods import acu
from tests.compliance import cast
from tests.ml_core.datasets import new_run
from tests.workers import digits
from tests.workers.traces import facts_of, request_of
from workers import director, inputs


def test_the_evidence_says_so_and_the_weights_are_those_of_the_closed_form(
    ledger_db: None, digits_folder: Path, tmp_path: Path, settings: Settings
) -> None:
    rules = json.loads(settings.POLICY_PATH.read_text())
    rules["methods"]["analytic_classifier"] = {"method": "retrain", "config": {}}
    settings.POLICY_PATH = tmp_path / "policy.json"
    settings.POLICY_PATH.write_text(json.dumps(rules))
    keys.create_missing()
    digits.registered(digits_folder)
    job = digits.planned()
    director.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.failure) == (JobState.SUCCEEDED, "")
    assert request_of(job).state == RequestState.SIGNOFF
    facts = facts_of(Evidence.objects.get())
    assert (facts.method.name, facts.method.assurance) == ("retrain", "exact")
    assert facts.result in (Result.PASSED, Result.WARNED)
    assert facts.claim.startswith("The method guarantees that the learned state is the one")
    before, after = (inputs.load_model(family, version) for version in (job.before, job.after))
    work = inputs.load(job)
    acu.method.apply(before, UnlearnData(forget=work.forget), acu.Config(), new_run())
    assert model_sha256s(before) == model_sha256s(after)
    cast.second_signature(request_of(job).pk)
    assert LineageRecord.objects.exclude(removed_in=None).count() == digits.N_EACH
