"""The schema is complete, valid, and the same as what the endpoints do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft4Validator  # type: ignore[import-untyped]  # it comes without types

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


def test_every_operation_of_staff_names_the_scope_that_a_client_needs(schema: dict[str, Any]) -> None:
    scopes = {
        name: way["client"]
        for name, operation in _operations(schema).items()
        for way in operation.get("security", ())
        if "client" in way
    }
    assert len(scopes) > 30
    assert all(len(needed) == 1 for needed in scopes.values()), scopes
    assert scopes["GET /api/v1/staff/requests"] == ["requests:read"]
    assert scopes["POST /api/v1/staff/requests"] == ["requests:write"]
    assert scopes["POST /api/v1/staff/requests/{request_id}/unveil"] == ["identities:unveil"]


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


def _contents(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every body and answer that is described: its place, its media type, and what is said."""
    for name, operation in _operations(schema).items():
        parts = {status: answer.get("content", {}) for status, answer in operation["responses"].items()}
        parts["body"] = operation.get("requestBody", {}).get("content", {})
        for part, contents in parts.items():
            for media_type, content in contents.items():
                yield f"{name} {part}", media_type, content


def test_every_body_and_answer_has_an_example(schema: dict[str, Any]) -> None:
    """But archives and the trust file, which are bytes."""
    contents = list(_contents(schema))
    without = {
        place
        for place, _, content in contents
        if content["schema"].get("format") != "binary" and not content.get("examples")
    }
    assert without == set()
    assert len(contents) > 200


def test_every_example_is_what_its_schema_says(schema: dict[str, Any]) -> None:
    for place, _, content in _contents(schema):
        resolved = _without_nullable({**content["schema"], "components": schema["components"]})
        for example in content.get("examples", {}).values():
            errors = [error.message for error in Draft4Validator(resolved).iter_errors(example["value"])]
            assert not errors, (place, errors)
            properties = _properties(content["schema"], schema)
            if isinstance(example["value"], dict) and properties:
                assert set(example["value"]) <= properties, place


def _without_nullable(node: Any) -> Any:
    """JSON Schema says null as a type where OpenAPI 3.0 says nullable."""
    if isinstance(node, list):
        return [_without_nullable(member) for member in node]
    if not isinstance(node, dict):
        return node
    changed = {name: _without_nullable(member) for name, member in node.items()}
    return {"anyOf": [changed, {"type": "null"}]} if changed.pop("nullable", False) else changed


def _properties(described: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    name = described.get("$ref", "").rpartition("/")[2]
    return set(schema["components"]["schemas"].get(name, {}).get("properties", {}))


def test_the_file_in_the_documentation_is_what_is_generated(tmp_path: Path) -> None:
    """Make it anew with `manage.py spectacular --file docs/openapi.yaml`."""
    generated = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(generated))
    documented = settings.ROOT / "docs" / "openapi.yaml"
    assert yaml.safe_load(documented.read_text()) == yaml.safe_load(generated.read_text())
