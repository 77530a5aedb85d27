"""Every address of OpenDSR, in both versions of it, and under the earlier name without a version.

Next: compliance/api/opendsr/views.py
"""

from django.urls import URLPattern

from compliance.api.opendsr import views
from compliance.api.opendsr.endpoints import elsewhere, private, public
from compliance.api.opendsr.openapi import OPENAPI_PATH
from compliance.controllers.served import CERTIFICATE_PATH
from compliance.opendsr.dialect import DIALECTS, OPENDSR_2, OPENGDPR_1, Dialect

#: OpenDSR 2.0, section 10.1, names the earlier route so.
UNVERSIONED = "/opengdpr_requests"


def _requests(path: str, dialect: Dialect) -> list[URLPattern]:
    return [
        private(path, dialect, {"POST": views.create}),
        private(f"{path}/{{id}}", dialect, {"GET": views.status, "HEAD": views.status, "DELETE": views.cancel}),
        private(f"{path}/{{id}}/evidence", dialect, {"GET": views.evidence, "HEAD": views.evidence}),
    ]


urlpatterns = [
    public(CERTIFICATE_PATH, OPENDSR_2, views.certificate),
    public(OPENAPI_PATH, OPENDSR_2, views.openapi),
    *(public(dialect.discovery_path, dialect, views.discovery) for dialect in DIALECTS),
    *(pattern for dialect in DIALECTS for pattern in _requests(dialect.requests_path, dialect)),
    *_requests(UNVERSIONED, OPENGDPR_1),
    elsewhere(r"(?:v1|v2|opengdpr_requests)(?:/.*)?"),
]
