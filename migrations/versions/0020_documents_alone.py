"""A document may come from an assessment alone, without a grievance; what a list brought says which document it was."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.alter_column("document", "grievance_id", nullable=True)
    for name in ("scheme", "period", "title", "issuer"):
        op.add_column("document", sa.Column(name, sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_document_of_something"), "document", "(grievance_id IS NULL) = (scheme IS NOT NULL)"
    )
    op.add_column("credit_watch", sa.Column("trouble", sa.Text(), nullable=True))
    op.add_column("consequence", sa.Column("document", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("consequence", "document")
    op.drop_column("credit_watch", "trouble")
    op.drop_constraint(op.f("ck_document_of_something"), "document", type_="check")
    for name in ("issuer", "title", "period", "scheme"):
        op.drop_column("document", name)
    op.alter_column("document", "grievance_id", nullable=False)
