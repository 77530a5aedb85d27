"""Days written out in a language, with the month names of Django's catalogues."""

from datetime import date

from django.utils import dateformat, translation


def written(day: date, code: str, pattern: str) -> str:
    """A day in Django's date format `pattern`, in the language of this code; a line never breaks behind the number."""
    with translation.override(code):
        return dateformat.format(day, pattern).replace(" ", "\N{NO-BREAK SPACE}", 1)
