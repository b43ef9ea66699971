"""评价考核: schemes, periods with frozen figures and results, voices, appeals, consequences, credit; households of estates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _document(name: str, default: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text(f"'{default}'::jsonb"), nullable=False)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("estate", sa.Column("households", sa.Integer(), nullable=True))
    op.create_table(
        "scheme",
        _text("id"),
        _text("name"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("text"),
        _text("sha256"),
        _instant("published_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheme")),
    )
    op.create_table(
        "assessment",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("name"),
        _text("scheme"),
        _text("part"),
        _text("period"),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _text("state"),
        _instant("starts"),
        _instant("ends"),
        _instant("closes_at"),
        _instant("closed_at", nullable=True),
        _instant("published_at", nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        _text("bulletin", nullable=True),
        _text("bulletin_series", nullable=True),
        sa.Column("bulletin_year", sa.Integer(), nullable=True),
        sa.Column("bulletin_n", sa.Integer(), nullable=True),
        _text("reason", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        sa.UniqueConstraint("name", "period", "revision", name=op.f("uq_assessment_name_period_revision")),
    )
    op.create_index("ix_assessment_due", "assessment", ["closes_at"], postgresql_where=sa.text("state = 'due'"))
    _results()
    _people()
    op.create_index("ix_ledger_at", "ledger", ["at"], postgresql_using="brin")
    op.create_index("ix_clock_ended", "clock", ["ended_at"], postgresql_where=sa.text("ended_at IS NOT NULL"))
    op.create_index("ix_rating_at", "rating", ["at"])


def _results() -> None:
    op.create_table(
        "figure",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        _text("subject"),
        _text("peer"),
        _text("measure"),
        sa.Column("numerator", sa.Numeric(), nullable=False),
        sa.Column("denominator", sa.Numeric(), nullable=True),
        sa.Column("excluded", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cases", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("weights", postgresql.ARRAY(sa.Numeric()), nullable=False),
        sa.Column("excluded_cases", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessment.id"], name=op.f("fk_figure_assessment_id_assessment")),
        sa.PrimaryKeyConstraint("assessment_id", "subject", "peer", "measure", name=op.f("pk_figure")),
    )
    op.create_table(
        "result",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        _text("subject"),
        _text("peer"),
        sa.Column("orders", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.Numeric(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        _document("items", "[]"),
        sa.Column("lists", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("vetoed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessment.id"], name=op.f("fk_result_assessment_id_assessment")),
        sa.PrimaryKeyConstraint("assessment_id", "subject", "peer", name=op.f("pk_result")),
    )
    op.create_table(
        "consequence",
        _text("name"),
        _text("period"),
        _text("subject"),
        _text("peer"),
        _text("consequence"),
        _text("list"),
        _instant("at"),
        _text("grievance", nullable=True),
        sa.Column("credit_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("name", "period", "subject", "peer", "consequence", name=op.f("pk_consequence")),
    )
    op.create_index("ix_consequence_grievance", "consequence", ["grievance"])
    op.create_table(
        "credit",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("scheme"),
        _text("unit"),
        _text("item"),
        sa.Column("points", sa.Numeric(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("ends", sa.Uuid(), nullable=True),
        _text("cause"),
        _text("reason", nullable=True),
        _document("actor", "{}"),
        _instant("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit")),
        sa.UniqueConstraint("scheme", "unit", "item", "cause", name=op.f("uq_credit_scheme_unit_item_cause")),
    )
    op.create_index("ix_credit_unit", "credit", ["unit", "since"])


def _people() -> None:
    op.create_table(
        "voice",
        _text("name"),
        _text("period"),
        _text("input"),
        _text("subject"),
        _text("peer"),
        sa.Column("who", sa.LargeBinary(), nullable=False),
        sa.Column("score", sa.Numeric(), nullable=False),
        _document("detail", "{}"),
        _instant("at"),
        sa.PrimaryKeyConstraint("name", "period", "input", "subject", "peer", "who", name=op.f("pk_voice")),
    )
    op.create_table(
        "appeal",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("name"),
        _text("period"),
        sa.Column("revision", sa.Integer(), nullable=False),
        _text("subject"),
        _text("peer"),
        _text("measure", nullable=True),
        _text("grievance", nullable=True),
        _text("reason"),
        _text("unit"),
        _instant("at"),
        _instant("decided_at", nullable=True),
        sa.Column("upheld", sa.Boolean(), nullable=True),
        _text("note", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
    )
    op.create_index("ix_appeal_period", "appeal", ["name", "period", "at"])


def downgrade() -> None:
    for table in ("appeal", "voice", "credit", "consequence", "result", "figure", "assessment", "scheme"):
        op.drop_table(table)
    op.drop_index("ix_ledger_at", table_name="ledger")
    op.drop_index("ix_clock_ended", table_name="clock")
    op.drop_index("ix_rating_at", table_name="rating")
    op.drop_column("estate", "households")
