"""Files of a grievance: put one in, read one. Bytes in, bytes out."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from wuye_loop.api.examples import FILE, FILES, answer, problems
from wuye_loop.api.grievances import Number, as_json
from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.terms import Audience
from wuye_loop.edge.actors import Caller
from wuye_loop.edge.multipart import MULTIPART, file_in, is_form
from wuye_loop.edge.site import site_of
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.edge.transact import read, reply
from wuye_loop.edge.uploading import keep
from wuye_loop.loop import attachments
from wuye_loop.uploads import kinds

router = APIRouter(route_class=StrictRoute, tags=["文件"])
_BYTES = {"type": "string", "format": "binary"}
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": _BYTES, "audience": {"type": "string", "enum": [one.value for one in Audience]}},
    "additionalProperties": False,
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {**{kind: {"schema": _BYTES} for kind in kinds.TAKEN}, MULTIPART: {"schema": _FORM}},
    }
}


class FileQuery(BaseModel):
    """Who may read the file (units), and what it is called; a misspelt parameter is refused, lest many read what few may."""

    model_config = ConfigDict(extra="forbid")
    audience: Audience | None = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


@router.post(
    "/v1/grievances/{number}/files",
    status_code=201,
    summary="上传文件",
    responses={**answer(FILE, status=201), **problems(401, 403, 404, 413, 415, 422, 503)},
    openapi_extra=_BODY,
)
async def upload(request: Request, actor: Caller, number: Number, query: Annotated[FileQuery, Query()]) -> Response:
    """请求正文就是文件本身，或 multipart/form-data 里的 file：JPEG、PNG、WebP、HEIC、PDF,至多 8 MiB,另存为 JPEG、PNG、PDF。

    图片和 PDF 解开后重新写过才保存，拍摄地点、手机、作者等信息不留。答复里的 file 可填进表单的文件字段。重发同一文件得到同一个 file。
    """
    content, name, audience = _sent(await request.body(), request.headers.get("content-type", ""), query)
    return reply(await keep(request, number, actor, content, name, audience))


def _sent(body: bytes, content_type: str, query: FileQuery) -> tuple[bytes, str, Audience]:
    """Return what was sent, its name, and for whom; a form says the latter two itself, the address may instead."""
    if not body or not is_form(content_type):
        return body, query.name or "", query.audience or Audience.UNITS
    sent = file_in(body, content_type, frozenset({"audience"}))
    said = sent.fields.get("audience")
    if said is not None and query.audience is not None:
        raise BadInput("audience 只能写一次", fields=[{"path": "body.audience", "problem": "地址里已经写了"}])
    try:
        form = FileQuery(audience=said or query.audience)
    except ValidationError:
        problem = {"path": "body.audience", "problem": "应为 public、units 或 internal"}
        raise BadInput("请求内容不符合要求，请按 fields 逐项改正", fields=[problem]) from None
    return sent.content, query.name or sent.filename, form.audience or Audience.UNITS


@router.get("/v1/grievances/{number}/files", summary="诉求的文件", responses=answer(FILES, 401, 404, 422, 503))
async def files(request: Request, actor: Caller, number: Number) -> Response:
    """诉求上本密钥看得到的文件:谁何时上传、多大、给谁看;内容另取。"""
    site = site_of(request)
    return as_json(
        {"items": await read(site, lambda session: attachments.listed(site.loop, session, number, actor), reader=actor)}
    )


@router.get(
    "/v1/files/{file_id}",
    summary="下载文件",
    responses={
        200: {
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7"}}
        },
        **problems(401, 404, 422, 503),
    },
)
async def download(request: Request, actor: Caller, file_id: UUID) -> Response:
    """管辖范围内诉求的文件，即保存下来的样子。"""
    site = site_of(request)
    found = await read(site, lambda session: attachments.download(site.loop, session, actor, file_id))
    called = f"; filename*=UTF-8''{quote(found.name, safe='')}" if found.name else ""
    headers = {
        "Content-Disposition": f"attachment{called}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "Cache-Control": "private, no-store",
        "ETag": f'"{found.sha256}"',
    }
    return Response(found.content, headers=headers, media_type=found.media_type)
