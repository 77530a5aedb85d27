"""What a person can do about a request: each a form, one domain call, a sentence, and back to the page."""

from collections.abc import Callable
from functools import partial, wraps

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from compliance.ledger.actors import subject_of
from compliance.public import limits, sent_forms
from compliance.public.follow_page import can_complain, can_withdraw
from compliance.public.forms import AnswerForm, CodeForm, ComplaintForm, form_of, lines_of
from compliance.public.pages import show, too_many
from compliance.public.views.asking import receipt
from compliance.public.views.following import OpenedView, for_opened, show_request
from compliance.public.words import Words
from compliance.requests.actions import answer_question, ask_for_code, confirm_identity
from compliance.requests.actions import complain as complaints
from compliance.requests.actions import withdraw as withdrawals
from compliance.requests.errors import IdentityError, RequestError
from compliance.requests.models import Channel, DeletionRequest

_any_method = require_http_methods(["GET", "HEAD", "POST"])


def _posted(view: OpenedView) -> OpenedView:
    """Let a view act on POST alone. A browser that arrives with GET, say by its back button, is shown the page."""

    @wraps(view)
    def guarded(request: HttpRequest, words: Words, deletion: DeletionRequest) -> HttpResponse:
        return view(request, words, deletion) if request.method == "POST" else _to_page(words, deletion)

    return guarded


def _limited(scope: str) -> Callable[[OpenedView], OpenedView]:
    """Count each POST under this scope, for the request that is open."""

    def decorate(view: OpenedView) -> OpenedView:
        @wraps(view)
        def guarded(request: HttpRequest, words: Words, deletion: DeletionRequest) -> HttpResponse:
            seconds = limits.seconds_to_wait(request, scope, deletion) if request.method == "POST" else None
            return view(request, words, deletion) if seconds is None else too_many(request, words, seconds)

        return guarded

    return decorate


@_any_method
@for_opened
@_posted
@_limited("identity")
def enter_code(request: HttpRequest, words: Words, deletion: DeletionRequest) -> HttpResponse:
    """The code from the mail."""
    form = form_of(CodeForm, words, request.POST)
    if not form.is_valid():
        return show_request(request, words, deletion, form, status=400)
    try:
        code = form.cleaned_data["code"]
        confirm_identity.confirm_identity(deletion.pk, actor=subject_of(deletion.pk), code=code)
    except IdentityError as error:
        form.add_error("code", words.refusal(error))
        return show_request(request, words, deletion, form, status=error.status)
    except RequestError as error:
        return _not_done(request, words, deletion, error)
    return _done(request, words, deletion, "done_code")


@_any_method
@for_opened
@_posted
@_limited("identity_code")
def send_code(request: HttpRequest, words: Words, deletion: DeletionRequest) -> HttpResponse:
    """A fresh code."""
    return _carry_out(request, words, deletion, partial(ask_for_code.ask_for_code, deletion.pk), "done_fresh_code")


@_any_method
@for_opened
@_posted
@_limited("subject")
def answer(request: HttpRequest, words: Words, deletion: DeletionRequest) -> HttpResponse:
    """The answer to a question of the staff."""
    form = form_of(AnswerForm, words, request.POST)
    if not form.is_valid():
        return show_request(request, words, deletion, form, status=400)
    text = lines_of(form.cleaned_data["answer"])
    do = partial(answer_question.answer_question, deletion.pk, actor=subject_of(deletion.pk), answer=text)
    return _carry_out(request, words, deletion, do, "done_answer")


@_any_method
@for_opened
@_limited("subject")
def withdraw(request: HttpRequest, words: Words, deletion: DeletionRequest) -> HttpResponse:
    """Asked once more, and then taken back."""
    if request.method == "POST":
        do = partial(withdrawals.withdraw, deletion.pk, actor=subject_of(deletion.pk))
        return _carry_out(request, words, deletion, do, "done_withdrawn")
    if not can_withdraw(deletion):
        return _to_page(words, deletion)
    return show(request, words, "withdraw", {"deletion": deletion})


@_any_method
@for_opened
@_limited("submit")
def complain(request: HttpRequest, words: Words, deletion: DeletionRequest) -> HttpResponse:
    """After the end: what a model still said becomes a new request, with a receipt of its own."""
    if request.method != "POST":
        if not can_complain(deletion):
            return _to_page(words, deletion)
        form = form_of(ComplaintForm, words, initial={"form_id": sent_forms.new_form_id()})
        return _complaint(request, words, deletion, form, 200)
    form = form_of(ComplaintForm, words, request.POST)
    if not form.is_valid():
        return _complaint(request, words, deletion, form, 400)
    said = form.cleaned_data
    earlier = sent_forms.made_by(request, said["form_id"])
    if earlier is not None:
        return redirect("public:follow", language=words.code, request_id=earlier)
    try:
        receive = partial(complaints.complain, deletion.pk, text=lines_of(said["text"]), channel=Channel.WEB)
        submitted = sent_forms.once(request, said["form_id"], receive)
    except RequestError as error:
        return _not_done(request, words, deletion, error)
    return receipt(request, words, submitted, said["form_id"])


def _complaint(request: HttpRequest, words: Words, deletion: DeletionRequest, form: Form, status: int) -> HttpResponse:
    return show(request, words, "complain", {"deletion": deletion, "form": form}, status=status)


def _carry_out(
    request: HttpRequest, words: Words, deletion: DeletionRequest, do: Callable[[], object], done: str
) -> HttpResponse:
    try:
        do()
    except RequestError as error:
        return _not_done(request, words, deletion, error)
    return _done(request, words, deletion, done)


def _done(request: HttpRequest, words: Words, deletion: DeletionRequest, key: str) -> HttpResponse:
    messages.success(request, words.text(key))
    return _to_page(words, deletion)


def _not_done(request: HttpRequest, words: Words, deletion: DeletionRequest, error: RequestError) -> HttpResponse:
    messages.error(request, words.refusal(error))
    return _to_page(words, deletion)


def _to_page(words: Words, deletion: DeletionRequest) -> HttpResponse:
    return redirect("public:follow", language=words.code, request_id=deletion.pk)
