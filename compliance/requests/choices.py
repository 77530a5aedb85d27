"""Values from outside against the lists of the law."""

from typing import TypeVar

from django.db.models import TextChoices

from compliance.requests.errors import InvalidInputError

ChoiceT = TypeVar("ChoiceT", bound=TextChoices)


def chosen(choices: type[ChoiceT], field: str, value: str) -> ChoiceT:
    """The member with this value; raises InvalidInputError that lists them. The value is not repeated."""
    try:
        return choices(value)
    except ValueError as error:
        raise InvalidInputError(f"{field} must be one of {', '.join(choices.values)}; found another value.") from error
