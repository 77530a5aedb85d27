"""What a data subject sends, and is told: the state, the dates, the reasons; never the identity, never our inside."""

from typing import Any, TypedDict

from django.urls import reverse
from rest_framework import serializers

from compliance.api.bodies import TextField, one_of
from compliance.identity.proving import still_needed
from compliance.registry.pseudonyms import IDENTIFIER_KINDS
from compliance.requests import clocks, queries
from compliance.requests.actions.ask_question import MAX_CHARACTERS
from compliance.requests.actions.submit import Submitted
from compliance.requests.choices import LOCALES
from compliance.requests.identities import CODE_DIGITS
from compliance.requests.models import DeletionRequest, Ground, RefusalReason, Regulation
from compliance.requests.states import RequestState, TargetState

#: RFC 5321 section 4.5.3.1.3: a path of 256 octets with its two angle brackets.
MAX_EMAIL = 254


class IdentifierBody(serializers.Serializer[Any]):
    """By what the person is known to the controller."""

    kind = one_of(IDENTIFIER_KINDS)
    value = TextField(max_length=MAX_EMAIL, trim_whitespace=False)


class SubmitBody(serializers.Serializer[Any]):
    """A deletion request."""

    identifier = IdentifierBody()
    ground = one_of(Ground, default=Ground.CONSENT_WITHDRAWN.value)
    regulation = one_of(Regulation, default=Regulation.GDPR.value)
    locale = one_of(LOCALES, default="en", help_text="the language of letters")


class CodeBody(serializers.Serializer[Any]):
    """The one-time code from the e-mail."""

    code = TextField(max_length=CODE_DIGITS, min_length=CODE_DIGITS, trim_whitespace=False)

    def validate_code(self, code: str) -> str:
        """ASCII digits: a slip of the keyboard costs no try."""
        if not (code.isascii() and code.isdigit()):
            raise serializers.ValidationError(f"Expected {CODE_DIGITS} digits.")
        return code


class AnswerBody(serializers.Serializer[Any]):
    """The person's answer to a question."""

    answer = TextField(max_length=MAX_CHARACTERS)


class ComplaintBody(serializers.Serializer[Any]):
    """What a model said, and to which question."""

    text = TextField(max_length=MAX_CHARACTERS)


class LinksSerializer(serializers.Serializer[Any]):
    """Where to go on; each takes the status token."""

    self = serializers.CharField()
    identity = serializers.CharField()
    identity_code = serializers.CharField()
    withdraw = serializers.CharField()
    answer = serializers.CharField()
    complaint = serializers.CharField()


class SubmittedSerializer(serializers.Serializer[Any]):
    """The receipt. The status token is shown here and never again."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    state_label = serializers.CharField()
    received_at = serializers.DateTimeField()
    status_token = serializers.CharField()
    links = LinksSerializer()


class RefusalSerializer(serializers.Serializer[Any]):
    """Art. 12(4) GDPR: why the request was refused."""

    reason = serializers.CharField()
    reason_label = serializers.CharField()


class ModelsSerializer(serializers.Serializer[Any]):
    """How many models hold data of the person; of them, how many have a new version, and how many the law excepts."""

    concerned = serializers.IntegerField()
    done = serializers.IntegerField()
    excepted = serializers.IntegerField()


class DatesSerializer(serializers.Serializer[Any]):
    """By when the answer is due, and why. `paused_due_date` is null while the controller waits for the person."""

    due_date = serializers.DateField()
    paused_due_date = serializers.DateField(allow_null=True)
    is_extended = serializers.BooleanField()
    because = serializers.ListField(child=serializers.CharField())


class LetterSerializer(serializers.Serializer[Any]):
    """A letter that was mailed, or is about to be."""

    kind = serializers.CharField()
    sent_at = serializers.DateTimeField(allow_null=True)


class EvidenceSummarySerializer(serializers.Serializer[Any]):
    """What was shown for one model: a result, how far it goes, and where it stands in the ledger."""

    result = serializers.CharField()
    assurance = serializers.CharField()
    leaf_sha256 = serializers.CharField()


class StatusSerializer(serializers.Serializer[Any]):
    """How far a request is."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    state_label = serializers.CharField()
    regulation = serializers.CharField()
    ground = serializers.CharField()
    received_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    refusal = RefusalSerializer(allow_null=True)
    dates = DatesSerializer()
    question = serializers.CharField(
        allow_null=True, help_text="what staff want to know, while they wait for an answer"
    )
    letters = LetterSerializer(many=True)
    evidence = EvidenceSummarySerializer(many=True)
    identity_level = serializers.IntegerField(help_text="how well the identity is proven so far: 0 to 3")
    still_needed = serializers.CharField(help_text="what is missing while a proof of identity is; else empty")
    models = ModelsSerializer(allow_null=True, help_text="null until the request is approved")
    links = LinksSerializer()


