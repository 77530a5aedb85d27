"""The contract of identity methods: files that break it, then every method that is there."""

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from pytest_django import Settings

from compliance.evidence.leaf import WORDS
from compliance.identity import catalogue, methods
from compliance.identity.errors import MethodError, NotOfferedError
from compliance.identity.method import LEVELS, Method
from compliance.ledger.actors import Role
from compliance.requests.states import TRANSITIONS, RequestState


def a_method(name: str = "email_code", **changes: Any) -> Method:
    fields: dict[str, Any] = {
        "level": 1,
        "roles": frozenset({Role.SUBJECT}),
        "invitation": "do something",
        "refusal": "No.",
        "prove": lambda request, shown: 1,
    }
    return Method(f"somewhere.{name}", **{**fields, **changes})


BAD_FILES: dict[str, tuple[str, object]] = {
    "nothing in it": ("email_code", None),
    "something else": ("email_code", "email_code"),
    "a method of another name": ("email_code", a_method("oidc")),
    "a word that the ledger does not have": ("telepathy", a_method("telepathy")),
    "a level that there is not": ("email_code", a_method(level=4)),
    "level 0, which proves nothing": ("email_code", a_method(level=0)),
    "nobody may use it": ("email_code", a_method(roles=frozenset())),
}


@pytest.mark.parametrize(("name", "found"), [pytest.param(*case, id=title) for title, case in BAD_FILES.items()])
def test_a_file_that_breaks_the_contract_is_refused(name: str, found: object) -> None:
    with pytest.raises(MethodError, match=rf"^{name}\.py: "):
        catalogue.method_of(name, cast(ModuleType, SimpleNamespace(method=found)))


def test_a_method_that_is_not_there_is_refused() -> None:
    with pytest.raises(MethodError, match="telepathy"):
        catalogue.named("telepathy")


def test_a_method_that_is_not_set_up_is_refused(settings: Settings) -> None:
    settings.OIDC_ISSUER = ""
    with pytest.raises(NotOfferedError, match="oidc"):
        catalogue.named("oidc")


def test_every_file_is_a_method_and_every_method_a_word_of_the_ledger() -> None:
    files = {path.stem for path in Path(methods.__path__[0]).glob("*.py")} - {"__init__"}
    assert set(catalogue.installed()) == files == set(WORDS["identity method"])


@pytest.mark.parametrize("method", catalogue.installed().values(), ids=lambda method: method.name)
def test_a_method_keeps_the_contract(method: Method) -> None:
    assert method.level in LEVELS
    assert method.roles
    assert method.invitation[0].islower() and not method.invitation.endswith(".")
    assert method.refusal[0].isupper() and method.refusal.endswith(".")
    assert isinstance(method.is_offered(), bool)


@pytest.mark.parametrize("method", catalogue.installed().values(), ids=lambda method: method.name)
def test_whoever_may_use_a_method_may_also_move_the_request(method: Method) -> None:
    start = RequestState.RECEIVED if method.name == "controller" else RequestState.IDENTITY_PENDING
    assert method.roles <= TRANSITIONS[start, RequestState.UNDER_REVIEW]


def test_what_a_person_is_told_of_asks_for_no_more_than_is_needed(settings: Settings) -> None:
    settings.OIDC_ISSUER = "https://issuer.example"
    assert [method.name for method in catalogue.open_to(Role.SUBJECT, 1)] == ["email_code", "oidc"]
    assert [method.name for method in catalogue.open_to(Role.SUBJECT, 2)] == ["oidc"]
    assert catalogue.open_to(Role.SUBJECT, 3) == []
    settings.OIDC_ISSUER = ""
    assert catalogue.open_to(Role.SUBJECT, 2) == []
