"""The public pages, each under its language. Reading is GET; every change is a POST to an address of its own."""

from django.urls import path, re_path, register_converter

from compliance.public.views import acts, asking, errors, following, opening
from compliance.public.words import available


class LanguageConverter:
    """A language that the pages are in."""

    regex = "|".join(available())

    def to_python(self, value: str) -> str:
        """Its code."""
        return value

    def to_url(self, value: str) -> str:
        """Its code."""
        return value


register_converter(LanguageConverter, "language")

app_name = "public"
_REQUEST = "<language:language>/requests/<uuid:request_id>/"
urlpatterns = [
    path("", asking.start, name="start"),
    path("<language:language>/", asking.home, name="home"),
    path("<language:language>/ask/", asking.ask, name="ask"),
    path("<language:language>/open/", opening.open_request, name="open"),
    path("<language:language>/forget/", opening.forget, name="forget"),
    path(_REQUEST, following.follow, name="follow"),
    path(f"{_REQUEST}code/", acts.enter_code, name="enter_code"),
    path(f"{_REQUEST}fresh-code/", acts.send_code, name="send_code"),
    path(f"{_REQUEST}answer/", acts.answer, name="answer"),
    path(f"{_REQUEST}withdraw/", acts.withdraw, name="withdraw"),
    path(f"{_REQUEST}complain/", acts.complain, name="complain"),
    # Whatever lies under this address and is no page is refused in the reader's language.
    re_path("", errors.not_found),
]
