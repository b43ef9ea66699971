"""Files of a grievance: put one in, read one. Bytes in, bytes out."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from wuye_loop.api.examples import FILE, FILES, answer, problems
from wuye_loop.api.grievances import Number, as_json
from wuye_loop.domain.terms import Audience
from wuye_loop.edge.actors import Caller
from wuye_loop.edge.paging import NO_QUERY
from wuye_loop.edge.site import site_of
from wuye_loop.edge.transact import read, transact
from wuye_loop.loop import attachments

router = APIRouter(tags=["文件"])
_BODY = {"requestBody": {"required": True, "content": {kind: {} for kind in attachments.MEDIA_TYPES}}}


class FileQuery(BaseModel):
    """Who may read the file; a parameter misspelt is refused, lest a file meant for few be read by many."""

    model_config = ConfigDict(extra="forbid")
    audience: Audience = Audience.UNITS


@router.post(
    "/v1/grievances/{number}/files",
    status_code=201,
    summary="上传文件",
    responses={**answer(FILE, status=201), **problems(401, 403, 404, 413, 415, 422, 503)},
    openapi_extra=_BODY,
)
async def upload(request: Request, actor: Caller, number: Number, query: Annotated[FileQuery, Query()]) -> Response:
    """请求正文就是文件本身(JPEG、PNG、PDF,至多 8 MiB)。答复里的 file 可填进表单的文件字段。重发同一文件得到同一个 file。"""
    site = site_of(request)
    content = await request.body()
    return await transact(
        site, lambda session: attachments.upload(site.loop, session, number, actor, content, query.audience)
    )


@router.get(
    "/v1/grievances/{number}/files",
    dependencies=[NO_QUERY],
    summary="诉求的文件",
    responses=answer(FILES, 401, 404, 422, 503),
)
async def files(request: Request, actor: Caller, number: Number) -> Response:
    """诉求上本密钥看得到的文件:谁何时上传、多大、给谁看;内容另取。"""
    site = site_of(request)
    return as_json({"items": await read(site, lambda session: attachments.listed(site.loop, session, number, actor))})


@router.get(
    "/v1/files/{file_id}",
    dependencies=[NO_QUERY],
    summary="下载文件",
    responses={
        200: {
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7"}}
        },
        **problems(401, 404, 422, 503),
    },
)
async def download(request: Request, actor: Caller, file_id: UUID) -> Response:
    """管辖范围内诉求的文件，原样送回。"""
    site = site_of(request)
    found = await read(site, lambda session: attachments.download(site.loop, session, actor, file_id))
    headers = {
        "Content-Disposition": "attachment",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "Cache-Control": "private, no-store",
        "ETag": f'"{found.sha256}"',
    }
    return Response(found.content, headers=headers, media_type=found.media_type)
