"""The application of one worker."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.django_scim2.settings")

from django.core.wsgi import get_wsgi_application

app = get_wsgi_application()
