"""One request and everybody who may touch it, in any order and in any role: Hypothesis looks for a way off the table.

After every act: it went the way that the table says, or nothing changed; nothing changed without an entry in the
ledger; and the entries are one chain.
"""

import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from compliance.evidence import leaf
from compliance.evidence.verdict import Verdict
from compliance.ledger.actors import Actor, Role
from compliance.ledger.models import LedgerEntry, PendingEntry
from compliance.registry.models import RegisteredModel
from compliance.requests.actions.answer_question import answer_question
from compliance.requests.actions.approve import approve
from compliance.requests.actions.ask_question import ask_question
from compliance.requests.actions.confirm_identity import confirm_identity
from compliance.requests.actions.except_model import except_model
from compliance.requests.actions.extend import extend
from compliance.requests.actions.hold_model import hold_model
from compliance.requests.actions.include_model import include_model
from compliance.requests.actions.plan import plan
from compliance.requests.actions.refuse import refuse
from compliance.requests.actions.release_model import release_model
from compliance.requests.actions.request_identity import request_identity
from compliance.requests.actions.retry import retry
from compliance.requests.actions.sign_off import sign_off
from compliance.requests.actions.withdraw import withdraw
from compliance.requests.errors import RequestError, ScopeDriftError
from compliance.requests.models import DeletionRequest, Job, Pause, RequestLink, SealedNote, Target
from compliance.requests.states import EVENTS, TERMINAL, TRANSITIONS, WORK, JobState, RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db
ROLES = st.sampled_from(list(Role))
MODELS = st.integers(0, 1)
PERSONS = {role: uuid.UUID(int=number + 1, version=4) for number, role in enumerate(Role)}
# Not the code that was sent: one that could not be mailed is replaced without a second entry.
ROWS = (Target, Pause, SealedNote, RequestLink)


