"""`manage.py controllers`."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from compliance.controllers import queries
from tests.compliance.controllers.caller import Caller, creation

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("controllers", *arguments, stdout=out)
    return out.getvalue()


def test_what_is_unknown_or_taken_is_told_in_a_sentence() -> None:
    with pytest.raises(CommandError, match="There is no controller 'acme'"):
        said("rotate", "acme")
    with pytest.raises(CommandError, match="callback_hosts"):
        said("add", "acme", "--callback-host", "https://acme.example/")


def test_a_controller_is_added_used_listed_rotated_and_deactivated() -> None:
    assert "There is no controller." in said("list")
    token = said("add", "acme", "--callback-host", "acme.example", "--callback-host", "127.0.0.1").splitlines()[1]
    assert Caller(token).create(creation()).status_code == 201
    assert "1 pending" in said("list")
    (row,) = json.loads(said("list", "--json"))
    assert (row["name"], row["callback_hosts"], row["is_active"]) == ("acme", ["127.0.0.1", "acme.example"], True)
    fresh = said("rotate", row["id"]).splitlines()[0]
    assert [Caller(each).create(creation()).status_code for each in (token, fresh)] == [401, 201]
    assert said("deactivate", "acme") == "deactivated acme\n"
    assert Caller(fresh).create(creation()).status_code == 401
    assert not queries.named("acme").is_active
    assert "deactivated" in said("list")
