"""The blueprint that every view of the product's door is on."""

from flask import Blueprint

blueprint = Blueprint("api", __name__)
