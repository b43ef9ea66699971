"""The contract as a page: plain HTML from the OpenAPI document, with nothing to load, so that it opens on an intranet."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from wuye_loop.edge.strict_json import StrictRoute

router = APIRouter(route_class=StrictRoute, include_in_schema=False)

_STYLE = """
body{font:16px/1.6 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;margin:2rem auto;
max-width:60rem;padding:0 1rem;color:#1f2933}h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:2px solid #d9e2ec}
details{border:1px solid #d9e2ec;border-radius:6px;margin:.5rem 0;padding:.4rem .8rem}summary{cursor:pointer}
code,pre{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.86rem}pre{background:#f5f7fa;padding:.7rem;
overflow:auto;border-radius:4px}.verb{display:inline-block;min-width:3.4rem;font-weight:700;color:#0b6e4f}
.verb.post{color:#9b5d00}td,th{text-align:left;padding:.15rem .8rem .15rem 0;vertical-align:top}small{color:#627d98}
"""


@router.get("/v1/openapi.json")
async def contract(request: Request) -> JSONResponse:
    """Return the contract for programs."""
    return JSONResponse(request.app.openapi())


@router.get("/docs")
async def page(request: Request) -> HTMLResponse:
    """Show every door with its questions, its answers and an example of each."""
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
    return HTMLResponse("".join(_page(request.app.openapi())), headers=policy)


def _page(contract: dict[str, Any]) -> Iterator[str]:
    title = escape(contract["info"]["title"])
    yield f"<!doctype html><html lang=zh-CN><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
    yield f"<h1>{title} 接口</h1><p>每个请求带 <code>Authorization: Bearer wyl_live_…</code>。机器可读的合同："
    yield '<a href="/v1/openapi.json">/v1/openapi.json</a>。</p>'
    for tag, doors in _by_tag(contract).items():
        yield f"<h2>{escape(tag)}</h2>"
        for verb, path, door in doors:
            yield from _door(verb, path, door, contract)


def _by_tag(contract: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, verbs in contract["paths"].items():
        for verb, door in verbs.items():
            found.setdefault((door.get("tags") or ["其他"])[0], []).append((verb, path, door))
    return found


def _door(verb: str, path: str, door: dict[str, Any], contract: dict[str, Any]) -> Iterator[str]:
    yield f'<details><summary><span class="verb {verb}">{verb.upper()}</span> <code>{escape(path)}</code> '
    yield f"{escape(door.get('summary', ''))}</summary><p>{escape(door.get('description', ''))}</p>"
    if door.get("parameters"):
        yield "<table><tr><th>参数<th>在哪里<th>说明"
        for one in door["parameters"]:
            must = "必填" if one.get("required") else ""
            yield f"<tr><td><code>{escape(one['name'])}</code><td>{escape(one['in'])}"
            yield f"<td>{must} {escape(one.get('description', ''))}"
        yield "</table>"
    body = door.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        yield f"<p>请求</p>{_example(body, contract)}"
    for status, answer in door.get("responses", {}).items():
        yield f"<p><b>{escape(str(status))}</b> <small>{escape(answer.get('description', ''))}</small></p>"
        for kind, content in answer.get("content", {}).items():
            yield _example(content, contract) if kind == "application/json" else ""
    yield "</details>"


def _example(content: dict[str, Any], contract: dict[str, Any]) -> str:
    """Return the example of a body: its own, or that of the model it refers to."""
    schema = content.get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    model = contract.get("components", {}).get("schemas", {}).get(name, {})
    examples = content.get("examples") or schema.get("examples") or [None]
    listed = next(iter(examples.values())).get("value") if isinstance(examples, dict) else examples[0]
    example = content.get("example") or model.get("example") or listed
    return f"<pre>{escape(json.dumps(example, ensure_ascii=False, indent=2))}</pre>" if example else ""
