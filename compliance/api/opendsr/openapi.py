"""The OpenDSR surface as OpenAPI 3.1: made from the lists that the readers use, so that it says what they take.

Source: OpenAPI Specification 3.1.1; JSON Schema 2020-12.
"""

from collections.abc import Mapping
from typing import Any

from compliance.controllers import served
from compliance.controllers.wishes import MEMBERS
from compliance.opendsr import creation, members
from compliance.opendsr.dialect import DIALECTS, OPENDSR_2, Dialect
from compliance.opendsr.statuses import RequestStatus
from compliance.opendsr.vocabulary import IdentityFormat, IdentityType, Regulation, SubjectRequestType
from compliance.requests.choices import LOCALES
from compliance.requests.models import Ground

OPENAPI_PATH = "/v2/openapi.json"
Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_UUID4: Schema = {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"}
_SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_URL: Schema = {"type": "string", "format": "uri"}


def document(domain: str) -> Schema:
    """The whole document, for the processor at `domain`."""
    return {
        "openapi": "3.1.1",
        "info": {"title": "Expunge as an OpenDSR processor", "version": OPENDSR_2.api_version},
        "servers": [{"url": f"https://{domain}"}],
        "paths": {
            served.CERTIFICATE_PATH: {"get": _public("Certificate chain", "application/x-pem-file", _TEXT)},
            OPENAPI_PATH: {"get": _public("This document", "application/json", {"type": "object"})},
            **{dialect.discovery_path: {"get": _discovery()} for dialect in DIALECTS},
            **{path: item for dialect in DIALECTS for path, item in _requests(dialect).items()},
        },
        "components": {
            "securitySchemes": {"controller": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(domain),
        },
    }


def _requests(dialect: Dialect) -> Mapping[str, Schema]:
    one = f"{dialect.requests_path}/{{subject_request_id}}"
    named = {"name": "subject_request_id", "in": "path", "required": True, "schema": _UUID4}
    create = _signed("Create a request", dialect, 201, "Acknowledgement", (400, 401, 429, 503))
    create["requestBody"] = {"required": True, "content": _json(_ref(_create_name(dialect)))}
    create["callbacks"] = {"statusChanged": {"{$request.body#/status_callback_urls/0}": {"post": _callback(dialect)}}}
    known = (401, 404, 429, 503)
    return {
        dialect.requests_path: {"post": create},
        one: {
            "parameters": [named],
            "get": _signed("Status", dialect, 200, "Status", known),
            "delete": _signed("Cancel", dialect, 202, "Cancellation", (400, *known)),
        },
        f"{one}/evidence": {
            "parameters": [named],
            "get": _signed("Evidence of an ended request", dialect, 200, "Evidence", (*known, 410)),
        },
    }


def _create_name(dialect: Dialect) -> str:
    return f"CreateRequest{dialect.api_version.partition('.')[0]}"


def _callback(dialect: Dialect) -> Schema:
    return {
        "summary": "What we post when the status changes",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": _TEXT}
            for name in (dialect.domain_header, dialect.signature_header)
        ],
        "requestBody": {"required": True, "content": _json(_ref("Callback"))},
        "responses": {"202": {"description": "Taken in. Any other 2xx counts, too; everything else is tried again."}},
    }


def _signed(summary: str, dialect: Dialect, status: int, schema: str, refusals: tuple[int, ...]) -> Schema:
    signed = {
        dialect.domain_header: {"required": True, "schema": _TEXT},
        dialect.signature_header: {
            "required": True,
            "schema": {"type": "string", "contentEncoding": "base64"},
            "description": "RSA, PKCS #1 v1.5, SHA-256, over the raw body.",
        },
    }
    answers: Schema = {str(status): {"description": summary, "headers": signed, "content": _json(_ref(schema))}}
    for refusal in refusals:
        answers[str(refusal)] = {"description": "Refused", "content": _json(_ref("Error"))}
    return {"summary": summary, "security": [{"controller": []}], "responses": answers}


def _public(summary: str, media_type: str, schema: Schema) -> Schema:
    answer = {"description": summary, "content": {media_type: {"schema": schema}}}
    return {"summary": summary, "security": [], "responses": {"200": answer}}


def _discovery() -> Schema:
    return _public("What this processor serves", "application/json", _ref("Discovery"))


def _schemas(domain: str) -> Schema:
    common = {"controller_id": _TEXT, "subject_request_id": _UUID4}
    extensions = _object({domain: _ref("Outcome")}, ())
    told = {
        **common,
        "request_status": _words(RequestStatus),
        "expected_completion_time": _TIME,
        "results_url": _nullable(_URL),
        "results_count": _nullable({"type": "integer", "minimum": 0}),
        "extensions": extensions,
    }
    acknowledged = {
        **common,
        "expected_completion_time": _TIME,
        "received_time": _TIME,
        "encoded_request": {"type": "string", "contentEncoding": "base64"},
        "extensions": extensions,
    }
    leaf = _object({"result": _TEXT, "assurance": _TEXT, "leaf_sha256": _SHA256})
    return {
        "Identity": _identity(),
        **{_create_name(dialect): _create(dialect, domain) for dialect in DIALECTS},
        "Acknowledgement": _object(acknowledged),
        "Status": _object({**told, "api_version": _TEXT}),
        "Callback": _object({**told, "status_callback_url": _URL}),
        "Cancellation": _object({**common, "received_time": _TIME, "api_version": _TEXT}),
        "Evidence": _object({**common, "evidence": _array(leaf), "evidence_sha256": _nullable(_SHA256)}),
        "Discovery": _discovery_schema(),
        "Outcome": _outcome(),
        "Error": _error(),
    }


def _identity() -> Schema:
    value = {"type": "string", "minLength": 1, "maxLength": members.MAX_TEXT_CHARACTERS}
    kind = {"identity_type": _words(IdentityType), "identity_format": _words(IdentityFormat)}
    return _object({**kind, "identity_value": value})


def _create(dialect: Dialect, domain: str) -> Schema:
    wishes = {"ground": _words(Ground.values), "locale": _words(LOCALES)}
    own = _object({name: wishes[name] for name in MEMBERS}, ())
    required: dict[str, Schema] = {
        "subject_request_id": _UUID4,
        "subject_request_type": _words([SubjectRequestType.ERASURE.value]),
        "subject_identities": {"minItems": 1, **_array(_ref("Identity"), creation.MAX_IDENTITIES)},
        "submitted_time": _TIME,
    }
    if dialect.default_regulation is None:
        required["regulation"] = _words(Regulation)
    optional = {
        "regulation": _words(Regulation),
        "api_version": _TEXT,
        "status_callback_urls": _array(_URL, creation.MAX_CALLBACK_URLS),
        # Those of other processors are theirs, and not read.
        "extensions": {"type": "object", "properties": {domain: own}},
    }
    return {"type": "object", "properties": {**optional, **required}, "required": sorted(required)}


def _discovery_schema() -> Schema:
    kind = _object({"identity_type": _words(IdentityType), "identity_format": _words(IdentityFormat)})
    return _object(
        {
            "api_version": _TEXT,
            "supported_identities": _array(kind),
            "supported_subject_request_types": _array(_words(SubjectRequestType)),
            "processor_certificate": _URL,
        }
    )


def _outcome() -> Schema:
    kind = _object({"identity_type": _words(IdentityType), "identity_format": _words(IdentityFormat)})
    return _object(
        {
            "result": _nullable(_TEXT),
            "refusal_code": _nullable(_TEXT),
            "exceptions": _array(_TEXT),
            "due_time": _nullable(_TIME),
            "evidence_sha256": _nullable(_SHA256),
            "ignored_identities": _array(kind),
        }
    )


def _error() -> Schema:
    detail = _object({"domain": _TEXT, "reason": _TEXT, "message": _TEXT})
    error = {"code": {"type": "integer"}, "message": _TEXT, "errors": _array(detail)}
    return _object({"error": _object(error, ("code", "message"))})


def _object(properties: Mapping[str, Schema], required: tuple[str, ...] | None = None) -> Schema:
    """An object with these members and no others; all are required where nothing else is said."""
    needed = sorted(properties) if required is None else list(required)
    return {"type": "object", "properties": dict(properties), "required": needed, "additionalProperties": False}


def _array(items: Schema, max_items: int | None = None) -> Schema:
    return {"type": "array", "items": items, **({} if max_items is None else {"maxItems": max_items})}


def _words(words: Any) -> Schema:
    return {"type": "string", "enum": [str(word) for word in words]}


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}
