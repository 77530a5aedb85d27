"""Actions on the same rows at the same moment: each is done or refused, and none is given up for another one.

Only a database that lets two writers in at a time can show it. Each statement begins a little late, by chance, so that
transactions are in the middle of one another; the seed says who does what, and when.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection

from compliance.evidence.statement import statement_bytes
from compliance.evidence.verdict import Verdict
from compliance.ledger import actors, keys
from compliance.ledger.actors import SYSTEM, Role
from compliance.recipients.actions.change_recipient import change_recipient
from compliance.recipients.actions.declare_impossible import declare_impossible
from compliance.recipients.actions.record_told import record_told
from compliance.recipients.actions.register_recipient import register_recipient
from compliance.recipients.details import Details
from compliance.recipients.models import Impossibility, Notice, Recipient
from compliance.registry.models import RegisteredModel
from compliance.requests.actions import sign_off
from compliance.requests.actions.attach_evidence import attach_evidence
from compliance.requests.actions.record_findings import record_findings
from compliance.requests.actions.record_job import record_job
from compliance.requests.actions.start_job import start_job
from compliance.requests.errors import RequestError
from compliance.requests.models import DeletionRequest, Job
from compliance.requests.states import RequestState
from tests.compliance import cast

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("ledger_db"),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"),
]
FIRST, SECOND = "first", "second"
#: Of a recipient; nothing is sent there.
URL = "https://fabrikam.example/erasure"
#: Two requests of one person; what happens to each of them at once, and how often that is tried with another person.
N_REQUESTS, N_EACH, N_ROUNDS = 2, 3, 3
LATEST_SECONDS = 0.006
Call = Callable[[], object]
Act = Callable[[uuid.UUID], object]


def at_once(seed: int, *calls: Call) -> list[BaseException]:
    """What is neither done nor refused, of calls that begin at the same moment."""
    barrier, failed = threading.Barrier(len(calls)), list[BaseException]()

    def run(number: int, call: Call) -> None:
        chance = random.Random(100 * seed + number)  # noqa: S311 - decides when a test waits

        def late(execute: Callable[..., Any], *arguments: Any) -> Any:
            time.sleep(chance.random() * LATEST_SECONDS)
            return execute(*arguments)

        try:
            with connection.execute_wrapper(late):
                barrier.wait(20)
                call()
        except RequestError:
            pass
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=given) for given in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"
    return failed


# --- What is done to a request ------------------------------------------------------------------------------------


def on(name: str, act: Callable[[uuid.UUID, uuid.UUID], object]) -> Act:
    """What is done to one of its models."""
    return lambda request_id: act(request_id, RegisteredModel.objects.get(name=name).pk)


def sign(request_id: uuid.UUID) -> None:
    sign_off.sign_off(request_id, actor=actors.staff(cast.bob(), Role.OPERATOR))


def begin(name: str, request_id: uuid.UUID) -> Job | None:
    """A worker takes the job on this model, if it is free."""
    job = Job.objects.filter(targets__request=request_id, model__name=name).order_by("-queued_at").first()
    return None if job is None else start_job(job.pk, actor=actors.worker(uuid.uuid4()))


def work(name: str, request_id: uuid.UUID) -> None:
    """The same to the signed evidence."""
    job = begin(name, request_id)
    if job is None:
        return
    worker = actors.worker(uuid.UUID(str(job.lease_owner)))
    manifest = cast.manifest_of(name, job.model.versions.count() + 1)
    job = record_job(job.pk, actor=worker, manifest=manifest, assurance="exact", outcome={})
    for target in job.targets.all():
        found = cast.findings_of(Verdict.PASS)
        result = record_findings(job.pk, actor=worker, target_id=target.pk, findings=found)
        signer = keys.evidence_signer()
        envelope = signer.sign(statement_bytes(cast._facts(job, target, found, result)))
        attach_evidence(job.pk, actor=worker, target_id=target.pk, envelope=envelope, key_pem=signer.public_key_pem)


def tell(request_id: uuid.UUID) -> None:
    """Bob writes to the recipients."""
    for notice in Notice.objects.filter(request=request_id):
        today = date.fromordinal(datetime.now(tz=UTC).toordinal())
        record_told(notice.pk, actor=actors.staff(cast.bob(), Role.OPERATOR), told_date=today)


def give_up(request_id: uuid.UUID) -> None:
    """Dana finds that nobody can be told."""
    reason = Impossibility.values[0]
    for notice in Notice.objects.filter(request=request_id):
        declare_impossible(notice.pk, actor=actors.staff(cast.dana(), Role.DPO), reason=reason, words="It is no more.")


def change_address(_: uuid.UUID) -> None:
    """The recipient is told by other means from now on."""
    known = Details(models=(FIRST, SECOND))
    change_recipient(Recipient.objects.get().pk, known, actor=actors.staff(cast.dana(), Role.DPO))


DECIDED = [
    *(on(name, act) for name in (FIRST, SECOND) for act in (cast.hold, cast.let_go, cast.leave_out, cast.take_in)),
    cast.decide,
]
ACTS: dict[RequestState, list[Act]] = {
    RequestState.UNDER_REVIEW: [*DECIDED, cast.take_more_time, cast.ask_back, cast.take_back, cast.say_no],
    RequestState.EXECUTING: [
        *(partial(act, name) for name in (FIRST, SECOND) for act in (begin, work)),
        *(on(name, act) for name in (FIRST, SECOND) for act in (cast.hold, cast.let_go)),
        cast.take_more_time,
    ],
    RequestState.ATTENTION: [*DECIDED, cast.try_again, cast.say_no, cast.take_more_time],
    RequestState.SIGNOFF: [sign, sign, tell, give_up, change_address, cast.take_more_time],
}


def prepared(*people: str) -> None:
    """Two models that were trained on these people, and a recipient of both."""
    cast.bob(), cast.dana()
    for name in (FIRST, SECOND):
        cast.model_of(name, *people)
    recipient = register_recipient("Fabrikam SAS", Details(models=(FIRST, SECOND)), actor=SYSTEM)
    Recipient.objects.filter(pk=recipient.pk).update(url=URL)


def asked(state: RequestState, person: str, n_requests: int = 1) -> list[DeletionRequest]:
    return [cast.brought_to(state, person).request for _ in range(n_requests)]


@pytest.mark.parametrize("state", ACTS)
def test_whatever_happens_to_two_requests_of_one_person_is_done_or_refused(state: RequestState) -> None:
    chance = random.Random(state)  # noqa: S311 - the same choice in every run
    people = [f"person{number}@example.org" for number in range(N_ROUNDS)]
    prepared(*people)
    for seed, person in enumerate(people):
        requests = asked(state, person, N_REQUESTS)
        Recipient.objects.update(url=URL)
        calls = [partial(chance.choice(ACTS[state]), request.pk) for request in requests for _ in range(N_EACH)]
        assert at_once(seed, *calls) == [], f"round {seed}: {calls}"


#: How far the request is → what met in a circle once.
PAIRS: dict[str, tuple[RequestState, Act, Act]] = {
    "a hold beside a worker": (RequestState.EXECUTING, on(FIRST, cast.hold), partial(begin, FIRST)),
    "a recipient that changes beside one that is told": (RequestState.SIGNOFF, change_address, tell),
    "a recipient that changes beside one that is given up": (RequestState.SIGNOFF, change_address, give_up),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_met_in_a_circle_once_does_so_no_more(name: str) -> None:
    state, one, other = PAIRS[name]
    people = [f"person{number}@example.org" for number in range(N_ROUNDS)]
    prepared(*people)
    for seed, person in enumerate(people):
        (request,) = asked(state, person)
        Recipient.objects.update(url=URL)
        assert at_once(seed, partial(one, request.pk), partial(other, request.pk)) == []


def test_a_signature_and_an_approval_on_the_same_models_do_not_meet_in_a_circle() -> None:
    people = [f"person{number}@example.org" for number in range(2 * N_ROUNDS)]
    prepared(*people)
    for seed in range(N_ROUNDS):
        (signed,) = asked(RequestState.SIGNOFF, people[2 * seed])
        (approved,) = asked(RequestState.UNDER_REVIEW, people[2 * seed + 1])
        tell(signed.pk)
        assert at_once(seed, partial(sign, signed.pk), partial(cast.decide, approved.pk)) == []
        signed.refresh_from_db()
        assert signed.state == RequestState.COMPLETED
