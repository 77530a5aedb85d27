"""Recipients and their notices on their pages: who sees and does what, page by page, and each button keeps its word."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from compliance.ledger.actors import SYSTEM, Role
from compliance.ledger.models import PendingEntry
from compliance.outbound.models import Delivery, DeliveryStatus
from compliance.portal.views.recipients import PAGE_ROWS
from compliance.recipients.actions.declare_impossible import declare_impossible
from compliance.recipients.actions.record_told import record_told
from compliance.recipients.actions.register_recipient import register_recipient
from compliance.recipients.actions.retire_recipient import retire_recipient
from compliance.recipients.details import Details
from compliance.recipients.models import Notice, Recipient
from tests.compliance import cast
from tests.compliance.portal.browsing import address, everything, page_of, seen, signed_in
from tests.compliance.recipients import scene

pytestmark = pytest.mark.django_db

URL = reverse("portal:recipients")
SECRET_PATH = "zyx-path-4711"
ADDRESS = f"https://fabrikam.example/{SECRET_PATH}"
SOMEWHERE = uuid.UUID("00000000-0000-4000-8000-0000000000ff")
TODAY = datetime.now(tz=UTC).date()
GOOD = {"name": "Contoso", "models": ["spam"], "identifier_form": "plain"}
#: The last part of an address → a form filled in well.
FILLED_IN: Mapping[str, Mapping[str, Any]] = {
    "register": GOOD,
    "change": {"models": ["spam"], "identifier_form": "sha256", "url": ADDRESS},
    "retire": {"confirmed": "on"},
    "send-again": {},
    "told": {"told_date": TODAY.isoformat()},
    "acknowledged": {"result": "done", "document_sha256": "ab" * 32},
    "impossible": {"reason": "impossible", "words": "It was dissolved."},
}
KEEPING = ("change_recipient", "retire_recipient")
ON_NOTICES = ("send_notice", "tell_recipient", "acknowledge_notice", "declare_impossible")


@pytest.fixture(autouse=True)
def _production(settings: Settings) -> None:
    settings.DEBUG = False


def owed() -> Notice:
    return scene.owed(scene.waiting())


def given_up() -> Notice:
    notice = scene.owed(scene.waiting(), url=ADDRESS)
    now = datetime.now(tz=UTC)
    Delivery.objects.filter(subject_id=notice.pk).update(status=DeliveryStatus.GAVE_UP, alarmed_at=now)
    Notice.objects.filter(pk=notice.pk).update(gave_up_at=now)
    return notice


def told() -> Notice:
    notice = owed()
    return record_told(notice.pk, actor=scene.bob(), told_date=TODAY)


def impossible() -> Notice:
    notice = owed()
    return declare_impossible(notice.pk, actor=scene.dana(), reason="impossible", words=".")


def impossible_after_it_was_told() -> Notice:
    return declare_impossible(told().pk, actor=scene.dana(), reason="disproportionate", words=".")


def shredded() -> Notice:
    notice = scene.owed_late()
    scene.shredded(notice.request)
    return notice


SCENES: Mapping[str, tuple[Callable[[], Notice], set[str], set[str]]] = {
    "owed by other means": (owed, {"told"}, {"told", "impossible"}),
    "given up": (given_up, {"send-again", "told"}, {"send-again", "told", "impossible"}),
    "told": (told, {"acknowledged"}, {"acknowledged", "impossible"}),
    "impossible": (impossible, set(), set()),
    "impossible after it was told": (impossible_after_it_was_told, {"acknowledged"}, {"acknowledged"}),
    "shredded": (shredded, set(), set()),
}


def last_part(action: str) -> str:
    return action.rstrip("/").rsplit("/", 1)[-1]


@contextmanager
def undone() -> Any:
    """The next button meets what this one met."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def press(client: Client, action: str) -> str:
    """Send the form of this address filled in well; the text of the error on the next page, or nothing."""
    with undone():
        response = client.post(action, FILLED_IN[last_part(action)], follow=True)
        page = page_of(response)
        is_refused = page.all("li", role="alert") or "errorlist" in page.html or response.status_code != 200
        return page.text if is_refused else ""


def forms_of(client: Client, url: str) -> dict[str, str]:
    """The addresses of the forms of a page by their last part."""
    actions = [form.attributes["action"] for form in seen(client, url).all("form")]
    return {last_part(action): action for action in actions if "logout" not in action}


def notice_page(notice: Notice) -> str:
    return reverse("portal:notice", args=[notice.pk])


@pytest.mark.parametrize("name", [*KEEPING, *ON_NOTICES, "register_recipient"])
def test_it_refuses_strangers_auditors_and_forms_from_other_sites(name: str) -> None:
    notice = owed()
    known = {"register_recipient": []}.get(name, [notice.recipient_id if name in KEEPING else notice.pk])
    url = reverse(f"portal:{name}", args=known)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.dana())
    audrey = signed_in(cast.audrey())
    before = everything()
    assert Client().post(url)["Location"].startswith(reverse("portal:login"))
    assert "another role" in page_of(audrey.post(url)).text
    assert strict.post(url, FILLED_IN[last_part(url)]).status_code == 403
    assert everything() == before


