"""What is sent to other systems, on its page: the alarms first, page by page, and sending again."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from compliance.controllers import queries as controllers
from compliance.controllers.models import ControllerRequest, StatusNotice
from compliance.ledger.actors import Role
from compliance.outbound import queries as outbound
from compliance.outbound import steps
from compliance.outbound.models import Delivery, DeliveryAttempt, DeliveryStatus, Failure
from compliance.recipients import notices
from compliance.recipients.models import Notice
from tests.compliance import cast
from tests.compliance.controllers.installation import registered
from tests.compliance.outbound import hooks
from tests.compliance.portal.browsing import everything, messages, page_of, seen, signed_in
from tests.compliance.portal.html_page import Page
from tests.compliance.recipients import scene

pytestmark = pytest.mark.django_db

URL = reverse("portal:deliveries")
SECRET_PATH = "zyx-path-4711"
ADDRESS = f"https://crm.example.org/{SECRET_PATH}"
SOMEWHERE = uuid.UUID("00000000-0000-4000-8000-0000000000ff")


@pytest.fixture(autouse=True)
def _production(settings: Settings) -> None:
    settings.DEBUG = False


def give_up(delivery: Delivery, at: datetime | None = None) -> Delivery:
    """Its last try was answered with 500, and nobody looked at it yet."""
    now = at or datetime.now(tz=UTC)
    DeliveryAttempt.objects.create(delivery=delivery, at=now, status_code=500)
    columns = {"status": DeliveryStatus.GAVE_UP, "alarmed_at": now, "next_try_at": None, "n_tries": 9}
    Delivery.objects.filter(pk=delivery.pk).update(**columns)
    delivery.refresh_from_db()
    return delivery


def delivered(delivery: Delivery) -> Delivery:
    """It was taken in."""
    now = datetime.now(tz=UTC)
    columns = {"status": DeliveryStatus.DELIVERED, "delivered_at": now, "next_try_at": None}
    Delivery.objects.filter(pk=delivery.pk).update(**columns)
    return delivery


def to_webhook() -> Delivery:
    hooks.hook(ADDRESS)
    (delivery,) = hooks.happens()
    return delivery


def callback() -> Delivery:
    """A controller is to be called back about Charlie's request."""
    request = cast.ask(cast.CHARLIE).request
    row = ControllerRequest.objects.create(
        request=request,
        controller=registered("acme", "crm.example.org").controller,
        subject_request_id=uuid.uuid4(),
        body_commitment="0" * 64,
        api_version="2.0",
        callback_urls=[ADDRESS],
        ignored_identities=[],
        status_told="pending",
    )
    now = datetime.now(tz=UTC)
    told = {"status": "pending", "request_state": "received", "exceptions": [], "evidence_leaves": []}
    notice = StatusNotice.objects.create(controller_request=row, number=1, occurred_at=now, due_at=now, **told)
    return steps.create(controllers.KIND, notice.pk, ADDRESS)


def to_recipient() -> Delivery:
    """A recipient is to be told that Alice was forgotten."""
    scene.owed(scene.waiting(), url=ADDRESS)
    return Delivery.objects.get(kind=notices.KIND)


def press(client: Client, delivery_id: uuid.UUID) -> Page:
    """Send again, and the page that the browser is sent to."""
    response = client.post(reverse("portal:redeliver", args=[delivery_id]))
    assert (response.status_code, response["Location"]) == (302, URL)
    return seen(client, URL)


@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_and_auditors_send_nothing(method: str) -> None:
    delivery = give_up(to_webhook())
    again, audrey = reverse("portal:redeliver", args=[delivery.pk]), signed_in(cast.audrey())
    before = everything()
    assert getattr(Client(), method)(again)["Location"].startswith(reverse("portal:login"))
    response = getattr(audrey, method)(again)
    assert response.status_code == 403 and "another role" in page_of(response).text
    assert everything() == before


def test_forms_from_other_sites_send_nothing() -> None:
    delivery = give_up(to_webhook())
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.bob())
    assert client.post(reverse("portal:redeliver", args=[delivery.pk])).status_code == 403
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.GAVE_UP


def test_reading_the_address_of_the_button_leads_to_the_list() -> None:
    delivery = give_up(to_webhook())
    bob = signed_in(cast.bob())
    before = everything()
    for method in (bob.get, bob.head):
        response = method(reverse("portal:redeliver", args=[delivery.pk]))
        assert (response.status_code, response["Location"]) == (302, URL)
    assert bob.put(reverse("portal:redeliver", args=[delivery.pk])).status_code == 405
    assert everything() == before


def test_a_delivery_that_is_not_there_is_not_found() -> None:
    response = signed_in(cast.bob()).post(reverse("portal:redeliver", args=[SOMEWHERE]))
    assert response.status_code == 404 and page_of(response).problems == []


def test_what_is_tried_by_itself_is_not_sent_twice() -> None:
    delivery = to_webhook()
    bob = signed_in(cast.bob())
    assert seen(bob, URL).actions() == {"logout"}
    assert "it is tried again by itself" in press(bob, delivery.pk).text


