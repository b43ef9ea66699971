"""The posts of people within their unit (单位负责人): what a definition may ask of whoever signs."""

from typing import Final

from sqlalchemy.orm import Session

from wuye_loop.domain.directory.directory import posts_in
from wuye_loop.domain.privacy.access.holders import is_person

_PEOPLE: Final = "SELECT name, duty FROM person WHERE unit_code = %(unit)s AND duty IS NOT NULL"


def posts_of(session: Session, unit: str | None, holder: str | None) -> frozenset[str]:
    """Return the posts that a key's or an account's holder has in its unit; none where nobody is named."""
    if unit is None or holder is None:
        return frozenset()
    rows = session.connection().exec_driver_sql(_PEOPLE, {"unit": unit})
    return frozenset(post for name, duty in rows if is_person(holder, name) for post in posts_in(duty))
