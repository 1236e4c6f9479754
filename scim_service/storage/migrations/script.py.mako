"""${message}."""

import sqlalchemy as sa
from alembic import op

from scim_service.storage.tables.columns import Instant, Key, Seq

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
