"""The WSGI entry point that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from compliance.content_types import guarded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "compliance.settings")
application = guarded(get_wsgi_application())
