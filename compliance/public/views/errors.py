"""What went wrong, in the reader's language."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views import csrf

from compliance.public.pages import language_of_path, refused


def not_found(request: HttpRequest) -> HttpResponse:
    """404: there is no such page."""
    return refused(request, language_of_path(request), "not_found", 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that this site did not give out, or that grew too old: `CSRF_FAILURE_VIEW` of the settings."""
    if request.path.startswith(reverse("public:start")):
        return refused(request, language_of_path(request), "form_too_old", 403)
    return csrf.csrf_failure(request, reason)
