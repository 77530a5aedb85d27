"""What a POST body may hold: exactly the declared members, of exactly the declared types.

Messages name our own members and never what was sent: a value may be personal data, and so may a member's name.
"""

from functools import cache
from typing import Any

from django.db.models import TextChoices
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request


class TextField(serializers.CharField):
    """A JSON string. The framework's own field also takes numbers and turns them into text."""

    def to_internal_value(self, data: Any) -> str:
        """The string as it was sent; raises ValidationError for every other type."""
        if not isinstance(data, str):
            raise ValidationError("Expected a string.")
        return str(super().to_internal_value(data))


def one_of(choices: type[TextChoices] | tuple[str, ...], **options: Any) -> serializers.ChoiceField:
    """A field for one of these values; its message lists them and does not repeat what was sent."""
    values = list(choices) if isinstance(choices, tuple) else choices.values
    message = f"Expected one of: {', '.join(values)}."
    return serializers.ChoiceField(
        choices=values if isinstance(choices, tuple) else choices.choices,
        error_messages={"invalid_choice": message, "blank": message},
        **options,
    )


class NoMembers(serializers.Serializer[Any]):
    """An action that takes nothing but its address: no body, or `{}`."""


def read(body: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The checked members of the request's body; raises ValidationError or ParseError."""
    return check(body, request.data)


def read_query(query: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The checked parameters of an address; raises ValidationError, also for one that is there twice and takes one."""
    fields = _reader(query).fields
    given: dict[str, Any] = {}
    for name, values in request.query_params.lists():
        takes_many = isinstance(fields.get(name), serializers.ListField)
        if name in fields and not takes_many and len(values) > 1:
            raise ValidationError({name: "Expected it once."})
        given[name] = values if takes_many else values[-1]
    return check(query, given)


def check(body: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """The checked members of `data`, which is a body or the query of an address; raises ValidationError."""
    serializer = _reader(body)
    _refuse_unknown(serializer, data)
    return dict(serializer.run_validation(data))


@cache
def _reader(body: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """One serializer of this kind for all calls: reading keeps nothing in it, and making one copies all its fields."""
    serializer = body()
    _make_fields(serializer)
    return serializer


def _make_fields(serializer: serializers.Serializer[Any]) -> None:
    # Now, and not at the first call: two threads would make them at once.
    for field in serializer.fields.values():
        if isinstance(field, serializers.Serializer):
            _make_fields(field)


def _refuse_unknown(serializer: serializers.BaseSerializer[Any], data: Any) -> None:
    """Before the members are checked: a misspelt optional one would otherwise count as left out."""
    if not isinstance(data, dict):
        raise ValidationError("Expected a JSON object.")
    fields = getattr(serializer, "fields", {})
    if not set(data) <= set(fields):
        known = ", ".join(fields) or "none"
        raise ValidationError(f"Expected no members but these: {known}. Found another.")
    for name, field in fields.items():
        if isinstance(field, serializers.BaseSerializer) and name in data:
            try:
                _refuse_unknown(field, data[name])
            except ValidationError as error:
                raise ValidationError({name: error.detail}) from error
