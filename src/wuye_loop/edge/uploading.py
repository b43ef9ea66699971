"""A file that somebody sends, kept with a grievance: allowed first, then written anew, then stored."""

from functools import partial

from fastapi import Request
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import TooLarge
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import Audience
from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.transact import outcome_of, read
from wuye_loop.loop import attachments
from wuye_loop.loop.engine import StepResult
from wuye_loop.uploads import kinds
from wuye_loop.uploads.labels import label
from wuye_loop.uploads.rewriting import Rewritten


async def _rewritten(request: Request, content: bytes) -> Rewritten:
    """Return what is kept of a file. Raises BadInput, UnsupportedMedia, TooLarge, Unavailable."""
    kind = kinds.kind_of(content)
    if len(content) > attachments.MOST_BYTES:
        raise TooLarge(f"一个文件最大 {attachments.MOST_BYTES // 1024 // 1024} MiB")
    file: Rewritten = await request.app.state.rewriting.rewrite(content, kind)
    return file


async def keep(
    request: Request, number: str, actor: Actor, content: bytes, name: str, audience: Audience = Audience.UNITS
) -> StepResult:
    """Keep a file with a grievance, under its name if it has one; nothing is decoded for whoever may not. Raises as attachments.upload does."""
    site = site_of(request)
    await read(site, lambda session: attachments.may_upload(site.loop, session, number, actor, audience))
    file = await _rewritten(request, content)
    called = label(name, file.media_type) if name else None
    return await outcome_of(site, partial(_keep, site, number, actor, file, audience, called))


def _keep(
    site: Site, number: str, actor: Actor, file: Rewritten, audience: Audience, name: str | None, session: Session
) -> StepResult:
    return attachments.upload(site.loop, session, number, actor, file, audience, name)
