"""How Alembic runs our steps: on the connection it is given, inside that connection's transaction."""

from alembic import context

from scim_service.storage import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
