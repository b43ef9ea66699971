"""The players' way into the loop: its HTTP doors, each with the key of whoever acts."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import httpx

T = TypeVar("T")
AT_ONCE: Final = 16  # requests on the way at the same time
_PAGE: Final = 200
_PATIENCE: Final = 60.0  # seconds for an answer
_ILLEGAL: Final = 409
_FAILED: Final = 300
_NOT_YOURS: Final = (403, 404)
_UNREADABLE: Final = 422


class PlayFailed(Exception):
    """A door answered what no player may cause; the message says which door and what it answered."""


@dataclass(slots=True)
class Doors:
    """Calls with everybody's key. An action that the state no longer allows (409) is remembered and answered by None."""

    keys: Mapping[str, str]  # who -> key
    calls: int = 0
    refused: list[str] = field(default_factory=list)
    _free: asyncio.Queue[httpx.AsyncClient] = field(default_factory=asyncio.Queue)

    @asynccontextmanager
    async def at(self, address: str, kept: float) -> AsyncIterator[None]:
        """Call the server at this address while the block runs, over connections that are kept so many seconds.

        A client for each connection: one pool for all of them costs as much as the requests themselves.
        """
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=kept)
        trust = ssl.create_default_context()  # once: making one takes longer than many requests
        async with AsyncExitStack() as stack:
            for _ in range(AT_ONCE):
                client = httpx.AsyncClient(
                    base_url=address, limits=limits, timeout=_PATIENCE, trust_env=False, verify=trust
                )
                self._free.put_nowait(await stack.enter_async_context(client))
            yield

    async def push(self, forms: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Push complaints in one batch; return the answer to each, in order."""
        return list((await self._call("hotline", "POST", "/v1/grievances:batch", {"items": forms}))["items"])

    async def push_one(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """Push one complaint, as it comes; return the receipt."""
        return {"status": 201, **(await self._call("hotline", "POST", "/v1/grievances", form))}

    async def act(self, who: str, number: str, action: str, form: Mapping[str, Any] | None = None) -> Any:
        """Take an action on a grievance; return the grievance as it is then."""
        return await self._try(who, f"/v1/grievances/{number}/actions/{action}", form)

    async def open(self, who: str, number: str, kind: str, form: Mapping[str, Any]) -> Any:
        """Open a task on a grievance; return the task."""
        return await self._try(who, f"/v1/grievances/{number}/tasks/{kind}", form)

    async def act_on_task(self, who: str, task: str, action: str, form: Mapping[str, Any] | None = None) -> Any:
        """Take an action on a task; return the task as it is then."""
        return await self._try(who, f"/v1/tasks/{task}/actions/{action}", form)

    async def free(self, who: str, path: str) -> list[str]:
        """Return the actions that somebody may take now on a grievance or a task; none where it is out of their sight."""
        return [one["action"] for one in (await self._offered(who, path))["actions"] if not one["blocked"]]

    async def may_open(self, who: str, number: str) -> list[str]:
        """Return the kinds of task that somebody may open now on a grievance."""
        offered = await self._offered(who, f"/v1/grievances/{number}")
        return [one["task"] for one in offered["tasks"] if not one["blocked"]]

    async def _offered(self, who: str, path: str) -> dict[str, Any]:
        response = await self._send(who, "GET", f"{path}/actions")
        return {"actions": [], "tasks": []} if response.status_code in _NOT_YOURS else dict(_good(response, path))

    async def tried(self, who: str, path: str, form: Mapping[str, Any]) -> Any:
        """Post a form that was filled in without knowing what it means; what is refused is remembered and answered by None."""
        response = await self._send(who, "POST", path, form)
        if response.status_code in (*_NOT_YOURS, _ILLEGAL, _UNREADABLE):
            self.refused.append(f"{who} {path.rpartition('/')[2]}: {response.json().get('detail')}")
            return None
        return _good(response, path)

    async def say(self, who: str, path: str, form: Mapping[str, Any]) -> dict[str, Any]:
        """Post a form to a door; return the answer."""
        return await self._call(who, "POST", path, form)

    async def one(self, who: str, path: str) -> dict[str, Any]:
        """Read one thing."""
        return await self._call(who, "GET", path)

    async def all(self, who: str, path: str, **filters: str) -> list[dict[str, Any]]:
        """Read a list to its end, page by page."""
        found: list[dict[str, Any]] = []
        params = {"limit": str(_PAGE), **filters}
        while True:
            page = await self._call(who, "GET", path, params=params)
            found += page["items"]
            if not page["next"]:
                return found
            params["cursor"] = page["next"]

    async def _try(self, who: str, path: str, form: Mapping[str, Any] | None) -> Any:
        response = await self._send(who, "POST", path, form or {})
        if response.status_code == _ILLEGAL:
            self.refused.append(f"{who} {path.rpartition('/')[2]}: {response.json().get('detail')}")
            return None
        return _good(response, path)

    async def _call(self, who: str, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = _good(await self._send(who, method, path, body, **options), path)
        return answer

    async def _send(self, who: str, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        client = await self._free.get()
        try:
            self.calls += 1
            headers = {"Authorization": f"Bearer {self.keys[who]}"}
            return await client.request(method, path, json=body, headers=headers, **options)
        finally:
            self._free.put_nowait(client)


def _good(response: httpx.Response, path: str) -> Any:
    if response.status_code >= _FAILED:
        raise PlayFailed(f"{response.request.method} {path} → {response.status_code} {response.text[:500]}")
    return response.json()


async def together(work: Iterable[Awaitable[T]]) -> list[T]:
    """Do many things at the same time and return what each came to, in order; the first failure stops all."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_one(item)) for item in work]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


async def _one(item: Awaitable[T]) -> T:
    return await item
