"""The queue of CRM changes holds one entry for each batch instead of one for each row. What is queued moves over."""

from alembic import op
import sqlalchemy as sa
import pipeline.store.types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = pipeline.store.types.UtcDateTime(timezone=True)
ROWS = 1_000  # in one entry, as pushes and imports have it


def upgrade() -> None:
    op.create_table(
        "crm_change_batches",
        sa.Column("id", BIG_SERIAL, autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("external_ids_json", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    ids = "json_group_array(external_id)" if is_sqlite else "json_agg(external_id ORDER BY id)::text"
    op.execute(
        f"""
        INSERT INTO crm_change_batches (organization_id, kind, external_ids_json, rows, changed_at)
        SELECT organization_id, kind, {ids}, count(*), changed_at
        FROM (
            SELECT crm_changes.*,
                (row_number() OVER (PARTITION BY organization_id, kind, changed_at ORDER BY id) - 1) / {ROWS} AS part
            FROM crm_changes ORDER BY id
        ) AS queued
        GROUP BY organization_id, kind, changed_at, part
        ORDER BY min(id)
        """  # noqa: S608 - composed of constants
    )
    op.drop_table("crm_changes")


def downgrade() -> None:
    op.create_table(
        "crm_changes",
        sa.Column("id", BIG_SERIAL, autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    each = (
        "json_each(batch.external_ids_json) AS one"
        if is_sqlite
        else "json_array_elements_text(batch.external_ids_json::json) WITH ORDINALITY AS one (value, key)"
    )
    op.execute(
        f"""
        INSERT INTO crm_changes (organization_id, kind, external_id, changed_at)
        SELECT batch.organization_id, batch.kind, one.value, batch.changed_at
        FROM crm_change_batches AS batch CROSS JOIN {each}
        ORDER BY batch.id, one.key
        """  # noqa: S608 - composed of constants
    )
    op.drop_table("crm_change_batches")
