"""The story of one job, top to bottom: claim, unlearn, record, audit, judge, sign, attach.

It directs. It does not decide whether a request is justified (a person did), which method and thresholds apply (the
policy did, before the run), what a verdict is worth (``evidence.verdict``), or whether the new version goes into
service (a second person will). It writes no row itself: each step ends in one action of compliance.

Every step is found done or is done again with the same result: the job's id seeds all randomness, versions are named
by their digest, and recording twice changes nothing. So a worker that takes over from one that was killed starts at
the top and comes out at the same place.

Next: compliance/requests/actions/start_job.py
"""

from __future__ import annotations

import logging
import time
import uuid

from compliance.evidence.statement import statement_bytes
from compliance.ledger import keys
from compliance.ledger.actors import Actor
from compliance.requests.actions.attach_evidence import attach_evidence
from compliance.requests.actions.fail_job import fail_job
from compliance.requests.actions.record_findings import record_findings
from compliance.requests.actions.record_job import record_job
from compliance.requests.actions.release_job import release_job
from compliance.requests.actions.start_job import start_job
from compliance.requests.errors import LostLeaseError, NotReadyError
from compliance.requests.models import Job, Target
from ml_core.contract import AuditData, Run
from ml_core.errors import Cancelled, NotApplicableError
from workers import artifacts, device, faults, inputs, outputs, process, seeds
from workers.inputs import Inputs
from workers.lease import Lease

logger = logging.getLogger(__name__)
_PLAN_WAIT_SECONDS = 5.0
_PLAN_POLL_SECONDS = 0.1


def run_job(job_id: uuid.UUID) -> None:
    """Run a job to its end, or leave it to whoever has it. Raises NotReadyError and NotFoundError before the claim."""
    actor = process.actor()
    job = _start(job_id, actor)
    if job is None:
        return
    logger.info("job %s: attempt %d", job.pk, job.attempt)
    with Lease(job.pk, actor) as lease:
        try:
            _fulfil(job, actor, lease)
        except Exception as error:  # noqa: BLE001  whatever it is, the job must not stay claimed
            _give_up(job, actor, error)


def _start(job_id: uuid.UUID, actor: Actor) -> Job | None:
    """A plan that was just made is under a checkpoint in a moment; a job that is older comes back with the sweep."""
    give_up_at = time.monotonic() + _PLAN_WAIT_SECONDS
    while True:
        try:
            return start_job(job_id, actor=actor)
        except NotReadyError:
            if time.monotonic() > give_up_at:
                raise
        time.sleep(_PLAN_POLL_SECONDS)


def _fulfil(job: Job, actor: Actor, lease: Lease) -> None:
    targets = list(inputs.targets(job))
    if not all(outputs.recorded_findings(job, target) for target in targets):
        work = inputs.load(job)
        if job.after is None:
            job = _unlearn(job, work, actor, lease)
        _judge(job, work, actor, lease)
    # What was judged is signed from the rows alone: the data may be gone by the time another worker signs.
    for target in targets:
        _sign(job, target, actor)


def _unlearn(job: Job, work: Inputs, actor: Actor, lease: Lease) -> Job:
    """Make the new version, store it, record it; returns the job as recorded."""
    _refuse_other_code(job, work)
    model = inputs.load_model(work.family, job.before)
    run = _run(job, lease, "unlearn", since=0.05, until=0.5)
    result = work.method.apply(model, work.unlearn_data(), work.config, run)
    with artifacts.staging() as files:
        work.family.save(model, files)
        manifest, _ = artifacts.seal(files, work.family.name)
    return record_job(
        job.pk,
        actor=actor,
        manifest=manifest,
        assurance=str(work.method.assurance),
        outcome=outputs.outcome_of(work.method, result),
    )


def _refuse_other_code(job: Job, work: Inputs) -> None:
    """The ledger names the version of the method that was started; evidence must not come from another one."""
    for share in work.shares:
        started = outputs.started_version(job, share.target)
        if started != work.method.version:
            raise NotApplicableError(
                f"the job was started with version {started} of {job.method}, this worker has {work.method.version}; "
                "let staff repeat it"
            )


def _judge(job: Job, work: Inputs, actor: Actor, lease: Lease) -> None:
    """Audit the version as it lies in the store, against before and against a model trained without the records."""
    waiting = [share for share in work.shares if not outputs.recorded_findings(job, share.target)]
    before, after = (inputs.load_model(work.family, version) for version in (job.before, job.after))
    reference = None
    if any(share.needs_reference for share in waiting):
        reference = work.family.retrain(before, work.retain, _run(job, lease, "reference", since=0.5, until=0.7))
    for number, share in enumerate(waiting):
        since, until = (0.7 + 0.3 * place / len(waiting) for place in (number, number + 1))
        data = AuditData(forget=share.forget, retain=work.retain, holdout=work.holdout, reference=reference)
        findings = []
        for audit, config in ((configured.audit, configured.config) for configured in share.audits):
            # Its own randomness, so that an audit more in the policy changes no other one's result.
            run = _run(job, lease, f"{audit.name}|{share.target.pk}", since, until)
            findings.append(outputs.finding_of(audit.apply(before, after, data, config, run)))
        record_findings(job.pk, actor=actor, target_id=share.target.pk, findings=findings)


def _sign(job: Job, target: Target, actor: Actor) -> None:
    signer = keys.evidence_signer()
    envelope = signer.sign(statement_bytes(outputs.evidence_facts(job, target)))
    attach_evidence(job.pk, actor=actor, target_id=target.pk, envelope=envelope, key_pem=signer.public_key_pem)


def _run(job: Job, lease: Lease, purpose: str, since: float, until: float) -> Run:
    """The circumstances of one piece of work that takes the job from one fraction of its way to another."""
    return Run(
        generator=seeds.generator(job.pk, purpose),
        device=device.chosen(),
        deadline_at=lease.deadline_at,
        progress=lambda fraction, message: lease.report(since + (until - since) * fraction, message),
        is_cancelled=lease.is_lost,
    )


def _give_up(job: Job, actor: Actor, error: Exception) -> None:
    """Give the job back when trying again can help, fail it when it cannot, drop it when it is another worker's."""
    if isinstance(error, LostLeaseError | Cancelled):
        logger.info("job %s: dropped, another worker has it", job.pk)
        return
    fault = faults.fault_of(error)
    logger.error("job %s: %s: %s", job.pk, fault.reason, fault.message if fault.is_expected else faults.describe(error))
    end = release_job if fault.may_pass else fail_job
    try:
        end(job.pk, actor=actor, reason=fault.reason, message=fault.message)
    except LostLeaseError:
        logger.info("job %s: dropped, another worker has it", job.pk)
    except Exception as failure:  # noqa: BLE001  the database itself may be what failed
        # Nothing is lost: the lease runs out by itself, and the sweep gives the job to the next worker.
        logger.error("job %s: could not be given back: %s", job.pk, faults.describe(failure))
