"""What staff fill in. A form checks the shape of the input; what the law and the state allow is checked by the actions."""

from collections.abc import Mapping
from typing import TypeVar

from django import forms

from compliance.requests.models import Ground, RefusalReason

FormT = TypeVar("FormT", bound=forms.Form)


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
        help_text="The person is told this reason, and where they can complain.",
        error_messages={
            "required": "Choose the reason: a request cannot be refused without one.",
            "invalid_choice": "Choose one of the reasons in the list.",
        },
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


def form_of(kind: type[FormT], data: Mapping[str, object] | None = None) -> FormT:
    """A form of this kind, with ids of its own: several forms stand on one page."""
    return kind(data, auto_id=f"{kind.__name__.lower()}-%s", label_suffix="")
