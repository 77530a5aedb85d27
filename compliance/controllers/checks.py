"""`manage.py check`: key, certificate and domain of OpenDSR fit together, and when the certificate ends.

An age is a warning and no error: errors stop every command, and the ledger has to go on when a certificate ends. The
endpoints answer 503 from then on.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - the names of Django
from django.http.request import validate_host

from compliance.controllers import processor
from compliance.opendsr import certificates
from compliance.opendsr.errors import OpenDsrError

RENEW_BEFORE = timedelta(days=14)
_FILES = "See EXPUNGE_OPENDSR_DOMAIN, EXPUNGE_OPENDSR_KEY_PATH and EXPUNGE_OPENDSR_CERTIFICATE_PATH in docs/opendsr.md."


@register("opendsr")
def check_signer(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """What is wrong with the signing identity."""
    if not processor.is_switched_on():
        return []
    try:
        identity = processor.load()
    except (OpenDsrError, OSError) as error:
        return [Error(f"OpenDSR cannot sign: {error}", hint=_FILES, id="opendsr.E001")]
    return [*_age(identity.chain[0]), *_host(identity.domain)]


def _age(signer: x509.Certificate) -> list[CheckMessage]:
    now = datetime.now(tz=UTC)
    try:
        certificates.refuse_outside_validity(signer, now)
    except OpenDsrError as error:
        return [
            Warning(
                f"OpenDSR cannot sign: {error}",
                hint="Put a valid certificate into EXPUNGE_OPENDSR_CERTIFICATE_PATH. Until then callers get 503.",
                id="opendsr.W001",
            )
        ]
    if now + RENEW_BEFORE < signer.not_valid_after_utc:
        return []
    return [
        Warning(
            f"The OpenDSR certificate is valid until {signer.not_valid_after_utc.isoformat()} only.",
            hint="Renew it, and replace the file: no restart is needed.",
            id="opendsr.W002",
        )
    ]


def _host(domain: str) -> list[CheckMessage]:
    if validate_host(domain, settings.ALLOWED_HOSTS):
        return []
    return [
        Warning(
            f"Nobody reaches OpenDSR under {domain}: ALLOWED_HOSTS does not have it.",
            hint=f"Add {domain} to ALLOWED_HOSTS.",
            id="opendsr.W003",
        )
    ]
