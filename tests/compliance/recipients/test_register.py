"""The register: what is refused, who may write it, and whom a change reaches."""

import json
from collections.abc import Mapping
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.management import CommandError, call_command
from django.db import transaction

from compliance.evidence import leaf
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM, Role
from compliance.ledger.models import PendingEntry
from compliance.outbound.models import Delivery, DeliveryStatus
from compliance.recipients import notices
from compliance.recipients.actions.change_recipient import change_recipient
from compliance.recipients.actions.register_recipient import register_recipient
from compliance.recipients.actions.retire_recipient import retire_recipient
from compliance.recipients.details import Details
from compliance.recipients.models import Recipient
from compliance.requests.errors import ForbiddenActorError, InvalidInputError, StateError
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.outbound import hooks
from tests.compliance.outbound.receiver import Receiver
from tests.compliance.recipients import scene

pytestmark = pytest.mark.django_db
URL = "https://fabrikam.example/erasure"
P256 = scene.public_pem(ec.generate_private_key(ec.SECP256R1()))
REFUSED: Mapping[str, tuple[str, dict[str, Any]]] = {
    "no name": (" ", {}),
    "a name of two lines": ("Fabrikam\nSAS", {}),
    "a name that turns letters around": ("Fabrikam \u202e SAS", {}),
    "a long name": ("F" * 81, {}),
    "no model": ("Fabrikam", {"models": ()}),
    "an unknown model": ("Fabrikam", {"models": ("spam", "ham")}),
    "no URL": ("Fabrikam", {"url": "fabrikam"}),
    "no TLS": ("Fabrikam", {"url": "http://fabrikam.example/"}),
    "no TLS at a host allowed by name": ("Fabrikam", {"url": "http://localhost:8080/"}),
    "a closed network": ("Fabrikam", {"url": "https://10.0.0.1/"}),
    "a contact of two lines": ("Fabrikam", {"contact": "a\nb"}),
    "a key that is none": ("Fabrikam", {"public_key": "-----BEGIN PUBLIC KEY-----"}),
    "a key of another curve": ("Fabrikam", {"public_key": scene.public_pem(ec.generate_private_key(ec.SECP384R1()))}),
    "a key of another kind": ("Fabrikam", {"public_key": scene.public_pem(rsa.generate_private_key(65537, 2048))}),
    "another form of identifiers": ("Fabrikam", {"identifier_form": "md5"}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_refuses_what_no_recipient_is(case: str) -> None:
    cast.model_of("spam", cast.ALICE)
    name, known = REFUSED[case]
    with pytest.raises(InvalidInputError):
        register_recipient(name, Details(**{"models": ("spam",), **known}), actor=SYSTEM)
    assert not Recipient.objects.exists()


def test_a_name_is_given_once() -> None:
    cast.model_of("spam", cast.ALICE)
    register_recipient("Fabrikam", Details(models=("spam",)), actor=scene.dana())
    with pytest.raises(InvalidInputError, match="taken"):
        register_recipient("Fabrikam", Details(models=("spam",)), actor=scene.dana())
    assert entries() == ["recipient.registered"]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR])
def test_who_is_no_dpo_registers_changes_and_retires_nobody(role: Role) -> None:
    notice = scene.owed(scene.waiting())
    eve = actors.staff(cast.staff("eve", role), role)
    known = Details(models=("spam",))
    with pytest.raises(ForbiddenActorError):
        register_recipient("Another", known, actor=eve)
    with pytest.raises(ForbiddenActorError):
        change_recipient(notice.recipient_id, known, actor=eve)
    with pytest.raises(ForbiddenActorError):
        retire_recipient(notice.recipient_id, actor=eve)
    assert entries() == ["recipient.registered"]


def entries() -> list[str]:
    """The types of the entries about the register, in their order."""
    found = PendingEntry.objects.filter(event_type__startswith="recipient.").order_by("pk")
    return [entry.event_type for entry in found]


def event(event_type: str) -> leaf.Event:
    return leaf.parse(bytes(PendingEntry.objects.filter(event_type=event_type).latest("pk").leaf))


