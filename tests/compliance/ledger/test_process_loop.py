"""The loop of the ledger's processes: it waits for what comes back, repeats what a person must see, and stops when told."""

import signal
from collections.abc import Callable, Iterator

import pytest
from django.core.management import CommandError
from django.db import OperationalError, ProgrammingError, connection
from pytest_django import Settings

from compliance.ledger import process_loop, readiness
from compliance.ledger.hold import LedgerHeldError
from compliance.ledger.leadership import AnotherLeadsError
from compliance.ledger.process_loop import Process


class AlarmError(Exception):
    pass


class AwayError(Exception):
    pass


class EndError(Exception):
    pass


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(process_loop, "ALARM_SECONDS", 0.0)
    monkeypatch.setattr(process_loop, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(process_loop, "LEAD_SECONDS", 0.0)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


class Script:
    """Steps that do what a list says, one entry a step; the last one is the signal to stop."""

    def __init__(self, *steps: bool | Exception) -> None:
        self._steps = list(steps)
        self.n_prepared = 0
        self.said: list[str] = []

    def prepare(self) -> None:
        self.n_prepared += 1

    def step(self) -> bool:
        if not self._steps:
            signal.raise_signal(signal.SIGTERM)
            return False
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def run(self, *, once: bool = False) -> None:
        process = Process(
            prepare=self.prepare,
            step=self.step,
            busy_seconds=0.0,
            idle_seconds=0.0,
            waits_for=(AwayError,),
            alarms=(AlarmError,),
            ends_with=(EndError,),
        )
        process_loop.run(process, self.said.append, once=once)


def test_an_alarm_is_said_again_and_does_not_end_the_process() -> None:
    script = Script(AlarmError("a fork"), AlarmError("a fork"), True)
    script.run()
    assert script.said == ["ALARM, nothing was done: a fork"] * 2
    assert script.n_prepared == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError("gone"), AwayError("gone")])
def test_what_is_away_is_waited_for_and_everything_is_prepared_anew(error: Exception) -> None:
    script = Script(True, error, True)
    script.run()
    assert script.said == ["not reachable, trying again: gone"]
    assert script.n_prepared == 2


@pytest.mark.parametrize("error", [AnotherLeadsError("pid 7 leads"), LedgerHeldError("held")])
def test_standing_by_is_said_once_a_minute_and_asked_again_sooner(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(process_loop, "ALARM_SECONDS", 60.0)
    script = Script(error, error, True, error)
    script.run()
    assert script.said == [str(error)]
    monkeypatch.setattr(process_loop, "ALARM_SECONDS", 0.0)
    script = Script(error, error)
    script.run()
    assert script.said == [str(error)] * 2


def test_a_statement_that_is_wrong_ends_the_process() -> None:
    with pytest.raises(ProgrammingError):
        Script(True, ProgrammingError("no such table"), True).run()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no standby server")
@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_no_writes_is_waited_for_over_a_new_connection() -> None:
    sessions = []

    def step() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            sessions.append(cursor.fetchone())
            if len(sessions) == 1:
                cursor.execute("SET default_transaction_read_only = on")
                cursor.execute("DELETE FROM ledger_outsider")
        signal.raise_signal(signal.SIGTERM)
        return False

    said: list[str] = []
    process = Process(prepare=lambda: None, step=step, busy_seconds=0.0, idle_seconds=0.0)
    process_loop.run(process, said.append, once=False)
    assert len(said) == 1 and "read-only transaction" in said[0]
    assert len(set(sessions)) == 2, "the primary may be elsewhere now"


def test_what_nothing_but_a_change_of_configuration_helps_ends_the_process() -> None:
    script = Script(True, EndError("no key"))
    with pytest.raises(CommandError, match="no key") as refusal:
        script.run()
    assert refusal.value.returncode == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(AlarmError("x"), 3, id="alarm"),
        pytest.param(LedgerHeldError("x"), 3, id="held"),
        pytest.param(EndError("x"), 1, id="configuration"),
    ],
)
def test_once_ends_with_the_first_problem(error: Exception, code: int) -> None:
    with pytest.raises(CommandError) as refusal:
        Script(True, error, True).run(once=True)
    assert refusal.value.returncode == code


def test_once_ends_when_there_is_nothing_more_to_do() -> None:
    script = Script(True, True, False, AlarmError("never reached"))
    script.run(once=True)
    assert script.n_prepared == 1


def test_once_waits_for_its_turn_and_then_goes_on() -> None:
    script = Script(True, AnotherLeadsError("x"), AnotherLeadsError("x"), False, AlarmError("never reached"))
    script.run(once=True)


def test_once_does_not_succeed_when_another_leads_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_loop, "ONCE_SECONDS", 0.0)
    with pytest.raises(CommandError, match="pid 7 leads") as refusal:
        Script(AnotherLeadsError("pid 7 leads"), False).run(once=True)
    assert refusal.value.returncode == 1


def showing(**off: str) -> Callable[[str], str]:
    return lambda name: off.get(name, "on")


@pytest.mark.parametrize("name", ["fsync", "synchronous_commit", "full_page_writes"])
def test_a_database_that_may_forget_what_it_committed_is_refused(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, name: str
) -> None:
    monkeypatch.setattr(readiness, "_shown", showing(**{name: "off"}))
    settings.REFUSE_VOLATILE_DATABASE = True
    with pytest.raises(CommandError, match=f"{name}=off"):
        readiness.refuse_volatile_database(print)
    settings.REFUSE_VOLATILE_DATABASE = False
    said: list[str] = []
    readiness.refuse_volatile_database(said.append)
    assert len(said) == 1 and f"{name}=off" in said[0]


def test_a_database_that_keeps_what_it_committed_is_taken(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(readiness, "_shown", showing(synchronous_commit="remote_apply"))
    settings.REFUSE_VOLATILE_DATABASE = True
    readiness.refuse_volatile_database(pytest.fail)


@pytest.mark.django_db
def test_the_database_is_asked_for_its_settings() -> None:
    assert {readiness._shown(name) for name in ("fsync", "synchronous_commit", "full_page_writes")} <= {"on", "off"}
