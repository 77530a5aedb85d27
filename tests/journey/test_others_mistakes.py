"""Ten mistakes that hurt the users of other services, each with a test that shows why it cannot happen here."""

import io
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from compliance.evidence.verify_export import verify_export
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM, Role, subject_of
from compliance.ledger.models import LedgerEntry, PendingEntry
from compliance.registry.models import ModelVersion, RegisteredModel, VersionState
from compliance.reports import ledger_export
from compliance.requests import queries
from compliance.requests.actions import refuse
from compliance.requests.actions.confirm_identity import confirm_identity
from compliance.requests.actions.extend import extend
from compliance.requests.actions.shred import shred
from compliance.requests.actions.start_job import start_job
from compliance.requests.errors import IdentityError, InvalidInputError
from compliance.requests.models import (
    DeletionRequest,
    ExtensionReason,
    IdentityChallenge,
    Job,
    Letter,
    LinkReason,
    RequestLink,
    SubjectVault,
)
from compliance.requests.states import RequestState
from compliance.suppression.errors import ErasedPeopleError
from tests.compliance import cast
from tests.compliance.api.caller import body_of, subject
from tests.compliance.api.caller import staff as calling
from tests.workers import digits
from workers import artifacts, director, sweep, tasks
from workers.app import app
from workers.registration import register

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def broker(broker_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """A real broker that this process sends to."""
    settings.DISPATCHER = "workers.dispatch.CeleryDispatcher"
    settings.SWEEP_GRACE = timedelta(0)
    monkeypatch.setattr(app.conf, "broker_url", broker_url)
    client = redis.Redis.from_url(broker_url.replace("redis+socket://", "unix://"))
    client.flushall()
    yield client
    client.close()


# 1. Approving after the cache had expired failed, for the request lived in the cache.
def test_a_request_is_approved_and_done_after_cache_and_broker_were_emptied(
    live: ModelVersion, broker: redis.Redis
) -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    cache.clear()
    broker.flushall()
    cast.decide(request_id)
    broker.flushall()
    sweep.sweep()
    assert broker.llen("cpu") > 0, "the sweep finds in the rows what was lost with the messages"
    tasks.plan(str(request_id))
    cast.run_ledger()
    broker.flushall()
    sweep.sweep()
    tasks.run_job(str(Job.objects.get().pk))
    assert DeletionRequest.objects.get().state == RequestState.SIGNOFF


# 2. A killed worker left a request "in processing" for ever, with nothing in its story.
@pytest.mark.django_db
def test_a_worker_that_is_lost_again_and_again_leaves_a_line_that_staff_understand() -> None:
    cast.model_of("mail", cast.ALICE)
    request_id = cast.brought_to(RequestState.EXECUTING).request.pk
    (job,) = cast.queued_jobs(request_id)
    for _ in range(django_settings.JOB_MAX_ATTEMPTS + 1):
        # A worker takes it, and is never heard of again.
        start_job(job.pk, actor=actors.worker(uuid.uuid4()))
        Job.objects.update(lease_expires_at=LONG_AGO)
    assert DeletionRequest.objects.get().state == RequestState.ATTENTION
    (line,) = [entry for entry in queries.timeline(request_id) if entry.event_type == "job.failed"]
    assert line.facts["reason"] == "worker_lost_repeatedly"
    browser = calling(cast.bob()).http
    browser.force_login(cast.bob())
    page = browser.get(f"/requests/{request_id}/").content.decode()
    assert "Needs attention" in page and "Job failed" in page and "Its card below says why" in page


# 3. A period could not be extended.
@pytest.mark.django_db
def test_a_period_is_extended_once_the_person_was_told_why() -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    before = request.due_date
    extend(request.pk, actor=actors.staff(cast.dana(), Role.DPO), reason=ExtensionReason.COMPLEXITY.value)
    tasks.send_letter(Letter.objects.get(kind=Letter.Kind.EXTENSION).pk)
    request.refresh_from_db()
    assert request.due_date - before >= timedelta(days=55)


# 4. A refusal needed a reason in the pages alone.
@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["", "because", "art17_1_a"])
def test_a_refusal_without_a_reason_of_the_law_is_refused_below_every_page(reason: str) -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    with pytest.raises(InvalidInputError):
        refuse.refuse(request_id, actor=actors.staff(cast.dana(), Role.DPO), reason=reason)
    assert DeletionRequest.objects.get().state == RequestState.UNDER_REVIEW


# 5. A stranger's request under somebody's address kept that person from proving their own.
@pytest.mark.django_db
def test_a_duplicate_is_linked_and_keeps_nobody_from_anything() -> None:
    cast.model_of("mail", cast.ALICE)
    cast.ask()
    cast.mail_code(DeletionRequest.objects.get().pk)
    hers = cast.brought_to(RequestState.EXECUTING).request
    assert not RequestLink.objects.exists(), "what nobody proved says nothing of her"
    again = cast.brought_to(RequestState.UNDER_REVIEW).request
    link = RequestLink.objects.get(request=again)
    assert (link.linked, link.reason) == (hers, LinkReason.DUPLICATE)
    cast.decide(again.pk)
    assert DeletionRequest.objects.get(pk=again.pk).state == RequestState.APPROVED


