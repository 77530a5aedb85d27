"""What operators and DPOs see, how many rows a page has, and how many queries it costs."""

import base64
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.registry.models import RegisteredModel
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api.caller import Caller, body_of, refused, staff

pytestmark = pytest.mark.django_db


def _cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        pytest.param({"state": "open"}, "#/state/0", id="no_state"),
        pytest.param({"state": ""}, "#/state/0", id="empty_state"),
        pytest.param({"state": "received\x00"}, "#/state/0", id="nul"),
        pytest.param({"stat": "received"}, "#", id="misspelt_filter"),
        pytest.param({"cursor": "abcde"}, "#/cursor", id="no_base64"),
        pytest.param({"cursor": "ü"}, "#/cursor", id="not_ascii"),
        pytest.param({"cursor": _cursor("o=-1")}, "#/cursor", id="negative_offset"),
        pytest.param({"cursor": _cursor("p=yesterday")}, "#/cursor", id="no_time"),
        pytest.param({"cursor": _cursor("p=2026-02-30 12:00:00+00:00")}, "#/cursor", id="no_such_day"),
        pytest.param({"cursor": _cursor("p=2026-02-20 12:00:00")}, "#/cursor", id="no_zone"),
        pytest.param({"cursor": _cursor("p=0001-01-01 00:00:00%2B14:00")}, "#/cursor", id="before_all_time"),
        pytest.param({"cursor": _cursor("p=9999-12-31 23:59:59-14:00")}, "#/cursor", id="after_all_time"),
        pytest.param({"cursor": "a" * 501}, "#/cursor", id="long"),
    ],
)
@pytest.mark.parametrize("name", ["staff-requests", "audit-requests"])
def test_a_list_refuses_a_query_that_it_does_not_know(name: str, query: dict[str, str], pointer: str) -> None:
    if name == "audit-requests" and "state" in query:
        pointer = "#"
    problem = refused(staff(cast.dana()).get(name, **query), 400, "invalid_input")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_the_list_keeps_one_state() -> None:
    cast.ask(cast.CHARLIE)
    alices = cast.brought_to(RequestState.UNDER_REVIEW)
    page = body_of(staff(cast.bob()).get("staff-requests", state="under_review"))
    assert [row["id"] for row in page["results"]] == [str(alices.request.pk)]
    assert page["next"] is None


def _pages(caller: Caller, name: str) -> list[list[str]]:
    pages, url = [], f"/api/v1/{name}/requests"
    while url:
        page = caller.http.get(url, headers={"Authorization": caller.authorization}).json()
        pages.append([row["id"] for row in page["results"]])
        url = page["next"]
    return pages


@pytest.mark.parametrize("name", ["staff", "audit"])
def test_pages_hold_fifty_newest_first_and_every_request_once(name: str) -> None:
    made = [str(cast.ask(f"person{number}@example.org").request.pk) for number in range(103)]
    pages = _pages(staff(cast.dana()), name)
    assert [len(page) for page in pages] == [50, 50, 3]
    assert [pk for page in pages for pk in page] == made[::-1]


def _n_queries(caller: Caller, name: str, *args: object) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert caller.get(name, *args).status_code == 200
    return len(queries)


@pytest.mark.parametrize("name", ["staff-requests", "audit-requests"])
def test_a_page_costs_the_same_queries_with_5_and_with_50_requests(name: str) -> None:
    for model in ("spam-filter", "ranking"):
        cast.model_of(model, *(f"person{number}@example.org" for number in range(3)))
    for number in range(3):
        submitted = cast.ask(f"person{number}@example.org")
        cast.prove(submitted.request.pk)
        cast.decide(submitted.request.pk)
    for number in range(2):
        cast.ask(f"early{number}@example.org")
    caller = staff(cast.dana())
    with_5 = _n_queries(caller, name)
    for number in range(45):
        cast.ask(f"late{number}@example.org")
    assert len(body_of(caller.get(name))["results"]) == 50
    assert _n_queries(caller, name) == with_5


