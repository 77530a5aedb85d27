"""What staff fill in. A form checks the shape of the input; what the law and the state allow is checked by the actions."""

from collections.abc import Mapping
from typing import TypeVar

from django import forms

from compliance.identity.methods.manual import LEVEL_BY_MEANS, Means
from compliance.requests.actions.ask_question import MAX_CHARACTERS
from compliance.requests.actions.unveil import UnveilingReason
from compliance.requests.models import ExtensionReason, Ground, HoldReason, RefusalReason

FormT = TypeVar("FormT", bound=forms.Form)
# In groups, so that whoever fills it in sees what the means prove.
_MEANS = [
    (f"Proves level {level}", [(means.value, means.label) for means in Means if LEVEL_BY_MEANS[means] == level])
    for level in sorted(set(LEVEL_BY_MEANS.values()))
]


class IdentityProofForm(forms.Form):
    """How staff checked who asks. There is no place for a remark: none is to hold personal data."""

    means = forms.ChoiceField(
        label="How you checked who asks",
        choices=[("", "Choose the means"), *_MEANS],
        help_text="Give every document back, and keep no copy.",
        error_messages={
            "required": "Choose how you checked it: an identity is not confirmed without a check.",
            "invalid_choice": "Choose one of the means in the list.",
        },
    )


class UnveilingForm(forms.Form):
    """Why somebody has to know who it is."""

    reason = forms.ChoiceField(
        label="Why you have to know",
        choices=[("", "Choose a reason"), *UnveilingReason.choices],
        help_text="The ledger keeps the reason, with your id, for good.",
        error_messages={
            "required": "Choose the reason: an identity is not read without one.",
            "invalid_choice": "Choose one of the reasons in the list.",
        },
    )


class ApprovalForm(forms.Form):
    """The ground of Art. 17(1) GDPR that the data protection officer accepts."""

    ground = forms.ChoiceField(
        label="Legal ground you accept",
        choices=[("", "Choose a ground"), *Ground.choices],
        help_text="It may differ from the ground that the person relied on.",
        error_messages={
            "required": "Choose the ground on which the data has to go.",
            "invalid_choice": "Choose one of the grounds in the list.",
        },
    )


class RefusalForm(forms.Form):
    """The reason the law gives for refusing."""

    reason = forms.ChoiceField(
        label="Reason for refusing",
        choices=[("", "Choose a reason"), *RefusalReason.choices],
        help_text="The person is told this reason, and where they can complain. "
        "For Art. 11, every declared data source must have been searched.",
        error_messages={
            "required": "Choose the reason: a request cannot be refused without one.",
            "invalid_choice": "Choose one of the reasons in the list.",
        },
    )
    words = forms.CharField(
        label="The facts behind it (optional)",
        required=False,
        max_length=MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="They go into the letter to the person.",
    )


class WithdrawalForm(forms.Form):
    """Withdrawing closes the request for good, so it takes a deliberate tick."""

    confirmed = forms.BooleanField(
        label="The person has asked us to withdraw this request.",
        error_messages={"required": "Tick the box to confirm that the person asked for this."},
    )


class SignOffForm(forms.Form):
    """The second person states that they looked."""

    confirmed = forms.BooleanField(
        label="I have read the findings and the evidence of every model.",
        error_messages={"required": "Tick the box once you have read the findings and the evidence."},
    )


class QuestionForm(forms.Form):
    """What the person is asked."""

    question = forms.CharField(
        label="Question to the person",
        max_length=MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="It is mailed as it stands here. Ask only for what is needed to find their data.",
        error_messages={"required": "Write the question that the person is to answer."},
    )


class SettlementForm(forms.Form):
    """The answer that came another way, or why it is not needed."""

    answer = forms.CharField(
        label="The answer, or why you go on without it",
        max_length=MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For an answer that came by telephone or letter. It is sealed with the request.",
        error_messages={"required": "Write the answer, or why you go on without it."},
    )


class ExtensionForm(forms.Form):
    """Why the answer takes longer: the two reasons of Art. 12(3) GDPR."""

    reason = forms.ChoiceField(
        label="Reason for the extension",
        choices=[("", "Choose a reason"), *ExtensionReason.choices],
        help_text="The person is told this reason. A period is extended once.",
        error_messages={
            "required": "Choose the reason: a period cannot be extended without one.",
            "invalid_choice": "Choose one of the reasons in the list.",
        },
    )


class ExceptionForm(forms.Form):
    """The reason of law for which one model keeps what it learned, and the facts behind it."""

    reason = forms.ChoiceField(
        label="Reason in law",
        choices=[("", "Choose a reason"), *RefusalReason.choices],
        error_messages={
            "required": "Choose the reason: a model cannot be excepted without one.",
            "invalid_choice": "Choose one of the reasons in the list.",
        },
    )
    words = forms.CharField(
        label="The facts behind it",
        max_length=MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="They go into the letter to the person.",
        error_messages={"required": "Write the facts: the person has to be able to follow the reason."},
    )


class HoldForm(forms.Form):
    """Why a model must not be changed for now."""

    reason = forms.ChoiceField(
        label="Reason for the hold",
        choices=[("", "Choose a reason"), *HoldReason.choices],
        help_text="The request waits for the model, and its dates run on.",
        error_messages={
            "required": "Choose the reason: a model is not held without one.",
            "invalid_choice": "Choose one of the reasons in the list.",
        },
    )


def form_of(kind: type[FormT], data: Mapping[str, object] | None = None, *, name: str = "") -> FormT:
    """A form of this kind, with ids of its own: several forms stand on one page, those of the models by their name."""
    prefix = name.replace(" ", "-") or kind.__name__.lower()
    return kind(data, auto_id=f"{prefix}-%s", label_suffix="")


def focus_on_error(form: forms.Form) -> None:
    """Let the browser go to the first field that was filled in wrongly, wherever on the page it is."""
    for name in form.errors:
        if name in form.fields:
            form.fields[name].widget.attrs["autofocus"] = True
            return


def lines_of(text: str) -> str:
    """The text with one character at the end of a line: browsers send two."""
    return text.replace("\r\n", "\n")
