"""How endpoints describe themselves in the OpenAPI schema: one decorator, so that every refusal has the same shape."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers

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


_REFUSALS = {
    400: "The request cannot be read, or holds values that are not allowed.",
    401: "Credentials are missing or not accepted.",
    403: "The account does not have the role, or this person may not do it.",
    404: "No such request, or a token that does not open it.",
    409: "The request is not in a state in which this can be done, or not yet.",
    415: "The body is not application/json.",
    429: "Too many requests; Retry-After says when to try again.",
}


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
) -> Callable[[ViewT], ViewT]:
    """The schema entry of one method of a view. `sent` and `answered` are its examples."""
    answer = OpenApiResponse(answers, description="Done.") if answers is None else answers
    responses: dict[tuple[int, str], Any] = {(status, media_type): answer}
    for refusal in refusals:
        responses[refusal, MEDIA_TYPE] = OpenApiResponse(ProblemSerializer, description=_REFUSALS[refusal])
    examples = []
    if sent is not None:
        examples.append(OpenApiExample("sent", value=sent, request_only=True))
    if answered is not None:
        examples.append(OpenApiExample("answered", value=answered, response_only=True, status_codes=[str(status)]))
    return extend_schema(
        operation_id=summary.lower().replace(" ", "_"),
        summary=summary,
        request=body,
        parameters=[] if query is None else [query],
        responses=responses,
        examples=examples,
    )


BYTES = OpenApiTypes.BINARY
TEXT = OpenApiTypes.STR
