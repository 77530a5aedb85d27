"""Values from outside against the lists of the law."""

from typing import TypeVar

from django.db.models import TextChoices

from compliance.requests.errors import InvalidInputError

#: The languages that letters and public pages are in.
LOCALES = ("en", "de", "fr", "es")
ChoiceT = TypeVar("ChoiceT", bound=TextChoices)


def chosen(choices: type[ChoiceT], field: str, value: str) -> ChoiceT:
    """The member with this value; raises InvalidInputError that lists them. The value is not repeated."""
    try:
        return choices(value)
    except ValueError as error:
        raise InvalidInputError(f"{field} must be one of {', '.join(choices.values)}; found another value.") from error


def locale_named(value: str) -> str:
    """The language of a tag such as de or de-AT; raises InvalidInputError for one that letters are not in."""
    language = value.replace("_", "-").partition("-")[0].lower()
    if language not in LOCALES:
        raise InvalidInputError(f"locale must be one of {', '.join(LOCALES)}; found another value.")
    return language
