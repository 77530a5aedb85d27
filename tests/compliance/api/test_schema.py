"""The schema is complete, valid, and the same as what the endpoints do."""

from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from compliance.api.subjects.serializers import SubmitBody
from compliance.requests.models import Ground
from tests.compliance.api.caller import anonymous, body_of
from tests.compliance.api.test_authorisation import TABLE

REFUSAL = "application/problem+json"
TOKENS = "POST /api/v1/oauth/token"
OPEN = {"POST /api/v1/requests", "POST /api/v1/recipients/acknowledgements/{notice_id}"}


@pytest.fixture
def schema() -> dict[str, Any]:
    with GENERATOR_STATS.silence():
        generator: Any = SchemaGenerator
        return dict(generator().get_schema(request=None, public=True))


def _operations(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_valid_and_was_made_without_a_warning(schema: dict[str, Any]) -> None:
    validate: Any = validate_schema
    validate(schema)
    assert not GENERATOR_STATS


def test_it_describes_every_endpoint_but_itself(schema: dict[str, Any]) -> None:
    assert len(_operations(schema)) == len([endpoint for endpoint in TABLE if endpoint.name != "schema"])


def test_every_operation_says_who_may_call_it_and_how_it_refuses(schema: dict[str, Any]) -> None:
    for name, operation in _operations(schema).items():
        assert operation["summary"], name
        if name == TOKENS:
            # Its errors are those of RFC 6749, as every client of OAuth knows them.
            continue
        is_open = name in OPEN
        assert ("401" in operation["responses"]) is not is_open, name
        assert bool(operation.get("security", [{}]) != [{}]) is not is_open, name
        for status, response in operation["responses"].items():
            if status >= "400":
                assert set(response["content"]) == {REFUSAL}, name


def test_its_example_is_a_body_that_is_taken(schema: dict[str, Any]) -> None:
    body = _operations(schema)["POST /api/v1/requests"]["requestBody"]["content"]["application/json"]
    (example,) = body["examples"].values()
    assert SubmitBody(data=example["value"]).is_valid(raise_exception=True)


def test_its_lists_of_grounds_are_the_laws(schema: dict[str, Any]) -> None:
    grounds = [
        set(component["enum"])
        for component in schema["components"]["schemas"].values()
        if "art17_1_a" in component.get("enum", [])
    ]
    assert grounds
    assert all(listed == set(Ground.values) for listed in grounds)


def test_anyone_can_read_it() -> None:
    response = anonymous().get("schema")
    assert response.status_code == 200
    assert body_of(response)["openapi"].startswith("3.")
