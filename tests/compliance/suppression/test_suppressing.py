"""Whoever was erased is recognised; the token says nothing else, and an end that was set is never brought forward."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from compliance.registry.pseudonyms import pseudonym_of
from compliance.suppression.actions.suppress import suppress
from compliance.suppression.models import SuppressionToken
from compliance.suppression.tokens import is_suppressed, suppressed_among, token_of
from tests.compliance import cast

pytestmark = pytest.mark.django_db


def today() -> datetime:
    return datetime.now(tz=UTC)


def test_what_is_no_identifier_is_refused_without_being_repeated() -> None:
    for call in (lambda: suppress("email", cast.MARK), lambda: is_suppressed("email", cast.MARK)):
        with pytest.raises(ValueError, match="must be an e-mail address") as refused:
            call()
        assert cast.MARK not in str(refused.value)
    assert not SuppressionToken.objects.exists()


def test_a_person_is_recognised_under_every_spelling_and_nobody_else_is() -> None:
    suppress("email", cast.ALICE)
    assert is_suppressed("email", f" {cast.ALICE.upper()}")
    assert not is_suppressed("email", cast.CHARLIE)
    pseudonyms = [pseudonym_of("email", person) for person in (cast.ALICE, cast.CHARLIE)]
    assert suppressed_among([*pseudonyms, ""]) == {pseudonyms[0]}


def test_many_are_looked_up_at_once() -> None:
    people = [pseudonym_of("email", f"p{number}@example.org") for number in range(1203)]
    for number in (0, 499, 500, 1202):
        suppress("email", f"p{number}@example.org")
    assert suppressed_among(people) == {people[number] for number in (0, 499, 500, 1202)}


def test_the_token_is_neither_the_pseudonym_nor_made_without_either_key(settings: Settings) -> None:
    suppress("email", cast.ALICE)
    token = SuppressionToken.objects.get().token
    assert token != pseudonym_of("email", cast.ALICE)
    for name in ("SUPPRESSION_KEY", "PSEUDONYM_KEY"):
        key = getattr(settings, name)
        setattr(settings, name, bytes(32))
        assert token_of(pseudonym_of("email", cast.ALICE)) != token
        assert not is_suppressed("email", cast.ALICE)
        setattr(settings, name, key)
    assert is_suppressed("email", cast.ALICE)


def test_the_table_has_nothing_that_leads_to_a_request_or_a_moment() -> None:
    fields = {field.name: field.get_internal_type() for field in SuppressionToken._meta.get_fields()}
    assert fields == {"token": "CharField", "created_on": "DateField", "expires_on": "DateField"}


def test_suppressing_again_changes_nothing_but_a_later_end(settings: Settings) -> None:
    ends = []
    for n_days in (30, 10, 40, 0, 20):
        settings.SUPPRESSION_DAYS = n_days
        suppress("email", cast.ALICE)
        ends.append(SuppressionToken.objects.get().expires_on)
    day = today().date()
    assert ends == [day + timedelta(days=30), day + timedelta(days=30), day + timedelta(days=40), None, None]


def test_a_token_counts_on_its_last_day_and_is_dropped_after_it() -> None:
    suppress("email", cast.ALICE)
    SuppressionToken.objects.update(expires_on=today().date())
    assert is_suppressed("email", cast.ALICE)
    SuppressionToken.objects.update(expires_on=today().date() - timedelta(days=1))
    assert not is_suppressed("email", cast.ALICE)
    suppress("email", cast.CHARLIE)
    assert SuppressionToken.objects.count() == 1
    suppress("email", cast.ALICE)
    assert is_suppressed("email", cast.ALICE)
