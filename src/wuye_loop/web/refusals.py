"""What was refused, told in the form it was sent with: nothing that somebody typed is lost."""

from collections.abc import Iterable
from typing import Final

from starlette.datastructures import FormData

from wuye_loop.domain.errors import BadForm, BadInput, Conflict, Forbidden, Stale, TooLarge, UnsupportedMedia, WuyeError
from wuye_loop.web import fields
from wuye_loop.web.fields import Attempt

#: What is told beside the form; anything else is a page of its own.
REFUSED: Final = (BadForm, BadInput, Conflict, Forbidden, Stale, TooLarge, UnsupportedMedia)


def attempted(form_id: str, error: WuyeError, specs: Iterable[str], form: FormData) -> Attempt:
    """Return what was refused, to be shown in the form it was sent with."""
    return Attempt(form_id, _said(error), fields.kept(specs, form), _problems(error))


def _said(error: WuyeError) -> str:
    if isinstance(error, Stale):
        return "您看的时候，这件诉求有了新的变化。下面已是最新情况，您填的还在，核对后再办一次。"
    return error.detail


def _problems(error: WuyeError) -> dict[str, str]:
    listed = error.extra.get("fields")
    found = listed if isinstance(listed, list) else []
    return {str(one["path"]).rpartition(".")[2]: str(one["problem"]) for one in found}