# 6. One-time codes held for as long as the cache kept them.
@pytest.mark.django_db
def test_a_code_that_has_expired_is_refused_although_it_is_stored_and_right() -> None:
    request_id = cast.ask().request.pk
    code = cast.mail_code(request_id)
    IdentityChallenge.objects.update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    with pytest.raises(IdentityError):
        confirm_identity(request_id, actor=subject_of(request_id), code=code)
    assert IdentityChallenge.objects.exists()
    assert DeletionRequest.objects.get().state == RequestState.IDENTITY_PENDING


# 7. A list of requests loaded megabytes of results.
@pytest.mark.django_db
def test_lists_load_neither_envelopes_nor_results_and_ask_as_often_for_many_as_for_few() -> None:
    cast.model_of("mail", cast.ALICE)
    cast.brought_to(RequestState.COMPLETED)
    bob = calling(cast.bob())
    bob.http.force_login(cast.bob())
    for ask in (lambda: bob.get("staff-requests"), lambda: bob.http.get("/requests/")):
        ask()
        few = _asked(ask)
        assert not [sql for sql in few if any(word in sql for word in ("envelope", "result", "manifest", "sealed_"))]
        for _ in range(5):
            cast.brought_to(RequestState.SIGNOFF)
        assert len(_asked(ask)) == len(few)


def _asked(ask: object) -> list[str]:
    with CaptureQueriesContext(connection) as seen:
        assert callable(ask)
        assert ask().status_code == 200
    return [query["sql"] for query in seen.captured_queries]


# 8. No record of erasures: a restore brought people back. (The whole drill: test_restore_drill.py.)
def test_destruction_is_recorded_before_it_is_done_and_old_data_brings_nobody_back(
    live: ModelVersion, digits_folder: Path
) -> None:
    director.run_job(digits.planned().pk)
    cast.second_signature(DeletionRequest.objects.get().pk)
    ModelVersion.objects.filter(pk=live.pk).update(destroy_after=LONG_AGO)
    seen: list[tuple[bool, int]] = []

    def killed(digest: str) -> bool:
        recorded = PendingEntry.objects.filter(event_type="version.destroyed")
        seen.append((digest in artifacts.stored(), recorded.count()))
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(artifacts, "destroy", killed)
        sweep.sweep()
    assert seen == [(True, 1)], "the entry is there while the files are"
    sweep.sweep()
    assert live.sha256 not in artifacts.stored()
    with pytest.raises(ErasedPeopleError):
        register(digits.registration(digits_folder))


# 9. Second copies that nobody listed, a request that outlived the erasure, a refusal that the person could not see.
@pytest.mark.django_db
def test_every_model_of_the_register_is_searched_and_every_old_version_gets_its_date() -> None:
    for name in ("mail", "search", "ranking"):
        cast.model_of(name, cast.ALICE)
    request = cast.brought_to(RequestState.COMPLETED).request
    assert request.targets.count() == RegisteredModel.objects.count() == 3
    old = ModelVersion.objects.filter(number=1)
    assert set(old.values_list("status", flat=True)) == {VersionState.SUPERSEDED}
    assert not old.filter(destroy_after=None).exists()
    Letter.objects.update(sent_at=LONG_AGO)
    shred(request.pk, actor=SYSTEM)
    assert cast.ALICE not in str(SubjectVault.objects.values_list())
    assert SubjectVault.objects.get().pseudonym == ""


@pytest.mark.django_db
def test_a_person_sees_that_and_why_a_request_was_refused() -> None:
    submitted = cast.brought_to(RequestState.REFUSED)
    seen = body_of(subject(submitted.token).get("request", submitted.request.pk))
    assert (seen["state"], seen["refusal"]["reason"]) == ("refused", "art17_3_e")


# 10. A signed log that held the person could not forget her: erasing broke the signatures.
def test_shredding_leaves_every_entry_and_every_signature_as_it_was(ledger_db: None, tmp_path: Path) -> None:
    cast.model_of("mail", cast.ALICE)
    request_id = cast.brought_to(RequestState.COMPLETED).request.pk
    for letter in Letter.objects.all():
        tasks.send_letter(letter.pk)
    cast.run_ledger()
    before = list(LedgerEntry.objects.values_list("position", "leaf_sha256"))
    shred(request_id, actor=SYSTEM)
    cast.run_ledger()
    assert list(LedgerEntry.objects.values_list("position", "leaf_sha256"))[: len(before)] == before
    verify_export(ledger_export.export(tmp_path / "export", [request_id]), n_processes=1)
    out = io.StringIO()
    call_command("shred", str(request_id), verify=True, stdout=out)
    assert "shredded" in out.getvalue()
