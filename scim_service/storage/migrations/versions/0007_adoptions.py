"""An index of adoptions: whether there was one is asked with every write of a second connection (decision 1)."""

from alembic import op

from scim_service.storage.tables.audit import ADOPTED

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_audit_adoptions",
        "audit",
        ["tenant_id", "subject", "actor"],
        unique=False,
        sqlite_where=ADOPTED,
        postgresql_where=ADOPTED,
    )
