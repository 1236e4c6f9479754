"""The settings of the Django project: nothing that SCIM does not need, so that no time goes elsewhere."""

from __future__ import annotations

import json
import os

SECRET_KEY = "for measuring only, on the loopback interface"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "benchmarks.peers.django_scim2"]
MIDDLEWARE = ["benchmarks.peers.django_scim2.urls.token_middleware"]
ROOT_URLCONF = "benchmarks.peers.django_scim2.urls"
AUTH_USER_MODEL = "django_scim2.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LOGGING_CONFIG = None
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        **json.loads(os.environ.get("BENCH_DATABASE", "{}")),
    }
}
SCIM_SERVICE_PROVIDER = {
    "NETLOC": "localhost",
    "SCHEME": "http",
    "AUTHENTICATION_SCHEMES": [{"type": "oauthbearertoken", "name": "Bearer", "description": "A token"}],
    "GROUP_MODEL": "benchmarks.peers.django_scim2.models.Group",
    "USER_FILTER_PARSER": "benchmarks.peers.django_scim2.filters.UserFilters",
    "GROUP_FILTER_PARSER": "benchmarks.peers.django_scim2.filters.GroupFilters",
}
