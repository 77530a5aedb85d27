"""Submitting, the vault, and the one-time code: what is refused, what is stored, what is not."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from compliance.ledger.actors import SYSTEM, subject_of
from compliance.ledger.models import PendingEntry
from compliance.requests import identities, letters, queries
from compliance.requests.actions.ask_for_code import ask_for_code
from compliance.requests.actions.confirm_identity import confirm_identity
from compliance.requests.actions.request_identity import mark_code_sent, request_identity
from compliance.requests.actions.submit import submit
from compliance.requests.errors import IdentityError, InvalidInputError, NotFoundError, StateError
from compliance.requests.models import DeletionRequest, IdentityChallenge, SubjectVault
from compliance.requests.states import RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db

BAD_SUBMISSIONS = {
    "no address": {"identifier_value": "nobody"},
    "empty address": {"identifier_value": ""},
    "two addresses": {"identifier_value": "a@example.org, b@example.org"},
    "unknown kind": {"identifier_kind": "phone"},
    "unknown ground": {"ground": "because"},
    "unknown regulation": {"regulation": "hipaa"},
    "unknown channel": {"channel": "pigeon"},
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in BAD_SUBMISSIONS.items()])
def test_a_bad_submission_is_refused_and_nothing_is_stored(change: dict[str, str]) -> None:
    fields: dict[str, Any] = {
        "identifier_kind": "email",
        "identifier_value": cast.ALICE,
        "ground": "art17_1_b",
    } | change
    with pytest.raises(InvalidInputError) as refused:
        submit(**fields)
    assert all(value not in str(refused.value) for value in change.values() if value)
    assert not DeletionRequest.objects.exists()
    assert not SubjectVault.objects.exists()
    assert not PendingEntry.objects.exists()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**10:010d}"


def test_a_wrong_code_is_refused_and_counted_and_the_last_try_locks() -> None:
    request = cast.ask().request
    code = cast.mail_code(request.pk)
    for _ in range(settings.IDENTITY_CODE_ATTEMPTS):
        with pytest.raises(IdentityError):
            confirm_identity(request.pk, actor=subject_of(request.pk), code=wrong(code))
    with pytest.raises(IdentityError):
        confirm_identity(request.pk, actor=subject_of(request.pk), code=code)
    request.refresh_from_db()
    assert request.state == RequestState.IDENTITY_PENDING
    assert IdentityChallenge.objects.get().attempts_left == 0


def test_an_expired_code_is_refused_although_it_is_right() -> None:
    request = cast.ask().request
    code = cast.mail_code(request.pk)
    IdentityChallenge.objects.update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    with pytest.raises(IdentityError):
        confirm_identity(request.pk, actor=subject_of(request.pk), code=code)


def test_a_new_code_ends_the_old_one() -> None:
    request = cast.ask().request
    old = cast.mail_code(request.pk)
    new = cast.mail_code(request.pk)
    if old != new:
        with pytest.raises(IdentityError):
            confirm_identity(request.pk, actor=subject_of(request.pk), code=old)
    assert confirm_identity(request.pk, actor=subject_of(request.pk), code=new).state == RequestState.UNDER_REVIEW


def test_a_code_works_once_and_for_its_own_request_alone() -> None:
    alice, charlie = cast.ask().request, cast.ask(cast.CHARLIE).request
    code, other = cast.mail_code(alice.pk), cast.mail_code(charlie.pk)
    if code != other:
        with pytest.raises(IdentityError):
            confirm_identity(charlie.pk, actor=subject_of(charlie.pk), code=code)
    confirm_identity(alice.pk, actor=subject_of(alice.pk), code=code)
    with pytest.raises(StateError):
        confirm_identity(alice.pk, actor=subject_of(alice.pk), code=code)
    with pytest.raises(StateError):
        request_identity(alice.pk, actor=SYSTEM)


def test_the_code_is_not_stored_and_is_not_its_plain_hash() -> None:
    request = cast.ask().request
    code = cast.mail_code(request.pk)
    stored = IdentityChallenge.objects.get().code_hmac
    assert code not in stored
    assert stored == identities.code_hmac(request.pk, code) != identities.token_sha256(code)


def test_only_the_token_opens_a_request() -> None:
    submitted = cast.ask()
    assert queries.by_token(submitted.request.pk, submitted.token) == submitted.request
    for request_id, token in ((submitted.request.pk, "x"), (uuid.uuid4(), submitted.token), (submitted.request.pk, "")):
        with pytest.raises(NotFoundError):
            queries.by_token(request_id, token)
    assert DeletionRequest.objects.get().token_sha256 != submitted.token


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20))
def test_spellings_of_one_address_are_one_person(name: str) -> None:
    spellings = (f"{name}@example.org", f" {name.upper()}@Example.ORG ", f"{name.title()}@EXAMPLE.org")
    assert len({identities.canonical("email", spelling) for spelling in spellings}) == 1


def test_the_vault_opens_for_its_own_request_alone() -> None:
    vault, other = (SubjectVault.objects.get(request=cast.ask(who).request) for who in (cast.ALICE, cast.CHARLIE))
    assert identities.identifier(vault) == cast.ALICE
    moved = SubjectVault.objects.get(pk=vault.pk)
    moved.request_id = other.request_id
    with pytest.raises(identities.VaultError):
        identities.identifier(moved)


def test_the_vault_holds_no_clear_text_and_two_requests_of_one_person_share_nothing_but_the_pseudonym() -> None:
    first, second = cast.ask().request.vault, cast.ask().request.vault
    sealed = [bytes(v) for vault in (first, second) for v in (vault.sealed_identifier, vault.wrapped_key)]
    assert not any(cast.MARK.encode() in box for box in sealed)
    assert len(set(sealed)) == 4
    assert first.pseudonym == second.pseudonym
    assert identities.commitment_key(first) != identities.commitment_key(second)


def test_the_address_is_nowhere_in_the_database_in_clear() -> None:
    submitted = cast.ask()
    letters.send_identity_code(submitted.request.pk, cast.mail_code(submitted.request.pk))
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names from the database itself
            assert cast.MARK not in repr([[bytes(c) if isinstance(c, memoryview) else c for c in r] for r in cursor])
    assert cast.MARK in mail.outbox[0].to[0]
    assert cast.MARK not in mail.outbox[0].body


def test_a_code_that_was_asked_for_is_owed_until_it_was_sent() -> None:
    """The broker may be down when the person asks: the sweep finds the request by its row."""
    request = cast.ask().request
    cast.mail_code(request.pk)
    mark_code_sent(request.pk)
    later = datetime.now(tz=UTC) + timedelta(hours=1)
    assert queries.lost_work(later).identities == []
    ask_for_code(request.pk)
    assert queries.lost_work(later).identities == [request.pk]


def test_a_person_whose_identity_is_proven_gets_no_further_code() -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    with pytest.raises(StateError):
        ask_for_code(request.pk)
