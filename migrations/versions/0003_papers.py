"""Documents with lines, rulings kept as precedents, orders that attach to an earlier one, and files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "document_line",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["document.number"], name=op.f("fk_document_line_number_document")),
        sa.ForeignKeyConstraint(
            ["grievance_id"], ["grievance.id"], name=op.f("fk_document_line_grievance_id_grievance")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_document_line_task_id_task")),
        sa.PrimaryKeyConstraint("number", "n", name=op.f("pk_document_line")),
    )
    op.create_index("ix_document_line_grievance", "document_line", ["grievance_id"], unique=False)
    op.create_table(
        "precedent",
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("from_unit", sa.Text(), nullable=True),
        sa.Column("to_unit", sa.Text(), nullable=True),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("area_path", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_precedent_grievance_id_grievance")),
        sa.PrimaryKeyConstraint("grievance_id", "seq", name=op.f("pk_precedent")),
    )
    op.create_index("ix_precedent_category", "precedent", ["category", "at"], unique=False)
    op.create_table(
        "attached_order",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("intake_digest", sa.LargeBinary(), nullable=False),
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["grievance_id"], ["grievance.id"], name=op.f("fk_attached_order_grievance_id_grievance")
        ),
        sa.PrimaryKeyConstraint("source", "external_id", name=op.f("pk_attached_order")),
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column(
            "actor", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_attachment_grievance_id_grievance")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment_grievance", "attachment", ["grievance_id", "at"], unique=False)


def downgrade() -> None:
    for table in ("attachment", "attached_order", "precedent", "document_line"):
        op.drop_table(table)
