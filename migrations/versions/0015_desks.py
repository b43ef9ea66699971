"""Desks of people: who of a unit does what, who stands in for whom until when, views that are kept, links for outside bodies."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "assignee",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("unit_code", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("by_account", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_assignee_account_id_account")),
        sa.ForeignKeyConstraint(["by_account"], ["account.id"], name=op.f("fk_assignee_by_account_account")),
        sa.PrimaryKeyConstraint("item_id", "unit_code", name=op.f("pk_assignee")),
    )
    op.create_index("ix_assignee_account", "assignee", ["account_id"], unique=False)
    op.create_table(
        "absence",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("stand_in", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_absence_account_id_account")),
        sa.ForeignKeyConstraint(["stand_in"], ["account.id"], name=op.f("fk_absence_stand_in_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_absence")),
    )
    op.create_index("ix_absence_stand_in", "absence", ["stand_in"], unique=False)
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_saved_view_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("account_id", "title", name=op.f("uq_saved_view_account_id_title")),
    )
    op.create_table(
        "task_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("unit_code", sa.Text(), nullable=False),
        sa.Column("by_account", sa.Uuid(), nullable=False),
        sa.Column("given_to", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_link_task_id_task")),
        sa.ForeignKeyConstraint(["by_account"], ["account.id"], name=op.f("fk_task_link_by_account_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_task_link_digest")),
    )
    op.create_index("ix_task_link_task", "task_link", ["task_id"], unique=False)


def downgrade() -> None:
    for table in ("task_link", "saved_view", "absence", "assignee"):
        op.drop_table(table)
