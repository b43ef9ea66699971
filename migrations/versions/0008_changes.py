"""What changed, in an order that can be followed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("tx", sa.BigInteger(), nullable=False),
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_change_grievance_id_grievance")),
        sa.PrimaryKeyConstraint("tx", "grievance_id", "seq", name=op.f("pk_change")),
    )
    op.create_index("ix_change_grievance", "change", ["grievance_id", "tx"], unique=False)
    # What there is already comes first, each grievance once.
    op.execute("INSERT INTO change (tx, grievance_id, seq) SELECT 0, id, seq FROM grievance")


def downgrade() -> None:
    op.drop_table("change")
