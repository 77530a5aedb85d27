"""What is known of a recipient, checked before it is stored."""

from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from django.conf import settings

from compliance.letters.layout import is_one_line
from compliance.outbound import endpoints
from compliance.outbound.errors import AddressRefusedError
from compliance.recipients import public_keys
from compliance.recipients.models import IdentifierForm, Recipient
from compliance.registry.models import RegisteredModel
from compliance.requests.choices import chosen
from compliance.requests.errors import InvalidInputError

_NAME_CHARACTERS, _CONTACT_CHARACTERS = 80, 300


@dataclass(frozen=True, kw_only=True)
class Details:
    """`models` are names of registered models; `url` is "" for a recipient that is told by other means."""

    models: tuple[str, ...]
    url: str = ""
    contact: str = ""
    public_key: str = ""
    identifier_form: str = IdentifierForm.PLAIN.value
    is_public: bool = False


def details_of(recipient: Recipient) -> Details:
    """Those that are stored."""
    return Details(
        models=tuple(recipient.models.values_list("name", flat=True)),
        url=recipient.url,
        contact=recipient.contact,
        public_key=recipient.public_key,
        identifier_form=recipient.identifier_form,
        is_public=recipient.is_public,
    )


def checked_name(name: str) -> str:
    """The name as letters print it; raises InvalidInputError."""
    return _line(name, "name", 1, _NAME_CHARACTERS)


def apply(recipient: Recipient, details: Details) -> None:
    """Put checked details on a row and save it; raises InvalidInputError. Call it inside a transaction."""
    models = _models(details.models)
    recipient.url = _url(details.url)
    recipient.contact = _line(details.contact, "contact", 0, _CONTACT_CHARACTERS)
    recipient.public_key = _pem(details.public_key)
    recipient.identifier_form = chosen(IdentifierForm, "identifier_form", details.identifier_form).value
    recipient.is_public = details.is_public
    recipient.save()
    recipient.models.set(models)


def refuse_without_tls(url: str) -> None:
    """A notice says whom it is about: raises InvalidInputError for an address without TLS, also for a host allowed by name."""
    if not url.startswith("https://") and not settings.DEBUG:
        raise InvalidInputError("url: expected an address that begins with https://, found one without TLS.")


def _url(url: str) -> str:
    if not url:
        return ""
    try:
        endpoints.parse(url)
    except AddressRefusedError as error:
        raise InvalidInputError(f"url: {error}") from error
    refuse_without_tls(url)
    return url


def _line(text: str, what: str, least: int, most: int) -> str:
    stripped = text.strip()
    if not least <= len(stripped) <= most or not is_one_line(stripped):
        raise InvalidInputError(f"{what}: expected one line of {least} to {most} characters, found something else.")
    return stripped


def _pem(text: str) -> str:
    """One spelling of a key, whatever stood around it."""
    if not text.strip():
        return ""
    key = public_keys.load(text)
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _models(names: tuple[str, ...]) -> list[RegisteredModel]:
    found = list(RegisteredModel.objects.filter(name__in=names))
    missing = sorted(set(names) - {model.name for model in found})
    if not names or missing:
        what = f"found none of the name {missing[0]!r}" if missing else "found no name"
        raise InvalidInputError(f"models: expected names of registered models, {what}.")
    return found
