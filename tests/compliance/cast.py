"""The people of the tests and how far their requests are: everything is made by the service's own actions.

Alice asks to be deleted, Charlie is a stranger with a request of his own. Bob is an operator, Dana the DPO, Audrey the
auditor. The worker is a stand-in: it reports a version and audits without training anything, and signs for real.
"""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.db import transaction
from knox.models import AuthToken

from compliance.evidence.findings import Finding
from compliance.evidence.statement import Challenge, EvidenceFacts, Method, Worker, statement_bytes
from compliance.evidence.verdict import Result, Verdict
from compliance.ledger import actors, keys
from compliance.ledger.actors import SYSTEM, Role, subject_of
from compliance.ledger.checkpointer import sign_checkpoint
from compliance.ledger.sequencer import sequence_batch
from compliance.registry.actions.publish_cards import publish_cards
from compliance.registry.actions.register_model import Source, register_model
from compliance.registry.actions.register_version import register_version
from compliance.registry.manifests import ManifestFile, manifest_bytes
from compliance.registry.models import MethodCard, RegisteredModel
from compliance.requests import identities, queries, transitions
from compliance.requests.actions import (
    answer_question,
    approve,
    ask_question,
    except_model,
    extend,
    hold_model,
    include_model,
    plan,
    refuse,
    release_model,
    retry,
    sign_off,
    withdraw,
)
from compliance.requests.actions.attach_evidence import attach_evidence
from compliance.requests.actions.confirm_identity import confirm_identity
from compliance.requests.actions.fail_job import fail_job
from compliance.requests.actions.record_findings import record_findings
from compliance.requests.actions.record_job import record_job
from compliance.requests.actions.request_identity import request_identity
from compliance.requests.actions.start_job import start_job
from compliance.requests.actions.submit import Submitted, submit
from compliance.requests.models import DeletionRequest, ExtensionReason, Ground, HoldReason, Job, RefusalReason, Target
from compliance.requests.states import JobState, RequestState
from workers import summaries

#: Marked, so that a search for the mark finds personal data wherever it went.
MARK = "zyx-mark-4711"
ALICE = f"alice.{MARK}@example.org"
CHARLIE = f"charlie.{MARK}@example.org"
FAMILY = "analytic_classifier"
QUESTION = "Under which name did you write to us?"
WORKER_ID = uuid.UUID("00000000-0000-4000-8000-0000000000aa")


def staff(name: str, *roles: Role) -> User:
    """The account of this name in the groups of these roles; made once a test. Its password is unusable."""
    user, created = User.objects.get_or_create(username=name)
    if created:
        user.set_unusable_password()
        user.save()
        user.groups.set(Group.objects.filter(name__in=[role.value for role in roles]))
    return user


def bob() -> User:
    """An operator."""
    return staff("bob", Role.OPERATOR)


def dana() -> User:
    """The data protection officer."""
    return staff("dana", Role.DPO)


def audrey() -> User:
    """An auditor."""
    return staff("audrey", Role.AUDITOR)


def staff_token(user: User) -> str:
    """A staff token, as logging in would give it."""
    return str(AuthToken.objects.create(user=user)[1])


def run_ledger() -> None:
    """What the ledger's processes do in a moment: position what waits, sign it, and again what that made wait."""
    keys.create_missing()
    keys.publish_evidence_key()
    while sequence_batch() or sign_checkpoint() is not None:
        pass


def model_of(name: str, *people: str) -> RegisteredModel:
    """A model in service that was trained on two records of each of these people, and on two of nobody known."""
    source = Source(name=f"{name}-rows", location=Path(f"/data/{name}.csv"), sha256=sha256(name.encode()).hexdigest())
    model = register_model(actor=SYSTEM, name=name, family=FAMILY, purpose="spam filter", source=source)
    everyone = (*people, "nobody@example.org")
    records = [(f"{name}-{number}", person) for number, person in enumerate((*everyone, *everyone))]
    register_version(model, actor=SYSTEM, manifest=manifest_of(name, 1), records=records)
    model.refresh_from_db()
    return model


def workers_start() -> None:
    """A worker publishes the cards of the method and the audits that the default policy names."""
    names = {"method": ("acu",), "audit": ("retrain_equality", "mia_loss")}
    publish_cards(
        {"kind": kind, "name": name, "version": "1", "source_sha256": "ab" * 32, "needs": [], "config_schema": []}
        for kind, members in names.items()
        for name in members
    )


def ask(email: str = ALICE) -> Submitted:
    """A new request."""
    return submit(identifier_kind="email", identifier_value=email, ground=Ground.CONSENT_WITHDRAWN.value)


def mail_code(request_id: uuid.UUID) -> str:
    """The one-time code that the system would mail."""
    return request_identity(request_id, actor=SYSTEM)


def prove(request_id: uuid.UUID) -> None:
    """The person enters the code."""
    confirm_identity(request_id, actor=subject_of(request_id), code=mail_code(request_id))


