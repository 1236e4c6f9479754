"""What RFC 7644 knows and this service does not do yet: 501 with an SCIM body, and not advertised (decision 15)."""

from __future__ import annotations

from flask import Response

from scim_service import errors
from scim_service.endpoints.scim.routes import blueprint

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@blueprint.route("/Me", methods=METHODS)
def not_built() -> Response:
    """501 for /Me (3.11)."""
    raise errors.NotBuilt("This is not supported; see /ServiceProviderConfig for what is.")