class Lifecycle(RuleBasedStateMachine):
    """Two models hold Alice. Every rule is one verb in a role that Hypothesis draws, the right one or not."""

    def __init__(self) -> None:
        super().__init__()
        # It remembers what was signed in a world that was rolled back.
        django_settings.CHECKPOINT_GUARD_PATH.unlink(missing_ok=True)
        self.world = transaction.atomic()
        self.world.__enter__()
        self.models = [cast.model_of(name, cast.ALICE).pk for name in ("first", "second")]
        cast.workers_start()
        cast.run_ledger()
        self.id = cast.ask().request.pk
        self.code = ""

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.world.__exit__(None, None, None)

    @rule(role=ROLES)
    def ask_for_proof(self, role: Role) -> None:
        def ask() -> None:
            self.code = request_identity(self.id, actor=self.actor(role))

        self.act(ask, role)

    @rule()
    def prove(self) -> None:
        actor = self.actor(Role.SUBJECT)
        # A wrong code costs a try, in a transaction of its own.
        self.act(lambda: confirm_identity(self.id, actor=actor, code=self.code), Role.SUBJECT, is_counted=True)

    @rule(role=ROLES)
    def ask(self, role: Role) -> None:
        self.act(lambda: ask_question(self.id, actor=self.actor(role), question="Who?"), role)

    @rule(role=ROLES)
    def answer(self, role: Role) -> None:
        self.act(lambda: answer_question(self.id, actor=self.actor(role), answer="Me."), role)

    @rule(role=ROLES)
    def more_time(self, role: Role) -> None:
        self.act(lambda: extend(self.id, actor=self.actor(role), reason="complexity"), role)

    @rule(role=ROLES)
    def approve(self, role: Role) -> None:
        self.act(lambda: approve(self.id, actor=self.actor(role), ground="art17_1_a"), role)

    @rule(role=ROLES)
    def refuse(self, role: Role) -> None:
        self.act(lambda: refuse(self.id, actor=self.actor(role), reason="art12_6"), role)

    @rule(role=ROLES)
    def withdraw(self, role: Role) -> None:
        self.act(lambda: withdraw(self.id, actor=self.actor(role)), role)

    @rule(role=ROLES, number=MODELS)
    def leave_out(self, role: Role, number: int) -> None:
        verb = partial(except_model, self.id, actor=self.actor(role), model_id=self.models[number])
        self.act(lambda: verb(reason="art17_3_e", words="A suit."), role)

    @rule(role=ROLES, number=MODELS)
    def take_in(self, role: Role, number: int) -> None:
        self.act(lambda: include_model(self.id, actor=self.actor(role), model_id=self.models[number]), role)

    @rule(role=ROLES, number=MODELS)
    def hold(self, role: Role, number: int) -> None:
        verb = partial(hold_model, self.id, actor=self.actor(role), model_id=self.models[number])
        self.act(lambda: verb(reason="legal_claims"), role)

    @rule(role=ROLES, number=MODELS)
    def let_go(self, role: Role, number: int) -> None:
        self.act(lambda: release_model(self.id, actor=self.actor(role), model_id=self.models[number]), role)

    @rule()
    def plan(self) -> None:
        cast.run_ledger()
        self.act(lambda: plan(self.id, actor=self.actor(Role.SYSTEM)), Role.SYSTEM)
        cast.run_ledger()

    @precondition(lambda self: Job.objects.filter(state=JobState.QUEUED).exists())
    @rule(verdict=st.sampled_from(Verdict))
    def work(self, verdict: Verdict) -> None:
        cast.run_ledger()
        self.act(lambda: cast.work(self.id, verdict), Role.WORKER)

    @precondition(lambda self: Job.objects.filter(state=JobState.QUEUED).exists())
    @rule()
    def break_down(self) -> None:
        cast.run_ledger()
        self.act(lambda: cast.break_down(self.id), Role.WORKER)

    @rule(role=ROLES)
    def retry(self, role: Role) -> None:
        self.act(lambda: retry(self.id, actor=self.actor(role)), role)

    @precondition(lambda self: not RegisteredModel.objects.filter(name="late").exists())
    @rule(person=st.sampled_from([cast.ALICE, cast.CHARLIE]))
    def register(self, person: str) -> None:
        """A third model, which holds Alice or does not, at a time of its own."""
        cast.model_of("late", person)

    @rule(role=ROLES)
    def sign_off(self, role: Role) -> None:
        def sign() -> None:
            # It is raised after the commit, so that what it stored stays.
            with suppress(ScopeDriftError):
                sign_off(self.id, actor=self.actor(role))

        self.act(sign, role)

    @invariant()
    def the_entries_are_one_chain(self) -> None:
        """And the row points to its end."""
        request = DeletionRequest.objects.get(pk=self.id)
        rows: list[LedgerEntry | PendingEntry] = []
        rows += [*LedgerEntry.objects.filter(request_id=self.id, kind="event").order_by("position")]
        rows += [*PendingEntry.objects.filter(request_id=self.id, kind="event").order_by("pk")]
        previous = None
        for row in rows:
            assert leaf.parse(bytes(row.leaf)).previous == previous
            previous = row.leaf_sha256
        assert request.chain_head == previous
        assert (request.closed_at is not None) == (request.state in TERMINAL)

    def actor(self, role: Role) -> Actor:
        return Actor(role=role, id=self.id if role == Role.SUBJECT else PERSONS[role])

    def act(self, verb: Callable[[], object], role: Role, *, is_counted: bool = False) -> None:
        """The verb in a transaction of its own; whatever came of it is held against the table."""
        before, n_before = self.rows(), self.n_entries()
        try:
            with transaction.atomic():
                verb()
        except RequestError:
            assert is_counted or self.rows() == before
            assert self.n_entries() == n_before
            return
        after = self.rows()
        assert after == before or self.n_entries() > n_before, "a change without an entry"
        if role != Role.WORKER:
            self.assert_moved(RequestState(before["state"]), RequestState(after["state"]), role)

    def assert_moved(self, old: RequestState, new: RequestState, role: Role) -> None:
        if old == new:
            return
        assert role in TRANSITIONS[old, new]
        newest = PendingEntry.objects.filter(request_id=self.id).order_by("-pk").first()
        assert newest is not None
        events = {row.event_type for row in PendingEntry.objects.filter(request_id=self.id)}
        assert events & (EVENTS[old, new] - {WORK})

    def rows(self) -> dict[str, Any]:
        """Everything that is stored of the request."""
        request: dict[str, Any] = dict(DeletionRequest.objects.filter(pk=self.id).values().get())
        request.pop("changed_at")
        for kind in ROWS:
            request[kind.__name__] = list(kind.objects.filter(request_id=self.id).order_by("pk").values())
        return request

    def n_entries(self) -> int:
        rows = (LedgerEntry, PendingEntry)
        return sum(kind.objects.filter(request_id=self.id).count() for kind in rows)


@pytest.mark.parametrize(("n_walks", "n_steps"), [(12, 12), (8, 50)])
def test_no_order_of_acts_leaves_the_table(n_walks: int, n_steps: int) -> None:
    checks = list(HealthCheck)
    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=n_walks, stateful_step_count=n_steps, deadline=None, suppress_health_check=checks
        ),
    )
