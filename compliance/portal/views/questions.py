"""A question to the person, and what staff make of it when the answer comes another way."""

import uuid
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from compliance.portal.access import Viewer, only_for
from compliance.portal.forms import QuestionForm, SettlementForm, form_of, lines_of
from compliance.portal.permissions import roles_for
from compliance.portal.views.posting import act, carry_out, posted
from compliance.portal.views.requests import found, show
from compliance.requests.actions.answer_question import answer_question
from compliance.requests.actions.ask_question import ask_question as ask

_ASKERS = roles_for("request.question_asked")
_SETTLERS = roles_for("request.question_answered")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*_ASKERS)
@posted
def ask_question(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Mail the person a question; the request waits for the answer."""
    form = form_of(QuestionForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={"ask_question": form})
    do = partial(act, ask, request_id, viewer, _ASKERS, question=lines_of(form.cleaned_data["question"]))
    return carry_out(request, request_id, do, "Asked. The question is being mailed, and the request waits.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*_SETTLERS)
@posted
def settle_question(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Keep the answer that came another way, or why none is needed; the request is under review again."""
    form = form_of(SettlementForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={"settle_question": form})
    do = partial(act, answer_question, request_id, viewer, _SETTLERS, answer=lines_of(form.cleaned_data["answer"]))
    return carry_out(request, request_id, do, "Settled. The request is under review again.")
