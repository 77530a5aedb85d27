"""What a person fills in. A form checks the shape of the input; what the law and the state allow the actions check."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError

from compliance.law.provisions import GROUNDS
from compliance.public.words import Words
from compliance.registry.pseudonyms import IDENTIFIER_KINDS, canonical_identifier
from compliance.requests.actions.ask_question import MAX_CHARACTERS
from compliance.requests.identities import CODE_DIGITS
from compliance.requests.models import Ground, Regulation

FormT = TypeVar("FormT", bound=forms.Form)

#: RFC 5321 section 4.5.3.1.3: a path of 256 octets with its two angle brackets.
MAX_EMAIL = 254
MAX_TOKEN = 128
_AS_IT_IS = {"autocapitalize": "none", "spellcheck": "false"}


class AskForm(forms.Form):
    """A deletion request. `form_id` tells a form that is sent again from a new one."""

    form_id = forms.CharField(required=False, max_length=36, widget=forms.HiddenInput)
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in IDENTIFIER_KINDS], initial=IDENTIFIER_KINDS[0])
    value = forms.CharField(max_length=MAX_EMAIL, widget=forms.EmailInput(attrs={"autocomplete": "email", **_AS_IT_IS}))
    ground = forms.ChoiceField(choices=Ground.choices, widget=forms.RadioSelect)
    regulation = forms.ChoiceField(choices=Regulation.choices, initial=Regulation.GDPR.value, widget=forms.RadioSelect)
    said = forms.CharField(required=False, max_length=MAX_CHARACTERS, widget=forms.Textarea(attrs={"rows": 4}))

    def clean(self) -> dict[str, Any]:
        """The identifier must have the one spelling under which it is looked up."""
        kind, value = self.cleaned_data.get("kind"), self.cleaned_data.get("value")
        if kind and value:
            try:
                canonical_identifier(kind, value)
            except ValueError:
                self.add_error("value", ValidationError(self.fields["value"].error_messages["invalid"], "invalid"))
        return self.cleaned_data


class OpenForm(forms.Form):
    """The number of a request and the key to it. Browsers may keep the pair, as they keep names and passwords."""

    request_id = forms.UUIDField(widget=forms.TextInput(attrs={"autocomplete": "username", **_AS_IT_IS}))
    # Never filled in again, whatever comes of it: a password field forgets what was typed.
    token = forms.CharField(
        max_length=MAX_TOKEN, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class CodeForm(forms.Form):
    """The one-time code from the mail."""

    code = forms.CharField(
        max_length=CODE_DIGITS * 2,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", **_AS_IT_IS}),
    )

    def clean_code(self) -> str:
        """ASCII digits, without the spaces that people put between them: a slip of the keyboard costs no try."""
        code = "".join(self.cleaned_data["code"].split())
        if not (code.isascii() and code.isdigit() and len(code) == CODE_DIGITS):
            raise ValidationError(self.fields["code"].error_messages["invalid"], "invalid")
        return code


class AnswerForm(forms.Form):
    """The person's answer to a question."""

    answer = forms.CharField(max_length=MAX_CHARACTERS, widget=forms.Textarea(attrs={"rows": 6}))


class ComplaintForm(forms.Form):
    """What a model still said, and to which question. `form_id` as in AskForm."""

    form_id = forms.CharField(required=False, max_length=36, widget=forms.HiddenInput)
    text = forms.CharField(max_length=MAX_CHARACTERS, widget=forms.Textarea(attrs={"rows": 6}))


def form_of(
    kind: type[FormT],
    words: Words,
    data: Mapping[str, object] | None = None,
    initial: Mapping[str, object] | None = None,
) -> FormT:
    """A form of this kind that speaks this language."""
    form = kind(data, initial=dict(initial or {}), auto_id="%s", label_suffix="")
    for name, field in form.fields.items():
        field.label = words.texts.get(f"label_{name}", "")
        field.help_text = words.texts.get(f"hint_{name}", "")
        field.error_messages.update(_messages(words, name))
    for name, choices in (("kind", kinds_in), ("ground", grounds_in), ("regulation", regulations_in)):
        choice = form.fields.get(name)
        if isinstance(choice, forms.ChoiceField):
            choice.choices = choices(words)
    if len(IDENTIFIER_KINDS) == 1 and "kind" in form.fields:
        form.fields["kind"].widget = forms.HiddenInput()
    return form


def kinds_in(words: Words) -> list[tuple[str, str]]:
    """By what a person may be known, in words."""
    return [(kind, words.text(f"kind_{kind}")) for kind in IDENTIFIER_KINDS]


def grounds_in(words: Words) -> list[tuple[str, str]]:
    """The grounds of Art. 17(1) GDPR, each with its article."""
    return [
        (code, f"{words.law.grounds[code].removesuffix('.')} ({words.law.cite(GROUNDS[code].article)}).")
        for code in Ground.values
    ]


def regulations_in(words: Words) -> list[tuple[str, str]]:
    """The laws a person may rely on."""
    return [(code, words.text(f"regulation_{code}")) for code in Regulation.values]


def lines_of(text: str) -> str:
    """The text with one character at the end of a line: browsers send two."""
    return text.replace("\r\n", "\n")


def _messages(words: Words, name: str) -> dict[str, str]:
    """Of each error that a field can have, a sentence: its own where there is one."""
    codes = ("required", "invalid", "invalid_choice", "max_length", "null_characters_not_allowed")
    texts = words.texts
    return {code: texts.get(f"error_{name}_{code}", texts[f"error_field_{code}"]) for code in codes}
