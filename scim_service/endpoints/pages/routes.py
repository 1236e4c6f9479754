"""The blueprint that every public page is on."""

from flask import Blueprint

blueprint = Blueprint("pages", __name__)