def decide(request_id: uuid.UUID) -> None:
    """Dana approves."""
    actor = actors.staff(dana(), Role.DPO)
    approve.approve(request_id, actor=actor, ground=Ground.CONSENT_WITHDRAWN.value)


def make_plan(request_id: uuid.UUID) -> None:
    """The system plans, with a worker's methods known and the ledger running."""
    workers_start()
    run_ledger()
    plan.plan(request_id, actor=SYSTEM)
    run_ledger()


def queued_jobs(request_id: uuid.UUID) -> list[Job]:
    """The jobs that wait for a worker."""
    return list(Job.objects.filter(targets__request=request_id, state=JobState.QUEUED).order_by("queued_at"))


def work(request_id: uuid.UUID, verdict: Verdict = Verdict.PASS) -> None:
    """A worker runs every queued job of the request to its signed evidence, with this verdict of each audit."""
    for job in queued_jobs(request_id):
        run_job(job, verdict)


def break_down(request_id: uuid.UUID) -> None:
    """A worker takes every queued job of the request and fails."""
    for job in queued_jobs(request_id):
        start_job(job.pk, actor=actors.worker(WORKER_ID))
        fail_job(
            job.pk, actor=actors.worker(WORKER_ID), reason="out_of_memory", message="The device ran out of memory."
        )


def run_job(queued: Job, verdict: Verdict = Verdict.PASS) -> None:
    """One job, from its start to its signed evidence."""
    actor = actors.worker(WORKER_ID)
    job = start_job(queued.pk, actor=actor)
    assert job is not None, "the job is held by another worker, or its model is"
    number = job.model.versions.count() + 1
    manifest = manifest_of(job.model.name, number)
    job = record_job(job.pk, actor=actor, manifest=manifest, assurance="exact", outcome={})
    for target in job.targets.all():
        found = findings_of(verdict)
        result = record_findings(job.pk, actor=actor, target_id=target.pk, findings=found)
        signer = keys.evidence_signer()
        envelope = signer.sign(statement_bytes(_facts(job, target, found, result)))
        attach_evidence(job.pk, actor=actor, target_id=target.pk, envelope=envelope, key_pem=signer.public_key_pem)


def second_signature(request_id: uuid.UUID) -> None:
    """Bob signs off, and a worker signs the summaries."""
    sign_off.sign_off(request_id, actor=actors.staff(bob(), Role.OPERATOR))
    summaries.summarise(request_id)


def say_no(request_id: uuid.UUID) -> None:
    """Dana refuses."""
    actor = actors.staff(dana(), Role.DPO)
    refuse.refuse(request_id, actor=actor, reason=RefusalReason.LEGAL_CLAIMS.value)


def try_again(request_id: uuid.UUID) -> None:
    """Bob lets the failed jobs run again."""
    retry.retry(request_id, actor=actors.staff(bob(), Role.OPERATOR))


def take_back(request_id: uuid.UUID) -> None:
    """The person withdraws."""
    withdraw.withdraw(request_id, actor=subject_of(request_id))


def hold_half(request_id: uuid.UUID) -> None:
    """A worker has recorded its version but no findings yet."""
    for job in queued_jobs(request_id):
        actor = actors.worker(WORKER_ID)
        start_job(job.pk, actor=actor)
        manifest = manifest_of(job.model.name, 2)
        record_job(job.pk, actor=actor, manifest=manifest, assurance="exact", outcome={})


def ask_back(request_id: uuid.UUID) -> None:
    """Bob asks the person a question."""
    ask_question.ask_question(request_id, actor=actors.staff(bob(), Role.OPERATOR), question=QUESTION)


def except_one_more(request_id: uuid.UUID) -> None:
    """A model that holds the person, too, is excepted by Dana."""
    email = identities.identifier(DeletionRequest.objects.get(pk=request_id).vault)
    leave_out(request_id, model_of(f"kept-{uuid.uuid4()}", email).pk)


def leave_out(request_id: uuid.UUID, model_id: uuid.UUID) -> None:
    """Dana excepts a model."""
    actor, reason = actors.staff(dana(), Role.DPO), RefusalReason.LEGAL_CLAIMS.value
    except_model.except_model(request_id, actor=actor, model_id=model_id, reason=reason, words="A suit is pending.")


def take_in(request_id: uuid.UUID, model_id: uuid.UUID) -> None:
    """Dana takes the exception back."""
    include_model.include_model(request_id, actor=actors.staff(dana(), Role.DPO), model_id=model_id)


def hold(request_id: uuid.UUID, model_id: uuid.UUID) -> None:
    """Bob puts a model on hold."""
    actor, reason = actors.staff(bob(), Role.OPERATOR), HoldReason.LEGAL_CLAIMS.value
    hold_model.hold_model(request_id, actor=actor, model_id=model_id, reason=reason)


