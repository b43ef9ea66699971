"""Whom a city's identity system means by an account: its issuer and subject."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("account", sa.Column("subject", sa.Text(), nullable=True))
    op.create_unique_constraint(op.f("uq_account_subject"), "account", ["subject"])


def downgrade() -> None:
    op.drop_constraint(op.f("uq_account_subject"), "account", type_="unique")
    op.drop_column("account", "subject")
