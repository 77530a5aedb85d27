"""A person may return, by a decision that the ledger keeps and that says nothing about whose it was."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from compliance.evidence import leaf
from compliance.evidence.leaf import WORDS
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM, Actor, Role
from compliance.ledger.models import PendingEntry
from compliance.registry.pseudonyms import pseudonym_of
from compliance.suppression.actions.lift import LiftingReason, lift
from compliance.suppression.actions.suppress import suppress
from compliance.suppression.errors import ForbiddenLiftingError, NotSuppressedError
from compliance.suppression.exchange import export_tokens, import_tokens
from compliance.suppression.models import SuppressionToken
from compliance.suppression.tokens import is_suppressed, token_of
from tests.compliance import cast

pytestmark = pytest.mark.django_db
RETURNED = LiftingReason.PERSON_RETURNED


def dana() -> Actor:
    return actors.staff(cast.dana(), Role.DPO)


def entries() -> list[leaf.Event]:
    return [leaf.parse(bytes(row.leaf)) for row in PendingEntry.objects.filter(event_type="suppression.lifted")]


def run(monkeypatch: pytest.MonkeyPatch, typed: str, *arguments: str) -> str:
    """The command with this on its standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    out = io.StringIO()
    call_command("lift_suppression", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_nobody_but_a_dpo_lifts(role: Role) -> None:
    suppress("email", cast.ALICE)
    with pytest.raises(ForbiddenLiftingError, match="dpo"):
        lift("email", cast.ALICE, reason=RETURNED, actor=actors.staff(cast.staff("eve", role), role))
    assert is_suppressed("email", cast.ALICE) and entries() == []


def test_who_was_not_erased_cannot_be_lifted_and_is_not_named() -> None:
    suppress("email", cast.ALICE)
    with pytest.raises(NotSuppressedError) as refused:
        lift("email", cast.CHARLIE, reason=RETURNED, actor=dana())
    assert cast.MARK not in str(refused.value) and entries() == []
    with pytest.raises(ValueError, match="must be an e-mail address") as malformed:
        lift("email", cast.MARK, reason=RETURNED, actor=dana())
    assert cast.MARK not in str(malformed.value)


def test_a_token_that_has_expired_holds_nobody_back() -> None:
    suppress("email", cast.ALICE)
    SuppressionToken.objects.update(expires_on=datetime.now(tz=UTC).date() - timedelta(days=1))
    with pytest.raises(NotSuppressedError):
        lift("email", cast.ALICE, reason=RETURNED, actor=dana())
    assert entries() == []


@pytest.mark.parametrize("reason", LiftingReason)
def test_a_person_returns_under_every_spelling_and_nobody_else_does(reason: LiftingReason) -> None:
    for person in (cast.ALICE, cast.ALICE, cast.CHARLIE):
        suppress("email", person)
    actor = dana()
    lift("email", f" {cast.ALICE.upper()}", reason=reason, actor=actor)
    assert not is_suppressed("email", cast.ALICE) and is_suppressed("email", cast.CHARLIE)
    (entry,) = entries()
    assert (entry.request, entry.actor_role, entry.actor_id) == (None, "dpo", str(actor.id))
    assert entry.facts == {"reason": reason.value}
    with pytest.raises(NotSuppressedError):
        lift("email", cast.ALICE, reason=reason, actor=actor)


def test_the_reasons_are_the_words_of_the_ledger() -> None:
    assert set(LiftingReason.values) == WORDS["lifting reason"]


def test_neither_ledger_nor_log_has_person_pseudonym_or_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    suppress("email", cast.ALICE)
    lift("email", cast.ALICE, reason=RETURNED, actor=dana())
    pseudonym = pseudonym_of("email", cast.ALICE)
    (row,) = PendingEntry.objects.filter(event_type="suppression.lifted").values()
    for secret in (cast.MARK, pseudonym, token_of(pseudonym)):
        assert secret.encode() not in bytes(row["leaf"])
        assert secret not in str(row) and secret not in caplog.text
    assert row["subject_id"] is None and row["request_id"] is None


def test_whoever_is_erased_again_is_remembered_again() -> None:
    suppress("email", cast.ALICE)
    lift("email", cast.ALICE, reason=RETURNED, actor=dana())
    suppress("email", cast.ALICE)
    assert is_suppressed("email", cast.ALICE)


def test_an_older_export_brings_the_token_back_and_a_new_one_does_not(tmp_path: Path) -> None:
    older, newer = tmp_path / "older", tmp_path / "newer"
    suppress("email", cast.ALICE)
    export_tokens(older)
    lift("email", cast.ALICE, reason=RETURNED, actor=dana())
    export_tokens(newer)
    import_tokens(newer)
    assert not is_suppressed("email", cast.ALICE)
    import_tokens(older)
    assert is_suppressed("email", cast.ALICE)


def test_the_command_reads_the_person_from_its_input_and_says_what_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    suppress("email", cast.ALICE)
    out = run(monkeypatch, f"{cast.ALICE}\n", "--reason", "wrong_person")
    assert "export_suppressions" in out and cast.MARK not in out
    assert not is_suppressed("email", cast.ALICE)
    (entry,) = entries()
    assert (entry.actor_id, entry.facts) == (str(SYSTEM.id), {"reason": "wrong_person"})


REFUSED = {
    "nobody who was erased": (f"{cast.CHARLIE}\n", ("--reason", "wrong_person")),
    "no address": (f"{cast.MARK}\n", ("--reason", "wrong_person")),
    "nothing typed": ("", ("--reason", "wrong_person")),
    "no reason": (f"{cast.ALICE}\n", ()),
    "another reason": (f"{cast.ALICE}\n", ("--reason", "whim")),
    "another kind": (f"{cast.ALICE}\n", ("--reason", "wrong_person", "--kind", "phone")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_command_refuses(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    typed, arguments = REFUSED[case]
    suppress("email", cast.ALICE)
    with pytest.raises(CommandError) as refused:
        run(monkeypatch, typed, *arguments)
    assert cast.MARK not in str(refused.value)
    assert is_suppressed("email", cast.ALICE) and entries() == []
