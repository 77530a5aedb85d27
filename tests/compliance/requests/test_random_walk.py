"""Several requests on two models and on some that come late, moved, failed, killed and repeated in random order, and then brought to their end.

After every step the invariants hold; at the end nothing is stuck, and every bundle verifies. Each seed is one walk.
"""

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256

import pytest

from compliance.evidence.verdict import Verdict
from compliance.evidence.verify import verify_bundle
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM, Role, subject_of
from compliance.registry.actions.destroy_version import destroy_version
from compliance.registry.errors import RegistryError
from compliance.registry.manifests import ManifestFile, manifest_bytes
from compliance.registry.models import LineageRecord, ModelVersion, RegisteredModel, VersionState
from compliance.registry.pseudonyms import pseudonym_of
from compliance.reports.request_bundle import export
from compliance.requests.actions.approve import approve
from compliance.requests.actions.fail_job import fail_job
from compliance.requests.actions.plan import plan
from compliance.requests.actions.record_findings import record_findings
from compliance.requests.actions.record_job import record_job
from compliance.requests.actions.retry import retry
from compliance.requests.actions.sign_off import sign_off
from compliance.requests.actions.start_job import start_job
from compliance.requests.actions.withdraw import withdraw
from compliance.requests.errors import RequestError
from compliance.requests.models import DeletionRequest, Evidence, Job
from compliance.requests.states import FULFILLED, TERMINAL, JobState, RequestState, TargetState
from tests.compliance import cast
from tests.compliance.requests.test_interleavings import ONE, TWO, sign

pytestmark = pytest.mark.django_db

N_STEPS = 70
N_MODELS = 4
OUT_OF_USE = (VersionState.SUPERSEDED, VersionState.REJECTED)