def let_go(request_id: uuid.UUID, model_id: uuid.UUID) -> None:
    """Bob lifts the hold."""
    release_model.release_model(request_id, actor=actors.staff(bob(), Role.OPERATOR), model_id=model_id)


def answer_back(request_id: uuid.UUID) -> None:
    """The person answers the question."""
    answer_question.answer_question(request_id, actor=subject_of(request_id), answer="Under the name of my shop.")


def take_more_time(request_id: uuid.UUID) -> None:
    """Dana extends the period."""
    extend.extend(request_id, actor=actors.staff(dana(), Role.DPO), reason=ExtensionReason.COMPLEXITY.value)


def let_lapse(request_id: uuid.UUID) -> None:
    """Nobody proved anything, and the system closes the request."""
    with transaction.atomic():
        request = transitions.locked(request_id)
        changes = {"closed_at": datetime.now(tz=UTC)}
        event = "request.closed_unverified"
        transitions.move(request, RequestState.CLOSED_UNVERIFIED, event, actor=SYSTEM, facts={}, changes=changes)


_TO_REVIEW = (prove,)
_TO_WORK = (*_TO_REVIEW, decide, make_plan)
#: How to bring a new request into each state.
STEPS: dict[RequestState, tuple[Callable[[uuid.UUID], object], ...]] = {
    RequestState.RECEIVED: (),
    RequestState.IDENTITY_PENDING: (mail_code,),
    RequestState.UNDER_REVIEW: _TO_REVIEW,
    RequestState.INFO_REQUESTED: (*_TO_REVIEW, ask_back),
    RequestState.APPROVED: (*_TO_REVIEW, decide),
    RequestState.EXECUTING: _TO_WORK,
    RequestState.VERIFYING: (*_TO_WORK, hold_half),
    RequestState.ATTENTION: (*_TO_WORK, break_down),
    RequestState.SIGNOFF: (*_TO_WORK, work),
    RequestState.COMPLETED: (*_TO_WORK, work, second_signature),
    RequestState.PARTLY_COMPLETED: (*_TO_REVIEW, except_one_more, decide, make_plan, work, second_signature),
    RequestState.REFUSED: (*_TO_REVIEW, say_no),
    RequestState.WITHDRAWN: (*_TO_REVIEW, take_back),
    RequestState.CLOSED_UNVERIFIED: (mail_code, let_lapse),
}


def brought_to(state: RequestState, email: str = ALICE) -> Submitted:
    """A request in this state, with the token that opens it. For work to be done, register a model first."""
    submitted = ask(email)
    for step in STEPS[state]:
        step(submitted.request.pk)
    submitted.request.refresh_from_db()
    assert submitted.request.state == state, f"expected {state}, found {submitted.request.state}"
    return submitted


def manifest_of(name: str, number: int) -> bytes:
    weights = f"{name} {number}".encode()
    file = ManifestFile(name="weights.safetensors", sha256=sha256(weights).hexdigest(), n_bytes=len(weights))
    return manifest_bytes(FAMILY, [file])


def findings_of(verdict: Verdict) -> list[Finding]:
    equal = Finding(
        audit="retrain_equality",
        version="1",
        statistic="largest difference of weights",
        value=0,
        threshold=0,
        interval=None,
        level=None,
        p_value=None,
        n={"retain": 2},
        verdict=verdict,
        reasons=() if verdict is Verdict.PASS else ("told to by the test",),
    )
    attack = replace(
        equal, audit="mia_loss", statistic="AUC above the reference", threshold=0.1, interval=(-0.05, 0.05)
    )
    return [equal, attack]


def _facts(job: Job, target: Target, findings: list[Finding], result: Result) -> EvidenceFacts:
    card = MethodCard.objects.get(kind="method", name=job.method)
    assert job.before is not None
    assert job.after is not None
    assert job.started_at is not None
    return EvidenceFacts(
        request_leaf_sha256=queries.timeline(target.request_id)[0].leaf_sha256,
        before_sha256=job.before.sha256,
        after_sha256=job.after.sha256,
        forget_commitment=target.forget_commitment,
        policy_sha256=str(target.request.policy_id),
        result=result,
        request_id=str(target.request_id),
        target_id=str(target.pk),
        job_id=str(job.pk),
        method=Method(
            name=job.method,
            version=card.version,
            source_sha256=card.source_sha256,
            config=job.config,
            assurance="exact",
            spec_source="paper",
        ),
        findings=tuple(findings),
        guarantee_terms={},
        challenge=Challenge(log=job.challenge_log or 0, size=job.challenge_size or 0, root_sha256=job.challenge_sha256),
        started_at=job.started_at.replace(microsecond=0),
        finished_at=datetime.now(tz=UTC).replace(microsecond=0),
        worker=Worker(id=str(WORKER_ID), code_version="1"),
        n_forget=target.n_records,
    )
