"""The posts of people within their unit (单位负责人): what a definition may ask of whoever signs."""

from typing import Final

from sqlalchemy.orm import Session

from wuye_loop.domain.directory.directory import posts_in
from wuye_loop.domain.privacy.access.holders import is_person, person_among

_OF_POSTS: Final = "SELECT name, duty FROM person WHERE unit_code = %(unit)s AND duty IS NOT NULL"
_ALL: Final = "SELECT name FROM person WHERE unit_code = %(unit)s"


def posts_of(session: Session, unit: str | None, holder: str | None) -> frozenset[str]:
    """Return the posts that a key's or an account's holder has in its unit; none where nobody is named, or two could be."""
    if unit is None or holder is None:
        return frozenset()
    connection, of = session.connection(), {"unit": unit}
    duties = {name: duty for name, duty in connection.exec_driver_sql(_OF_POSTS, of) if is_person(holder, name)}
    if not duties:
        return frozenset()
    # Of two of one name, one with the post and one without, a name without a number is neither's.
    who = person_among(holder, connection.exec_driver_sql(_ALL, of).scalars())
    return frozenset(posts_in(duties[who])) if who in duties else frozenset()
