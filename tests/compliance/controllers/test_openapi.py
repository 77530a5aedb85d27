"""The published description: valid in itself, complete, and true of what really comes and goes."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types

from compliance.api.opendsr import urls
from compliance.api.opendsr.openapi import document
from compliance.requests.states import RequestState
from tests.compliance.controllers.caller import CALLBACK_URL, Caller, creation, email, members_of
from tests.compliance.controllers.installation import registered, row_of
from tests.compliance.controllers.test_endpoints import BODIES
from tests.compliance.controllers.test_reporting import brought_to
from tests.compliance.opendsr.authority import DOMAIN
from tests.compliance.opendsr.messages import without

pytestmark = pytest.mark.django_db
PUBLISHED = document(DOMAIN)
CREATE = "CreateRequest2"


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({**PUBLISHED, "$ref": f"#/components/schemas/{name}"})


def test_what_the_schema_refuses_is_refused_and_what_it_takes_is_taken() -> None:
    caller = Caller(registered().token)
    full = creation(
        subject_identities=[email(), email("a" * 32, "md5")],
        status_callback_urls=[CALLBACK_URL],
        extensions={DOMAIN: {"ground": "art17_1_a", "locale": "fr"}, "other.example": {}},
    )
    assert validator(CREATE).is_valid(full)
    assert caller.create(full).status_code == 201
    for name in PUBLISHED["components"]["schemas"][CREATE]["required"]:
        assert not validator(CREATE).is_valid(without(full, name)), name
        assert caller.create(without(full, name)).status_code == 400, name
    assert validator("CreateRequest1").is_valid(without(full, "regulation"))
    assert not validator(CREATE).is_valid(BODIES["a wish that is unknown"])


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    for name, schema in PUBLISHED["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert list(validator(name).iter_errors(None)), name
    for reference in references(PUBLISHED):
        assert reference.removeprefix("#/components/schemas/") in PUBLISHED["components"]["schemas"]


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for each in value for found in references(each)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if "$ref" in value else []
    return own + [found for each in value.values() for found in references(each)]


def test_each_address_is_described_and_no_other_is() -> None:
    routed = {str(pattern.pattern) for pattern in urls.urlpatterns[:-1]}
    described = {
        "^"
        + path.lstrip("/").replace(".", r"\.").replace("{subject_request_id}", "(?P<subject_request_id>[^/]+)")
        + r"\Z"
        for path in PUBLISHED["paths"]
    }
    unversioned = {route for route in routed if route.startswith("^opengdpr_requests")}
    assert routed - unversioned == described
    assert len(unversioned) == 3


def test_what_is_answered_is_what_is_described() -> None:
    caller = Caller(registered().token)
    for name, path in {"Discovery": "/v2/discovery", "Error": "/v2/nowhere"}.items():
        validator(name).validate(members_of(caller.get(path)))
    validator("Acknowledgement").validate(members_of(caller.create(creation())))
    validator("Error").validate(members_of(caller.create(BODIES["no address"])))
    request_id = caller.created()
    validator("Cancellation").validate(members_of(caller.cancel(request_id)))
    ended = brought_to(caller, RequestState.COMPLETED)
    validator("Status").validate(members_of(caller.ask(ended)))
    validator("Evidence").validate(members_of(caller.get(f"/v2/requests/{ended}/evidence")))
    assert row_of(ended).status_told == "completed"


def test_it_is_published() -> None:
    assert members_of(Caller().get("/v2/openapi.json")) == PUBLISHED