class Walk:
    """One world: two models and at most two later ones, three requests of two people among three, two workers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  a walk that can be repeated
        self.people = [f"walker{number}@example.org" for number in range(3)]
        #: Name of a model → who was in its first version.
        self.saw = {"first": set(self.people), "second": set(self.people[:2])}
        for name, people in self.saw.items():
            cast.model_of(name, *sorted(people))
        cast.workers_start()
        cast.run_ledger()
        #: Digest of a version → who is no longer in it: the truth that lineage has to agree with.
        self.forgotten = {version.sha256: frozenset[str]() for version in ModelVersion.objects.all()}
        self.person = {cast.ask(person).request.pk: person for person in (*self.people[:2], self.people[0])}
        self.dpo = actors.staff(cast.dana(), Role.DPO)
        self.operator = actors.staff(cast.bob(), Role.OPERATOR)

    def step(self) -> None:
        """Something happens, or is refused."""
        verbs: list[Callable[[], object]] = [
            *(self.prove, self.decide, self.plan, self.plan, self.retry, self.sign_off, self.withdraw, self.destroy),
            *(self.start, self.start, self.record, self.record, self.judge, self.judge, self.sign, self.sign),
            *(self.fail, self.end_lease, cast.run_ledger),
            *(self.ask, self.answer, self.hold, self.release, self.leave_out, self.take_in, self.more_time),
            self.register,
        ]
        try:
            self.random.choice(verbs)()
        except (RequestError, RegistryError):
            return

    def request(self) -> DeletionRequest:
        return DeletionRequest.objects.get(pk=self.random.choice(list(self.person)))

    def running(self) -> tuple[Job, actors.Actor] | None:
        jobs = list(Job.objects.filter(state=JobState.RUNNING).order_by("pk"))
        if not jobs:
            return None
        job = self.random.choice(jobs)
        return job, ONE if job.lease_owner == ONE.id else TWO

    def prove(self) -> None:
        cast.prove(self.request().pk)

    def decide(self) -> None:
        approve(self.request().pk, actor=self.dpo, ground="art17_1_b")

    def plan(self) -> None:
        plan(self.request().pk, actor=SYSTEM)
        cast.run_ledger()

    def retry(self) -> None:
        retry(self.request().pk, actor=self.operator)

    def sign_off(self) -> None:
        self.assert_served_to_nobody(sign_off(self.request().pk, actor=self.operator))

    def withdraw(self) -> None:
        if self.random.random() < 0.1:
            request = self.request()
            withdraw(request.pk, actor=subject_of(request.pk))

    def ask(self) -> None:
        cast.ask_back(self.request().pk)

    def answer(self) -> None:
        cast.answer_back(self.request().pk)

    def hold(self) -> None:
        cast.hold(self.request().pk, self.model())

    def release(self) -> None:
        cast.let_go(self.request().pk, self.model())

    def leave_out(self) -> None:
        cast.leave_out(self.request().pk, self.model())

    def take_in(self) -> None:
        cast.take_in(self.request().pk, self.model())

    def more_time(self) -> None:
        cast.take_more_time(self.request().pk)

    def register(self) -> None:
        """A model that somebody trained meanwhile."""
        name = f"late{len(self.saw)}"
        if len(self.saw) < N_MODELS and self.random.random() < 0.5:
            self.saw[name] = set(self.random.sample(self.people, self.random.randint(1, 2)))
            version = cast.model_of(name, *sorted(self.saw[name])).versions.get()
            self.forgotten[version.sha256] = frozenset()

    def model(self) -> uuid.UUID:
        return self.random.choice(list(RegisteredModel.objects.order_by("name").values_list("pk", flat=True)))

    def destroy(self) -> None:
        for version in ModelVersion.objects.filter(status__in=OUT_OF_USE):
            destroy_version(version.pk, actor=SYSTEM)

    def start(self) -> None:
        jobs = list(Job.objects.filter(state__in=(JobState.QUEUED, JobState.RUNNING)).order_by("pk"))
        if jobs:
            start_job(self.random.choice(jobs).pk, actor=self.random.choice([ONE, TWO]))

    def record(self) -> None:
        if (found := self.running()) is not None:
            job, actor = found
            record_job(job.pk, actor=actor, manifest=self.manifest(job), assurance="exact", outcome={})

    def judge(self) -> None:
        if (found := self.running()) is not None:
            job, actor = found
            said = self.random.choice([*[Verdict.PASS] * 3, Verdict.FAIL, Verdict.INCONCLUSIVE])
            for target in job.targets.all():
                record_findings(job.pk, actor=actor, target_id=target.pk, findings=cast.findings_of(said))

    def sign(self) -> None:
        if (found := self.running()) is not None and found[0].findings.exists():
            sign(*found)

    def fail(self) -> None:
        if (found := self.running()) is not None and not found[0].findings.exists():
            fail_job(found[0].pk, actor=found[1], reason="out_of_memory")

    def end_lease(self) -> None:
        if (found := self.running()) is not None:
            self.expire(found[0])

    def expire(self, job: Job) -> None:
        past = datetime.now(tz=UTC) - timedelta(seconds=1)
        Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(lease_expires_at=past)

    def manifest(self, job: Job) -> bytes:
        """What a deterministic method makes of this version and these people."""
        assert job.before is not None
        gone = {self.person[target.request_id] for target in job.targets.all()}
        content = f"{job.before.sha256} {sorted(gone)}".encode()
        file = ManifestFile(name="weights", sha256=sha256(content).hexdigest(), n_bytes=len(content))
        manifest = manifest_bytes(cast.FAMILY, [file])
        self.forgotten[sha256(manifest).hexdigest()] = self.forgotten[job.before.sha256] | gone
        return manifest

    def assert_sound(self) -> None:
        """What must hold after every step."""
        for model in RegisteredModel.objects.select_related("live", "head"):
            assert model.live is not None
            assert model.head is not None
            assert model.live.status == VersionState.LIVE
            assert model.head.status in (VersionState.LIVE, VersionState.CANDIDATE)
            assert model.versions.filter(status=VersionState.LIVE).count() == 1
            present = {person for person in self.people if self.is_in_lineage(model, person)}
            assert not present & self.forgotten[model.head.sha256]
        for request in DeletionRequest.objects.filter(state__in=FULFILLED):
            self.assert_completed(request)
        ready = DeletionRequest.objects.filter(state=RequestState.SIGNOFF)
        finished = (TargetState.PASSED, TargetState.NOT_PRESENT, TargetState.EXCEPTED)
        assert not ready.exclude(targets__state__in=finished).exists()

    def is_in_lineage(self, model: RegisteredModel, person: str) -> bool:
        rows = LineageRecord.objects.filter(model=model, removed_in=None)
        return any(row.subject_pseudonym == pseudonym_of("email", person) for row in rows)

    def assert_completed(self, request: DeletionRequest) -> None:
        person = self.person[request.pk]
        targets = list(request.targets.select_related("model__live", "job"))
        excepted = [target for target in targets if target.state == TargetState.EXCEPTED]
        assert bool(excepted) == (request.state == RequestState.PARTLY_COMPLETED)
        for target in targets:
            if target in excepted:
                assert target.exception
                continue
            assert target.state in (TargetState.DEPLOYED, TargetState.NOT_PRESENT)
            assert target.model.live is not None
            was_there = person in self.saw[target.model.name]
            assert not was_there or person in self.forgotten[target.model.live.sha256]
            if target.state == TargetState.DEPLOYED:
                assert Evidence.objects.get(target=target, job=target.job).result != "FAILED"

    def assert_served_to_nobody(self, request: DeletionRequest) -> None:
        """In the moment of a completion: no version that serves knows the person, but for what the law keeps."""
        kept = set(request.targets.filter(state=TargetState.EXCEPTED).values_list("model__name", flat=True))
        for model in RegisteredModel.objects.exclude(name__in=kept).select_related("live"):
            person = self.person[request.pk]
            assert model.live is not None
            assert person not in self.saw[model.name] or person in self.forgotten[model.live.sha256]

    def bring_to_an_end(self) -> None:
        """What people and workers do when nothing goes wrong any more; models may still come while requests wait."""
        for _ in range(16):
            for request in DeletionRequest.objects.exclude(state__in=TERMINAL):
                self.next_step(request)
            for job in Job.objects.filter(state__in=(JobState.RUNNING, JobState.QUEUED)).order_by("state", "queued_at"):
                self.finish(job)
            self.register()
            cast.run_ledger()

    def next_step(self, request: DeletionRequest) -> None:
        steps: dict[str, tuple[Callable[[], object], ...]] = {
            RequestState.RECEIVED: (lambda: cast.prove(request.pk),),
            RequestState.IDENTITY_PENDING: (lambda: cast.prove(request.pk),),
            RequestState.UNDER_REVIEW: (lambda: cast.decide(request.pk), lambda: cast.say_no(request.pk)),
            RequestState.APPROVED: (lambda: plan(request.pk, actor=SYSTEM), cast.run_ledger),
            RequestState.INFO_REQUESTED: (lambda: cast.answer_back(request.pk),),
            RequestState.EXECUTING: tuple(
                partial(cast.let_go, request.pk, target.model_id)
                for target in request.targets.filter(state=TargetState.HELD)
            ),
            RequestState.ATTENTION: (lambda: cast.decide(request.pk), lambda: cast.say_no(request.pk)),
            RequestState.SIGNOFF: (lambda: self.sign_second(request),),
        }
        for step in steps.get(request.state, ()):
            try:
                step()
            except RequestError:
                continue

    def sign_second(self, request: DeletionRequest) -> None:
        cast.second_signature(request.pk)
        self.assert_served_to_nobody(request)

    def finish(self, job: Job) -> None:
        self.expire(job)
        taken = start_job(job.pk, actor=ONE)
        if taken is None:
            return
        if taken.after is None:
            taken = record_job(job.pk, actor=ONE, manifest=self.manifest(taken), assurance="exact", outcome={})
        for target in taken.targets.all():
            if not target.findings.filter(job=taken).exists():
                findings = cast.findings_of(Verdict.PASS)
                record_findings(job.pk, actor=ONE, target_id=target.pk, findings=findings)
        sign(taken, ONE)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_order_nothing_is_stuck_and_nobody_comes_back(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(N_STEPS):
        walk.step()
        walk.assert_sound()
    walk.bring_to_an_end()
    walk.assert_sound()
    states = set(DeletionRequest.objects.values_list("state", flat=True))
    assert states <= {*FULFILLED, RequestState.WITHDRAWN, RequestState.REFUSED}
    for request_id in walk.person:
        verify_bundle(export(request_id))
