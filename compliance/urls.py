"""The ways in: the API, the public pages, the staff portal, and the two addresses a supervisor of the process asks.

Next: compliance/api/subjects/views.py
"""

from django.urls import include, path, re_path

from compliance.api.handlers import UnknownEndpoint
from compliance.api.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/", include("compliance.api.urls")),
    re_path(r"^api/", UnknownEndpoint.as_view()),
    path("identity/", include("compliance.identity.urls")),
    path("erasure/", include("compliance.public.urls")),
    path("", include("compliance.api.opendsr.urls")),
    path("", include("compliance.portal.urls")),
]

handler400 = "compliance.api.handlers.bad_request"
handler403 = "compliance.api.handlers.forbidden"
handler404 = "compliance.api.handlers.not_found"
handler500 = "compliance.api.handlers.server_error"
