"""How endpoints describe themselves in the OpenAPI schema: one decorator, so that every refusal has the same shape."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework import serializers
from rest_framework.throttling import ScopedRateThrottle

from compliance.api import idempotency
from compliance.api.errors import MEDIA_TYPE

ViewT = TypeVar("ViewT", bound=Callable[..., Any])


class FieldErrorSerializer(serializers.Serializer[Any]):
    """What is wrong with one member of the body."""

    pointer = serializers.CharField(help_text="JSON Pointer into the body, as a URI fragment")
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal (RFC 9457). It never repeats what was sent."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="stable, for programs")
    detail = serializers.CharField(help_text="a sentence, for people")
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]  # the metaclass takes it away


# Status → what it means, and a code and a sentence as an example.
_REFUSALS = {
    400: (
        "The request cannot be read, or holds values that are not allowed.",
        "body_not_readable",
        "Expected JSON in UTF-8; the body is not UTF-8.",
    ),
    401: (
        "Credentials are missing or not accepted.",
        "not_authenticated",
        "This needs credentials; WWW-Authenticate names their kind.",
    ),
    403: (
        "The account does not have the role, or the token not the scope, or this person may not do it.",
        "role_missing",
        "This needs the role dpo, which your account does not have. Ask an administrator.",
    ),
    404: (
        "No such thing, or a token that does not open it.",
        "not_found",
        "There is nothing here, or nothing that you may see.",
    ),
    409: (
        "It is not in a state in which this can be done, or not yet.",
        "wrong_state",
        "The request is 'Withdrawn': no proof of identity is expected.",
    ),
    415: ("The body is of another media type.", "unsupported_media_type", "Send the body as application/json."),
    422: (
        "The Idempotency-Key was used for another body.",
        "idempotency_key_reused",
        "Idempotency-Key: expected a new key, or the same body as with the first request under it; found neither.",
    ),
    429: (
        "Too many requests; Retry-After says when to try again.",
        "too_many_requests",
        "Too many requests. Try again in 42 seconds.",
    ),
}
_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": idempotency.PATTERN},
    OpenApiParameter.HEADER,
    description="With the same key and the same body, the same answer comes again for 24 hours. A UUID is a good key.",
)


def described(
    summary: str,
    *,
    answers: Any = None,
    status: int = 200,
    body: Any = None,
    query: Any = None,
    media_type: str = "application/json",
    refusals: tuple[int, ...] = (),
    sent: dict[str, Any] | None = None,
    answered: Any = None,
    takes_key: bool = False,
) -> Callable[[ViewT], ViewT]:
    """The schema entry of one method of a view. `sent` and `answered` are its examples."""
    answer = OpenApiResponse(answers, description="Done.") if answers is None else answers
    responses: dict[tuple[int, str], Any] = {(status, media_type): answer}
    examples = []
    if body is not None:
        examples.append(OpenApiExample("sent", value=sent or {}, request_only=True))
    if answered is not None:
        examples.append(
            OpenApiExample(
                "answered", value=answered, response_only=True, status_codes=[str(status)], media_type=media_type
            )
        )
    for refusal in (*refusals, *((422,) if takes_key else ())):
        responses[refusal, MEDIA_TYPE] = OpenApiResponse(ProblemSerializer, description=_REFUSALS[refusal][0])
        examples.append(refused_example(refusal))
    return extend_schema(
        operation_id=summary.lower().replace(" ", "_"),
        summary=summary,
        request=body,
        parameters=[*([] if query is None else [query]), *([_KEY] if takes_key else [])],
        responses=responses,
        examples=examples,
    )


def refused_example(status: int) -> OpenApiExample:
    """A refusal with this status."""
    _, code, detail = _REFUSALS[status]
    value = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return OpenApiExample(code, value=value, response_only=True, status_codes=[str(status)], media_type=MEDIA_TYPE)


class SchemaView(SpectacularJSONAPIView):
    """The schema itself, for anyone, within a limit."""

    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "schema"


BYTES = OpenApiTypes.BINARY
OBJECT = OpenApiTypes.OBJECT
TEXT = OpenApiTypes.STR
