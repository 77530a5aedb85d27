"""The auditor's bundle and the trust file, downloaded by auditors and data protection officers."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from compliance.evidence import trust as trusts
from compliance.evidence.errors import TrustFileError
from compliance.ledger.trust_file import current_trust
from compliance.portal.access import Viewer, only_for
from compliance.portal.permissions import BUNDLE_ROLES
from compliance.reports import request_bundle
from compliance.requests.errors import NotFoundError, RequestError


@require_safe
@only_for(*BUNDLE_ROLES)
def bundle(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """The ZIP archive; back to the page with a sentence while the ledger has not signed every entry."""
    try:
        archive = request_bundle.export(request_id)
    except NotFoundError as error:
        raise Http404(str(error)) from error
    except RequestError as error:
        messages.error(request, str(error))
        return redirect("portal:request", request_id)
    name = f"expunge-{request_id}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(archive, content_type="application/zip", headers=headers)


@require_safe
@only_for(*BUNDLE_ROLES)
def trust(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The trust file; back to the ledger's page with a sentence while no key is published."""
    try:
        content = trusts.write(current_trust())
    except TrustFileError as error:
        messages.error(request, str(error))
        return redirect("portal:ledger")
    headers = {"Content-Disposition": 'attachment; filename="trust.json"'}
    return HttpResponse(content, content_type="application/json", headers=headers)