@pytest.mark.parametrize("name", [*KEEPING, "declare_impossible", "register_recipient"])
def test_an_operator_keeps_no_register_and_decides_nothing(name: str) -> None:
    notice = owed()
    known = {"register_recipient": []}.get(name, [notice.recipient_id if name in KEEPING else notice.pk])
    url = reverse(f"portal:{name}", args=known)
    bob = signed_in(cast.bob())
    before = everything()
    assert bob.post(url, FILLED_IN[last_part(url)]).status_code == 403
    assert everything() == before


@pytest.mark.parametrize("name", [*KEEPING, *ON_NOTICES, "register_recipient"])
def test_reading_the_address_of_an_act_leads_to_the_page(name: str) -> None:
    notice = owed()
    known = {"register_recipient": []}.get(name, [notice.recipient_id if name in KEEPING else notice.pk])
    dana = signed_in(cast.dana())
    before = everything()
    response = dana.get(reverse(f"portal:{name}", args=known))
    assert response.status_code == 302
    assert seen(dana, response["Location"]).problems == []
    assert dana.put(reverse(f"portal:{name}", args=known)).status_code == 405
    assert everything() == before


@pytest.mark.parametrize("name", ["recipient", "notice", *KEEPING, *ON_NOTICES])
def test_what_is_not_there_is_not_found(name: str) -> None:
    cast.model_of("spam", cast.ALICE)
    url = reverse(f"portal:{name}", args=[SOMEWHERE])
    dana = signed_in(cast.dana())
    response = dana.get(url) if name in ("recipient", "notice") else dana.post(url, FILLED_IN[last_part(url)])
    assert response.status_code == 404 and page_of(response).problems == []


@pytest.mark.parametrize("after", ["first", str(SOMEWHERE), "%00"])
def test_a_damaged_address_is_not_found(after: str) -> None:
    notice = owed()
    dana = signed_in(cast.dana())
    for url in (URL, reverse("portal:recipient", args=[notice.recipient_id])):
        assert seen(dana, f"{url}?after={after}", status=404).problems == []


BADLY_FILLED_IN: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "no name": ("register", {**GOOD, "name": ""}, "Write the name"),
    "a name that is taken": ("register", {**GOOD, "name": "Fabrikam SAS"}, "taken"),
    "no model": ("register", {**GOOD, "models": []}, "Choose at least one model"),
    "another model": ("register", {**GOOD, "models": ["ham"]}, "Choose models in the list"),
    "no TLS": ("register", {**GOOD, "url": "http://contoso.example/"}, "https://"),
    "a closed network": ("change", {**FILLED_IN["change"], "url": "https://10.0.0.1/"}, "open internet"),
    "a key that is none": ("change", {**FILLED_IN["change"], "public_key": "PEM"}, "public_key"),
    "no tick": ("retire", {}, "Tick the box"),
}


@pytest.mark.parametrize("case", BADLY_FILLED_IN)
def test_a_form_that_was_filled_in_wrongly_comes_back_open_and_changes_nothing(case: str) -> None:
    verb, data, words = BADLY_FILLED_IN[case]
    notice = owed()
    name = {"register": "register_recipient", "change": "change_recipient", "retire": "retire_recipient"}[verb]
    url = reverse(f"portal:{name}", args=[] if verb == "register" else [notice.recipient_id])
    dana = signed_in(cast.dana())
    before = (list(Recipient.objects.values()), PendingEntry.objects.count())
    response = dana.post(url, data)
    page = page_of(response)
    assert response.status_code == 200 and words in page.text and page.problems == []
    assert page.all("details", open="")
    assert (list(Recipient.objects.values()), PendingEntry.objects.count()) == before


BAD_NOTES: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "no day": ("tell_recipient", {}, "Give the day"),
    "no reason": ("declare_impossible", {"words": "."}, "Choose the reason"),
    "no words": ("declare_impossible", {"reason": "impossible"}, "Write the facts"),
}


@pytest.mark.parametrize("case", BAD_NOTES)
def test_a_note_that_lacks_something_comes_back_open(case: str) -> None:
    name, data, words = BAD_NOTES[case]
    notice = owed()
    page = page_of(signed_in(cast.dana()).post(reverse(f"portal:{name}", args=[notice.pk]), data))
    assert words in page.text and page.problems == [] and page.all("details", open="")
    notice.refresh_from_db()
    assert notice.status == "owed"


def test_a_day_to_come_is_refused_in_a_sentence() -> None:
    notice = owed()
    later = (TODAY + timedelta(days=2)).isoformat()
    url = reverse("portal:tell_recipient", args=[notice.pk])
    page = page_of(signed_in(cast.bob()).post(url, {"told_date": later}, follow=True))
    assert "expected a day that has come" in page.text and page.all("li", role="alert")


