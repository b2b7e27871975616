"""Runs the migrations over the connection that AppDatabase.migrate hands in."""

from alembic import context

from pipeline.store.tables.base import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=connection.dialect.name == "sqlite")
context.run_migrations()
