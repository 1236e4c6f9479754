"""The blueprint that every SCIM view is on."""

from flask import Blueprint

blueprint = Blueprint("scim", __name__)