def test_an_empty_register_says_who_fills_it() -> None:
    for user in (cast.bob(), cast.dana(), cast.audrey()):
        page = seen(signed_in(user), URL)
        assert "No recipient is registered" in page.text and page.problems == [] and not page.all("table")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.DPO, Role.AUDITOR])
@pytest.mark.parametrize("name", SCENES)
def test_each_viewer_has_the_buttons_that_work_and_no_others(name: str, role: Role) -> None:
    make, of_operators, of_officers = SCENES[name]
    notice = make()
    client = signed_in(cast.staff("dora", role))
    found = forms_of(client, notice_page(notice))
    expected = {Role.OPERATOR: of_operators, Role.DPO: of_officers, Role.AUDITOR: set()}[role]
    assert set(found) == expected
    assert {action: press(client, action) for action in found.values()} == dict.fromkeys(found.values(), "")
    assert seen(client, notice_page(notice)).problems == []


def test_a_dpo_registers_changes_and_retires_and_each_is_an_entry() -> None:
    cast.model_of("spam", cast.ALICE)
    dana = signed_in(cast.dana())
    registered = dana.post(reverse("portal:register_recipient"), {**GOOD, "url": ADDRESS})
    row = Recipient.objects.get()
    page_url = reverse("portal:recipient", args=[row.pk])
    assert registered["Location"] == page_url
    forms = forms_of(dana, page_url)
    assert set(forms) == {"change", "retire"}
    for verb in ("change", "retire"):
        assert dana.post(forms[verb], FILLED_IN[verb])["Location"] == page_url
    row.refresh_from_db()
    assert (row.identifier_form, row.is_active) == ("sha256", False)
    assert forms_of(dana, page_url) == {}
    refused = dana.post(forms["change"], FILLED_IN["change"], follow=True)
    assert "is retired" in page_of(refused).text
    kinds = PendingEntry.objects.filter(event_type__startswith="recipient.").order_by("pk")
    assert [entry.event_type for entry in kinds] == ["recipient.registered", "recipient.changed", "recipient.retired"]


def test_what_waits_for_staff_stands_on_top_and_only_a_dpo_sees_the_path_of_an_address() -> None:
    notice = given_up()
    for user in (cast.bob(), cast.audrey(), cast.dana()):
        client = signed_in(user)
        page = seen(client, URL)
        assert "Waiting for staff" in page.text and "delivery was given up" in page.text
        assert page.all("a", href=notice_page(notice)) and page.problems == []
        assert SECRET_PATH not in page.html and cast.MARK not in page.html
        one = seen(client, reverse("portal:recipient", args=[notice.recipient_id]))
        assert one.problems == [] and "fabrikam.example" in one.text and cast.MARK not in one.html
        assert (SECRET_PATH in one.html) is (user.username == cast.dana().username)


def test_the_page_of_a_request_names_its_recipients_and_leads_to_their_notices() -> None:
    notice = owed()
    other = cast.ask(cast.CHARLIE).request.pk
    for user in (cast.bob(), cast.audrey()):
        client = signed_in(user)
        page = seen(client, address("request", notice.request_id))
        assert "Fabrikam SAS" in page.text and "to be told by staff" in page.text
        assert page.all("a", href=notice_page(notice)) and page.problems == []
        assert "Fabrikam SAS" not in seen(client, address("request", other)).text


def test_a_register_of_recipients_needs_models() -> None:
    assert "No model is registered yet" in seen(signed_in(cast.dana()), URL).text
    cast.model_of("spam", cast.ALICE)
    assert "No model is registered yet" not in seen(signed_in(cast.dana()), URL).text


def test_pages_lead_through_all_recipients() -> None:
    cast.model_of("spam", cast.ALICE)
    for number in range(2 * PAGE_ROWS + 3):
        register_recipient(f"Number {number:03}", Details(models=("spam",)), actor=SYSTEM)
    retire_recipient(Recipient.objects.order_by("name")[0].pk, actor=SYSTEM)
    bob = signed_in(cast.bob())
    names, url, n_pages = [], URL, 0
    while url:
        page = seen(bob, url)
        assert page.problems == []
        names += [text for text in page.texts if text.startswith("Number ")]
        links = page.all("a", rel="next")
        url, n_pages = links[0].attributes["href"] if links else "", n_pages + 1
        assert n_pages <= 3
    assert names == [f"Number {number:03}" for number in range(2 * PAGE_ROWS + 3)]


def test_it_costs_the_same_number_of_queries_however_much_there_is() -> None:
    request = scene.waiting()
    first = scene.owed(request)
    bob, costs = signed_in(cast.bob()), []
    for n_more in (1, 8):
        for number in range(n_more):
            scene.owed(request, f"Number {n_more} {number}")
        with CaptureQueriesContext(connection) as queries:
            seen(bob, URL)
            seen(bob, reverse("portal:recipient", args=[first.recipient_id]))
        costs.append(len(queries))
    assert costs[0] == costs[1]
