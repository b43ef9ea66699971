"""The tables of people who sign in: their accounts, their sessions, and the register of what was done with either."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint, Uuid

from wuye_loop.store.schema.columns import count, flag, instant, metadata, word_list, words

account = Table(
    "account",
    metadata,
    Column("id", Uuid, primary_key=True),
    words("login"),
    words("name"),
    words("role"),
    words("unit_code", nullable=True),
    words("area_code", nullable=True),
    words("area_path", nullable=True),
    words("source", nullable=True),  # of a hotline's people: whose external ids these are
    word_list("scopes"),
    words("password"),  # argon2id, with its salt and its costs
    flag("must_change", default=True),
    Column("totp", LargeBinary, nullable=True),  # sealed
    count("totp_used"),  # the last step whose code was taken: a code opens once
    count("failures"),
    instant("locked_until", nullable=True),
    instant("created_at"),
    instant("disabled_at", nullable=True),
    words("subject", nullable=True),  # whom the city's identity system means: issuer, a space, its word for the person
    UniqueConstraint("login"),
    UniqueConstraint("subject"),
)

account_session = Table(
    "account_session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # of the token, which only the browser has
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    words("address"),
    instant("created_at"),
    instant("seen_at"),
    instant("expires_at"),
    instant("ended_at", nullable=True),
    UniqueConstraint("digest"),
    Index("ix_account_session_account", "account_id", "created_at"),
)

account_event = Table(
    "account_event",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    words("what"),
    words("by"),  # a login, or who ran the command
    words("address"),
    instant("at"),
    Index("ix_account_event_at", "at", "id"),
)

#: Who of a unit does what lies with it: a matter of the unit's own, no fact of the grievance, and in no ledger.
assignee = Table(
    "assignee",
    metadata,
    Column("item_id", Uuid, primary_key=True),  # a grievance's or a task's
    Column("unit_code", Text, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    Column("by_account", Uuid, ForeignKey("account.id"), nullable=False),
    instant("at"),
    Index("ix_assignee_account", "account_id"),
)

absence = Table(
    "absence",
    metadata,
    Column("account_id", Uuid, ForeignKey("account.id"), primary_key=True),
    Column("stand_in", Uuid, ForeignKey("account.id"), nullable=False),
    instant("until"),  # not counted any more
    Index("ix_absence_stand_in", "stand_in"),
)

saved_view = Table(
    "saved_view",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    words("title"),
    words("query"),  # of the list's address
    instant("created_at"),
    UniqueConstraint("account_id", "title"),
)

#: A way for an outside body to answer one task in the name of the unit that holds it: once, and not for long.
task_link = Table(
    "task_link",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # of the token, which only the link has
    Column("task_id", Uuid, ForeignKey("task.id"), nullable=False),
    words("unit_code"),
    Column("by_account", Uuid, ForeignKey("account.id"), nullable=False),
    words("given_to"),
    instant("created_at"),
    instant("expires_at"),
    instant("ended_at", nullable=True),  # used, or taken back
    flag("used"),
    UniqueConstraint("digest"),
    Index("ix_task_link_task", "task_id"),
)
