"""Whoever acts is known by a role and a random id."""

import pytest
from django.contrib.auth.models import AnonymousUser

from compliance.ledger.actors import Role, RoleError, roles_of, staff
from tests.compliance import cast

pytestmark = pytest.mark.django_db


def test_a_role_that_an_account_does_not_have_is_refused() -> None:
    with pytest.raises(RoleError, match="dpo"):
        staff(cast.bob(), Role.DPO)


def test_a_visitor_and_a_disabled_account_have_no_role() -> None:
    disabled = cast.dana()
    disabled.is_active = False
    assert roles_of(AnonymousUser()) == roles_of(disabled) == frozenset()


def test_an_account_keeps_its_pseudonym_which_says_nothing_about_it() -> None:
    first, second = staff(cast.dana(), Role.DPO), staff(cast.dana(), Role.DPO)
    assert first == second
    assert first.id != staff(cast.bob(), Role.OPERATOR).id
    assert first.id.version == 4