@pytest.mark.parametrize("name", ["staff-request", "staff-models"])
def test_a_page_costs_the_same_queries_with_1_and_with_4_models(name: str) -> None:
    caller = staff(cast.bob())
    counts = []
    for names in (("one",), ("two", "three", "four")):
        for model in names:
            cast.model_of(model, cast.ALICE)
        alices = cast.brought_to(RequestState.SIGNOFF)
        args = (alices.request.pk,) if name == "staff-request" else ()
        counts.append(_n_queries(caller, name, *args))
        cast.second_signature(alices.request.pk)
    assert counts[0] == counts[1]


def _detail(state: RequestState) -> dict[str, Any]:
    alices = cast.brought_to(state)
    return dict(body_of(staff(cast.bob()).get("staff-request", alices.request.pk)))


def test_the_detail_shows_the_work_its_results_and_the_ledger() -> None:
    model = cast.model_of("spam-filter", cast.ALICE)
    cast.model_of("unconcerned", cast.CHARLIE)
    detail = _detail(RequestState.SIGNOFF)
    model.refresh_from_db()
    spam, unconcerned = detail["targets"]
    assert (spam["model"]["name"], spam["state"], spam["n_records"]) == ("spam-filter", "passed", 2)
    assert (unconcerned["state"], unconcerned["job"]) == ("not_present", None)
    assert (spam["job"]["state"], spam["job"]["progress"], spam["job"]["method"]) == ("succeeded", 1.0, "acu")
    assert model.head is not None
    assert model.live is not None
    assert (spam["job"]["before_sha256"], spam["job"]["after_sha256"]) == (model.live.sha256, model.head.sha256)
    assert [finding["verdict"] for finding in spam["findings"]] == ["pass", "pass"]
    assert [entry["result"] for entry in spam["evidence"]] == ["PASSED"]
    events = [entry["event_type"] for entry in detail["timeline"]]
    assert (events[0], events[-1]) == ("request.received", "evidence.attached")
    assert detail["timeline"][-1]["leaf_sha256"] == spam["evidence"][0]["leaf_sha256"]
    assert detail["timeline"][-1]["index"] is None, "it waits for its position"
    assert detail["timeline"][0]["index"] is not None


def test_the_detail_shows_why_a_job_failed() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    detail = _detail(RequestState.ATTENTION)
    (target,) = detail["targets"]
    assert (target["job"]["state"], target["job"]["failure"]) == ("failed", "The device ran out of memory.")
    assert target["job"]["after_sha256"] is None


def test_the_scope_is_what_an_approval_freezes() -> None:
    people: dict[str, tuple[str, ...]] = {"spam-filter": (cast.ALICE,), "unconcerned": ()}
    models = {cast.model_of(name, *members).pk: len(members) for name, members in people.items()}
    alices = cast.brought_to(RequestState.UNDER_REVIEW)
    dana = staff(cast.dana())
    preview = body_of(dana.get("staff-scope", alices.request.pk))
    assert {share["model"]: share["n_records"] for share in preview["models"]} == {
        str(pk): 2 * n_members for pk, n_members in models.items()
    }
    cast.decide(alices.request.pk)
    alices.request.refresh_from_db()
    assert {share.pop("exception") for share in preview["models"]} == {""}
    assert alices.request.scope == preview


def test_the_register_shows_models_versions_and_what_workers_can_do() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    alices = cast.brought_to(RequestState.COMPLETED)
    register = body_of(staff(cast.dana()).get("staff-models"))
    (model,) = register["models"]
    stored = RegisteredModel.objects.get()
    assert (model["name"], model["data_source"], model["live"]) == (
        "spam-filter",
        "spam-filter-rows",
        str(stored.live_id),
    )
    assert [(version["number"], version["status"]) for version in model["versions"]] == [(1, "superseded"), (2, "live")]
    assert model["versions"][0]["destroy_after"]
    assert {(card["kind"], card["name"]) for card in register["methods"]} == {
        ("method", "acu"),
        ("audit", "retrain_equality"),
        ("audit", "mia_loss"),
    }
    assert alices.request.state == RequestState.COMPLETED
