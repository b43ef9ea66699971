"""What is kept beside the grievances so that a reader need not read them all: sums for boards, and words to search by.

Folded in from what changed (store/tallying): a step writes none of it. No foreign keys: each would lock a grievance's row at
every folding, and no grievance is ever removed.
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, Numeric, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from wuye_loop.store.schema.columns import count, instant, metadata, word_list, words

#: What is counted of a grievance, each once or not at all; the place of a name here is its bit in `tallied.counts`.
COUNTED = (
    "open", "closed", "overdue_closed", "rated", "satisfied", "unrated", "untimed", "late", "asked_response", "responded",
    "unresponse", "asked_solved", "solved", "unsolved", "overdue_closed_unit", "late_unit",
)  # fmt: skip

tallied = Table(
    "tallied",
    metadata,
    Column("grievance_id", Uuid, primary_key=True),
    words("area_path"),
    words("unit", nullable=True),
    words("estate", nullable=True),
    words("category", nullable=True),
    words("rung", nullable=True),
    words("state"),  # stage, state and version
    Column("counts", Integer, nullable=False),
    Column("weighed", Numeric, nullable=True),
    instant("due_at", nullable=True),  # of open ones
    Column("reached", Integer, nullable=True),  # the rung that its assessed clock has reached, of open ones
    words("channel", nullable=True),
    instant("received_at", nullable=True),
    instant("closed_at", nullable=True),
    Column("shares", JSONB, nullable=True),  # what units did of it: (unit, kind, number)
    Column("units", ARRAY(Text), nullable=True),  # that have a part in it; none where they are too long for an index
    Index(
        "ix_tallied_due",
        "due_at",
        postgresql_where=text("due_at IS NOT NULL"),
        postgresql_include=["area_path", "unit", "estate", "category", "rung", "state", "grievance_id"],
    ),
    Index("ix_tallied_marks", text("marks(units, category, state, due_at)"), postgresql_using="gin"),
    Index(
        "ix_tallied_open",
        "area_path",
        postgresql_ops={"area_path": "text_pattern_ops"},
        postgresql_where=text("due_at IS NOT NULL"),
        postgresql_include=["received_at", "grievance_id", "units", "estate", "category", "state", "counts", "due_at"],
    ),
    Index(
        "ix_tallied_received",
        "received_at",
        "grievance_id",
        postgresql_include=["area_path", "units", "estate", "category", "state", "counts", "due_at"],
    ),
)

tally = Table(
    "tally",
    metadata,
    Column("dimension", Text, primary_key=True),
    Column("key", Text, primary_key=True),  # =E1; empty where a grievance has none
    Column("area_path", Text, primary_key=True),
    *(count(name) for name in COUNTED),
    Column("weighed", Numeric, nullable=False, server_default=text("0")),
    count("overdue_open"),  # at the instant that the mark names
)

tally_mark = Table(
    "tally_mark",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True),
    Column(
        "upto", BigInteger, nullable=True
    ),  # changes of transactions before this one are in the sums; none: no sums yet
    Column("good", JSONB, nullable=True),  # by which answers they were counted
    instant("recent", nullable=True),  # when the newest few thousand grievances began to come in
    instant("newest", nullable=True),  # and the last of them
    instant("late_at", nullable=True),  # when what is overdue was overdue
    instant("since", nullable=True),  # from when on days and repetitions are kept: the beginning of a day
    words("zone", nullable=True),  # whose days
)

# What came in and what was closed on each of the last days, for an area with all below it: also for "", which is everything.
tally_day = Table(
    "tally_day",
    metadata,
    Column("area_path", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("channel", Text, primary_key=True),
    count("received"),
    count("closed"),
)

# What units did, of what they see: clocks that ended and how many in time, those that are late, and ratings.
tally_share = Table(
    "tally_share",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    count("number"),
)

# What came in during the same days, by estate and category.
tally_again = Table(
    "tally_again",
    metadata,
    Column("area_path", Text, primary_key=True),
    Column("estate", Text, primary_key=True),
    Column("category", Text, primary_key=True),
    count("number"),
    count("open"),
)

# By every two characters that follow one another, and the last alone: Chinese has no spaces to cut words at.
searched = Table(
    "searched",
    metadata,
    Column("grievance_id", Uuid, primary_key=True),
    words("area_path"),
    words("said"),  # title, number and external id, in lower case
    Index("ix_searched_area_path", "area_path", postgresql_ops={"area_path": "text_pattern_ops"}),
    word_list("labels"),  # units that have a part in it, the month it came in
    Index("ix_searched_grams", text("grams(said, labels)"), postgresql_using="gin"),
)
