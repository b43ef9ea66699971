"""How something was last entered in the register is found by an index: what is decided or destroyed is compared with it."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index("ix_register_entry", "register", ["kind", "key", "n"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_register_entry", table_name="register")
