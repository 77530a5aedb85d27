"""What staff fill in about recipients. A form checks the shape of the input; the actions check the rest."""

from collections.abc import Mapping
from typing import Any

from django import forms

from compliance.recipients.details import Details, details_of
from compliance.recipients.models import AcknowledgedResult, IdentifierForm, Impossibility, Recipient
from compliance.registry.models import RegisteredModel
from compliance.requests.actions.ask_question import MAX_CHARACTERS
from compliance.requests.models import RefusalReason

_DIGEST_HELP = "The SHA-256 of the file, as 64 hexadecimal digits. You keep the document; Expunge keeps a commitment."
MOST_MODELS_SHOWN = 8


class DetailsForm(forms.Form):
    """What is known of a recipient."""

    models = forms.MultipleChoiceField(
        label="Models it was given",
        help_text="It hears of these alone. Choose several with Ctrl or Command.",
        error_messages={
            "required": "Choose at least one model that it was given.",
            "invalid_choice": "Choose models in the list.",
        },
    )
    url = forms.CharField(
        label="Address for notices (optional)",
        required=False,
        max_length=2048,
        help_text="Begins with https://. Without one, staff tell it by other means.",
    )
    contact = forms.CharField(label="Whom to ask there (optional)", required=False, max_length=300)
    identifier_form = forms.ChoiceField(
        label="How it learns who it is about",
        choices=IdentifierForm.choices,
        help_text="By SHA-256 it finds only people whom it knows already.",
    )
    public_key = forms.CharField(
        label="Its public key (optional)",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="PEM, P-256 or Ed25519. With one, its answers must be signed.",
    )
    is_public = forms.BooleanField(
        label="It processes a model that was made public: it is asked to erase links and copies (Art. 17(2) GDPR).",
        required=False,
    )

    def __init__(self, data: Mapping[str, object] | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        names = list(RegisteredModel.objects.order_by("name").values_list("name", flat=True))
        field: Any = self.fields["models"]
        field.choices = [(name, name) for name in names]
        field.widget.attrs["size"] = max(2, min(len(names), MOST_MODELS_SHOWN))

    def details(self) -> Details:
        """What was filled in; after `is_valid`."""
        given = {name: self.cleaned_data[name] for name in DetailsForm.base_fields}
        given["public_key"] = given["public_key"].replace("\r\n", "\n")
        return Details(**{**given, "models": tuple(given["models"])})


class RecipientForm(DetailsForm):
    """A new recipient."""

    name = forms.CharField(
        label="Name",
        max_length=80,
        help_text="As letters to people name it. It cannot be changed.",
        error_messages={"required": "Write the name of the organisation."},
    )


class RetirementForm(forms.Form):
    """Retiring is for good, so it takes a deliberate tick."""

    confirmed = forms.BooleanField(
        label="It holds nothing of ours any more.",
        error_messages={"required": "Tick the box to confirm that it holds nothing of ours any more."},
    )


class ToldForm(forms.Form):
    """When and with what it was told."""

    told_date = forms.DateField(
        label="Day on which it was told",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": "Give the day.", "invalid": "Give the day as in 2026-05-31."},
    )
    document_sha256 = forms.CharField(
        label="Digest of the letter (optional)", required=False, max_length=64, help_text=_DIGEST_HELP
    )


class AcknowledgedForm(forms.Form):
    """What it answered on paper."""

    result = forms.ChoiceField(
        label="What it says",
        choices=[("", "Choose its answer"), *AcknowledgedResult.choices],
        error_messages={"required": "Choose what it says.", "invalid_choice": "Choose one of the answers in the list."},
    )
    refusal_reason = forms.ChoiceField(
        label="Reason, if it refuses",
        required=False,
        choices=[("", "It does not refuse"), *RefusalReason.choices],
        error_messages={"invalid_choice": "Choose one of the reasons in the list."},
    )
    document_sha256 = forms.CharField(
        label="Digest of what came",
        max_length=64,
        help_text=_DIGEST_HELP,
        error_messages={"required": "Give the digest of what came."},
    )


class ImpossibleForm(forms.Form):
    """Why it need not be told."""

    reason = forms.ChoiceField(
        label="Why it need not be told",
        choices=[("", "Choose a reason"), *Impossibility.choices],
        error_messages={
            "required": "Choose the reason that Art. 19 GDPR gives.",
            "invalid_choice": "Choose one of the reasons in the list.",
        },
    )
    words = forms.CharField(
        label="The facts behind it",
        max_length=MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="They are sealed with the request, and are not sent.",
        error_messages={"required": "Write the facts: an authority may ask for them."},
    )


def initial_of(recipient: Recipient) -> dict[str, Any]:
    """What the form of an active recipient begins with."""
    known = details_of(recipient)
    return {name: getattr(known, name) for name in DetailsForm.base_fields}