class Submission(TypedDict):
    """What `submit` takes of a person."""

    identifier_kind: str
    identifier_value: str
    ground: str
    regulation: str
    locale: str


def submission(asked: dict[str, Any]) -> Submission:
    """The members of a SubmitBody as `submit` takes them."""
    return {
        "identifier_kind": asked["identifier"]["kind"],
        "identifier_value": asked["identifier"]["value"],
        "ground": asked["ground"],
        "regulation": asked["regulation"],
        "locale": asked["locale"],
    }


def receipt(submitted: Submitted) -> dict[str, Any]:
    """The answer to a new request: what it was when it was received, also where it is given again."""
    request = submitted.request
    return {
        "id": request.pk,
        "state": RequestState.RECEIVED.value,
        "state_label": RequestState.RECEIVED.label,
        "received_at": request.received_at,
        "status_token": submitted.token,
        "links": _links(request),
    }


def status_of(request: DeletionRequest) -> dict[str, Any]:
    """The status as the subject may see it."""
    return {
        "id": request.pk,
        "state": request.state,
        "state_label": request.get_state_display(),
        "regulation": request.regulation,
        "ground": request.ground,
        "received_at": request.received_at,
        "changed_at": request.changed_at,
        "decided_at": request.decided_at,
        "closed_at": request.closed_at,
        "refusal": _refusal(request),
        "dates": _dates(request),
        "question": queries.open_question(request),
        "letters": list(request.letters.all()),
        "evidence": queries.evidence_summary(request),
        "identity_level": request.identity_level,
        "still_needed": still_needed(request),
        "models": _models(request),
        "links": _links(request),
    }


def _refusal(request: DeletionRequest) -> dict[str, str] | None:
    if not request.refusal_reason:
        return None
    return {"reason": request.refusal_reason, "reason_label": RefusalReason(request.refusal_reason).label}


def _dates(request: DeletionRequest) -> dict[str, Any]:
    dates = clocks.deadlines(request)
    return {
        "due_date": dates.current.due_date,
        "paused_due_date": dates.current.paused_due_date,
        "is_extended": dates.clock.extension_notice_at is not None,
        "because": dates.because,
    }


def _models(request: DeletionRequest) -> dict[str, int] | None:
    if request.scope is None:
        return None
    states = [target.state for target in request.targets.all() if target.state != TargetState.NOT_PRESENT]
    n_excepted = states.count(TargetState.EXCEPTED)
    return {"concerned": len(states), "done": states.count(TargetState.DEPLOYED), "excepted": n_excepted}


_BELOW = {
    "identity": "identity",
    "identity_code": "identity/code",
    "withdraw": "withdraw",
    "answer": "answer",
    "complaint": "complaint",
}


def _links(request: DeletionRequest) -> dict[str, str]:
    # One address is looked up and the others are below it: looking one up takes as long as storing a row.
    itself = reverse("api:request", args=[request.pk])
    return {"self": itself} | {rel: f"{itself}/{below}" for rel, below in _BELOW.items()}
