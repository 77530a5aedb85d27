"""A callback of OpenDSR: the status of one request, signed at the moment of sending. Nothing about a person.

The words are those of the notice, in each try the same; so is the signature, until key or certificate is renewed.
Source: OpenDSR 2.0, sections 8.5 and 8.6.
"""

from django.db.models import QuerySet

from compliance.controllers import processor, queries, reporting
from compliance.controllers.models import StatusNotice
from compliance.opendsr import responses
from compliance.opendsr.callbacks import Callback
from compliance.outbound.messages import Message
from compliance.outbound.models import Delivery


def is_wanted(delivery: Delivery) -> bool:
    """Whether the controller is active, and was not told of something later here. Each address has one try at least."""
    notice = _notices().filter(pk=delivery.subject_id).first()
    if notice is None or not notice.controller_request.controller.is_active:
        return False
    return delivery.n_tries <= 1 or not queries.is_overtaken(notice, delivery.url)


def render(delivery: Delivery) -> Message:
    """The callback with its two headers; raises SwitchedOffError or SignerUnavailableError."""
    signer = processor.signer()
    notice = _notices().get(pk=delivery.subject_id)
    row = notice.controller_request
    dialect = reporting.dialect_of(row)
    report = reporting.report(row, reporting.standing_told(notice), dialect, notice.occurred_at)
    body = Callback(report, delivery.url).to_bytes(signer.domain)
    return Message(body, {"Content-Type": responses.MEDIA_TYPE, **signer.headers(body, dialect)})


def _notices() -> QuerySet[StatusNotice]:
    return StatusNotice.objects.select_related("controller_request__controller")
