"""How tables are written here: one metadata with named constraints, and the few kinds of column that there are."""

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, MetaData, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def instant(name: str, *, nullable: bool = False) -> Column[object]:
    """Return a column for an instant: always with its zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def words(name: str, *, nullable: bool = False, default: str | None = None) -> Column[object]:
    """Return a column for text."""
    return Column(name, Text, nullable=nullable, server_default=default)


def document_of(name: str, default: str) -> Column[object]:
    """Return a column for a JSON document with its default."""
    return Column(name, JSONB, nullable=False, server_default=text(f"'{default}'::jsonb"))


def word_list(name: str) -> Column[object]:
    """Return a column for a list of texts, empty unless given."""
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'::text[]"))


def count(name: str) -> Column[object]:
    """Return a column for a number that begins at 0."""
    return Column(name, Integer, nullable=False, server_default=text("0"))


def flag(name: str, *, default: bool = False) -> Column[object]:
    """Return a column for a truth value with its default."""
    return Column(name, Boolean, nullable=False, server_default=text("true" if default else "false"))


def of_grievance(*, primary_key: bool = False) -> Column[object]:
    """Return a column for the grievance that the row hangs on."""
    return Column("grievance_id", Uuid, ForeignKey("grievance.id"), nullable=False, primary_key=primary_key)
