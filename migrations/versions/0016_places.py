"""About where an area lies: its middle in degrees, for a picture of communities."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("area", sa.Column("lon", sa.Double(), nullable=True))
    op.add_column("area", sa.Column("lat", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("area", "lat")
    op.drop_column("area", "lon")