def test_each_change_of_the_register_is_an_entry_of_whoever_made_it() -> None:
    cast.model_of("spam", cast.ALICE)
    dana = scene.dana()
    row = register_recipient("Fabrikam SAS", Details(models=("spam",), url=URL), actor=dana)
    change_recipient(row.pk, Details(models=("spam",), url=URL, is_public=True), actor=SYSTEM)
    retire_recipient(row.pk, actor=dana)
    assert entries() == ["recipient.registered", "recipient.changed", "recipient.retired"]
    registered, changed, retired = (event(event_type) for event_type in entries())
    assert [each.actor_id for each in (registered, changed, retired)] == [str(dana.id), str(SYSTEM.id), str(dana.id)]
    assert retired.facts == {"recipient": str(row.pk)}
    public = {
        "name": "Fabrikam SAS",
        "host": "fabrikam.example",
        "public_key": "",
        "identifier_form": "plain",
        "is_public": True,
        "models": [str(row.models.get().pk)],
    }
    written = json.dumps(public, sort_keys=True, separators=(",", ":")).encode()
    assert changed.facts == {"recipient": str(row.pk), "details_sha256": sha256(written).hexdigest()}
    assert registered.facts["details_sha256"] != changed.facts["details_sha256"]


SAME_DIGEST: Mapping[str, dict[str, Any]] = {
    "another path": {"url": "https://fabrikam.example/other"},
    "another contact": {"contact": "alice@fabrikam.example"},
}


@pytest.mark.parametrize("case", SAME_DIGEST)
def test_neither_the_path_of_an_address_nor_a_contact_is_in_the_digest(case: str) -> None:
    cast.model_of("spam", cast.ALICE)
    known: dict[str, Any] = {"models": ("spam",), "url": URL}
    row = register_recipient("Fabrikam SAS", Details(**known), actor=SYSTEM)
    change_recipient(row.pk, Details(**{**known, **SAME_DIGEST[case]}), actor=SYSTEM)
    digests = {event(event_type).facts["details_sha256"] for event_type in entries()}
    assert len(entries()) == 2 and len(digests) == 1


def test_a_change_that_fails_later_leaves_no_entry() -> None:
    cast.model_of("spam", cast.ALICE)
    with pytest.raises(RuntimeError), transaction.atomic():
        register_recipient("Fabrikam SAS", Details(models=("spam",)), actor=SYSTEM)
        raise RuntimeError
    assert entries() == [] and not Recipient.objects.exists()


def test_who_is_retired_is_owed_what_it_was_owed_and_nothing_new(server: Receiver) -> None:
    cast.model_of("spam", cast.ALICE, cast.CHARLIE)
    notice = scene.owed(cast.brought_to(RequestState.SIGNOFF).request, url=scene.url_of(server))
    retire_recipient(notice.recipient_id, actor=SYSTEM)
    assert scene.sent(notice).status == "sent"
    with pytest.raises(StateError, match="retired"):
        change_recipient(notice.recipient_id, Details(models=("spam",)), actor=SYSTEM)
    later = cast.brought_to(RequestState.SIGNOFF, cast.CHARLIE).request
    with transaction.atomic():
        assert notices.owe(later) == []


def test_after_a_change_nothing_goes_to_the_old_address(server: Receiver) -> None:
    notice = scene.owed(scene.waiting(), url="https://localhost:1/old")
    old = scene.delivery_of(notice)
    change_recipient(notice.recipient_id, Details(models=("spam",), url=scene.url_of(server)), actor=SYSTEM)
    hooks.try_now(old)
    assert (old.status, old.alarmed_at) == (DeliveryStatus.GAVE_UP, None)
    notice.refresh_from_db()
    assert (notice.status, notice.gave_up_at) == ("owed", None)
    assert scene.sent(notice).status == "sent"
    assert len(server.received) == 1


def test_the_command_adds_changes_lists_and_retires(tmp_path: Path) -> None:
    cast.model_of("spam", cast.ALICE)
    (tmp_path / "key.pem").write_text(P256)
    run("add", "Fabrikam SAS", "--model", "spam", "--url", URL, "--public-key", str(tmp_path / "key.pem"))
    run("change", "Fabrikam SAS", "--identifiers", "sha256", "--public")
    row = Recipient.objects.get()
    assert (row.url, row.public_key, row.identifier_form, row.is_public) == (URL, P256, "sha256", True)
    assert "Fabrikam SAS" in run("list") and '"has_key": true' in run("list", "--json")
    run("retire", str(row.pk))
    assert "retired" in run("list")
    for refused in (
        ["retire", "Nobody"],
        ["add", "Other", "--model", "none"],
        ["add", "X", "--model", "spam", "--public-key", "no"],
    ):
        with pytest.raises(CommandError):
            run(*refused)


def test_the_command_shows_what_staff_must_decide() -> None:
    notice = scene.owed(scene.waiting())
    assert str(notice.pk) in run("undecided")
    assert run("owe").startswith("0 notices")
    assert not Delivery.objects.exists()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("recipients", *arguments, stdout=out)
    return out.getvalue()