BROKEN = {
    "a word": "newest",
    "no id": "2026-05-01T12:00:00+00:00_",
    "no zone": f"2026-05-01T12:00:00_{SOMEWHERE}",
    "outside the calendar": f"0001-01-01T00:00:00+23:59_{SOMEWHERE}",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_damaged_address_is_not_found(name: str) -> None:
    to_webhook()
    page = seen(signed_in(cast.bob()), f"{URL}?{urlencode({'after': BROKEN[name]})}", status=404)
    assert page.problems == []


def test_an_empty_log_says_what_would_fill_it() -> None:
    page = seen(signed_in(cast.bob()), URL)
    assert "Nothing was sent yet" in page.text and page.problems == [] and not page.all("table")


MAKERS = {
    "Webhook": (to_webhook, "crm crm.example.org Webhook, request.completed request 00000000"),
    "OpenDSR callback": (callback, "acme crm.example.org OpenDSR callback, status pending request"),
    "Notice to a recipient": (to_recipient, "Fabrikam SAS crm.example.org Notice to a recipient, GDPR 19"),
}


@pytest.mark.parametrize("user", [cast.bob, cast.dana])
@pytest.mark.parametrize("kind", MAKERS)
def test_what_was_given_up_stands_on_top_and_is_sent_again(kind: str, user: Callable[[], User]) -> None:
    make, text = MAKERS[kind]
    delivery = give_up(make())
    client = signed_in(user())
    page = seen(client, URL)
    assert page.problems == [] and page.actions() == {"logout", "redeliver"}
    assert page.text.index("Given up: 1") < page.text.index("All deliveries")
    assert page.text.count(text) == 2 and "answer 500" in page.text
    assert "Deliveries 1 given up" in page.text
    page = press(client, delivery.pk)
    assert "It is being sent again." in page.text and "Given up:" not in page.text
    delivery.refresh_from_db()
    assert (delivery.status, delivery.alarmed_at) == (DeliveryStatus.PENDING, None)


def test_a_recipients_notice_that_is_sent_again_is_not_given_up_any_more() -> None:
    delivery = give_up(to_recipient())
    Notice.objects.update(gave_up_at=delivery.alarmed_at)
    press(signed_in(cast.bob()), delivery.pk)
    assert Notice.objects.get().gave_up_at is None


def test_a_notice_that_nobody_is_owed_any_more_is_a_sentence() -> None:
    delivery = give_up(to_recipient())
    Notice.objects.update(status="sent")
    response = signed_in(cast.bob()).post(reverse("portal:redeliver", args=[delivery.pk]))
    assert messages(response)[0].startswith("Only a notice that is owed")


def test_what_was_taken_in_is_sent_again_to_a_webhook_alone() -> None:
    delivery = delivered(to_webhook())
    delivered(callback())
    bob = signed_in(cast.bob())
    page = seen(bob, URL)
    again = [form.attributes["action"] for form in page.all("form") if "redeliver" in form.attributes["action"]]
    assert again == [reverse("portal:redeliver", args=[delivery.pk])]
    assert "It is being sent again." in press(bob, delivery.pk).text


def test_what_it_tells_of_may_be_gone() -> None:
    delivery = give_up(to_webhook())
    Delivery.objects.filter(pk=delivery.pk).update(kind="carrier_pigeon")
    page = seen(signed_in(cast.bob()), URL)
    assert "unknown crm.example.org carrier pigeon" in page.text
    assert page.actions() == {"logout"} and page.problems == []


def test_a_try_without_an_answer_is_told_in_words() -> None:
    delivery = to_webhook()
    now = datetime.now(tz=UTC)
    DeliveryAttempt.objects.create(delivery=delivery, at=now, failure=Failure.NO_CONNECTION)
    assert Failure.NO_CONNECTION.label in seen(signed_in(cast.bob()), URL).text


def test_neither_a_path_nor_a_person_is_shown() -> None:
    for make, _ in MAKERS.values():
        give_up(make())
    page = seen(signed_in(cast.dana()), URL)
    assert "Given up: 3" in page.text
    assert SECRET_PATH not in page.html and cast.MARK not in page.html


def test_every_page_says_how_many_were_given_up_to_those_who_can_act() -> None:
    hooks.hook(ADDRESS)
    for _ in range(2):
        give_up(hooks.happens()[0])
    for url in (reverse("portal:requests"), "/ledger/"):
        assert "Deliveries 2 given up" in seen(signed_in(cast.bob()), url).text
        assert "given up" not in seen(signed_in(cast.audrey()), url).text
        assert "given up" not in seen(signed_in(cast.staff("erin")), url, status=403).text


def test_no_alarm_is_no_number() -> None:
    to_webhook()
    assert "given up" not in seen(signed_in(cast.bob()), reverse("portal:requests")).text


def test_pages_lead_through_all_and_alarms_stand_on_the_first() -> None:
    hooks.hook(ADDRESS)
    made = [hooks.happens()[0] for _ in range(2 * outbound.PAGE_ROWS + 3)]
    first = datetime.now(tz=UTC) - timedelta(days=1)
    for number, delivery in enumerate(made):
        Delivery.objects.filter(pk=delivery.pk).update(created_at=first + timedelta(seconds=number))
    give_up(made[0], first)
    bob = signed_in(cast.bob())
    pages, url = [], URL
    while url:
        pages.append(seen(bob, url))
        links = pages[-1].all("a", rel="next")
        url = links[0].attributes["href"] if links else ""
        assert len(pages) <= 3
    assert ["Given up:" in page.text for page in pages] == [True, False, False]
    assert [page.text.count("crm.example.org") for page in pages] == [51, 50, 3]
    assert [bool(page.all("a", href=URL)) and "Newest deliveries" in page.text for page in pages] == [
        False,
        True,
        True,
    ]
    assert all(page.problems == [] for page in pages)


def test_it_costs_the_same_number_of_queries_however_much_there_is() -> None:
    for make, _ in MAKERS.values():
        give_up(make())
    bob = signed_in(cast.bob())
    costs = []
    for n_more in (1, 8):
        for _ in range(n_more):
            give_up(hooks.happens()[0])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            seen(bob, URL)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_an_account_with_two_roles_sends_in_one_that_may() -> None:
    delivery = give_up(to_webhook())
    dora = signed_in(cast.staff("dora", Role.AUDITOR, Role.DPO))
    assert "It is being sent again." in press(dora, delivery.pk).text
