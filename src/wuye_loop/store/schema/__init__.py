"""The tables as SQLAlchemy values: what Alembic compares and statements are written against."""

from wuye_loop.store.schema import account_tables, assessment_tables, document_tables, tables, tally_tables
from wuye_loop.store.schema.columns import metadata

__all__ = ["account_tables", "assessment_tables", "document_tables", "metadata", "tables", "tally_tables"]
