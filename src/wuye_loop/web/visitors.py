"""Who is looking: the session's cookie, which connections may carry it, and whether a form comes from our own pages."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden, WuyeError
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.sign_in import Person, Tries, person_of
from wuye_loop.edge.site import Site, kept_of, site_of
from wuye_loop.edge.transact import read
from wuye_loop.queries.board import supervises
from wuye_loop.web.addresses import LOOPBACK
from wuye_loop.web.times import Times, times

SECURE, PLAIN = "__Host-wuye", "wuye"
_HOUR: Final = 3600
T = TypeVar("T")
FORM_TOKEN: Final = "csrf"  # noqa: S105 the name of a field

ROLES: Final = {
    "hotline": "热线坐席",
    "unit": "承办单位",
    "supervisor": "督办人员",
    "admin": "系统管理员",
    "security": "安全管理员",
    "auditor": "审计员",
}


class NotSignedIn(WuyeError, status=401, slug="unauthenticated", title="没有登录"):
    """Nobody signed in; a page sends the visitor to the door."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at a page: who looks, when, and what the frame around the page shows."""

    site: Site
    person: Person
    times: Times
    supervises: bool
    meets: bool  # whether the city's file has meetings
    where: str  # the unit, or the role where there is none
    district: str

    @property
    def actor(self) -> Actor:
        """Whom the loop knows."""
        return self.person.actor

    @property
    def everything(self) -> bool:
        """Whether nobody's area lies outside this person's."""
        top = self.site.loop.reference.directory.top
        return self.actor.area_path in ("", top.path if top is not None else "")

    async def read(self, work: Callable[[Session], T]) -> T:
        """Read for this person: the database lets it see no further than they may.

        What needs more than they see (see edge/transact.read), or is not of grievances, is read without.
        """
        return await read(self.site, work, reader=self.actor)

    def frame(self, at: str) -> dict[str, Any]:
        """Return what the frame of a page needs; `at` is the menu's entry that the page belongs to."""
        return {"visit": self, "times": self.times, "csrf": self.person.csrf, "menu": menu(self), "here": at}


def menu(visit: Visit) -> list[tuple[str, str, str]]:
    """Return the entries of the menu for this person: name, address, title."""
    kind = visit.actor.kind
    if kind is ActorKind.SECURITY:
        return [("admin", "/admin/users", "管理")]
    found: list[tuple[str, str, str]] = []
    if kind is ActorKind.HOTLINE:
        found += [("desk", "/desk", "受理台"), ("callbacks", "/callbacks", "回访")]
    if kind is ActorKind.UNIT:
        found.append(("inbox", "/inbox", "收件箱"))
    if visit.supervises:
        found += [("board", "/board", "一屏观全域"), ("supervision", "/supervision", "督办台")]
    if visit.meets and (visit.supervises or kind is ActorKind.UNIT):
        found.append(("meetings", "/meetings", "联席会议"))
    if kind is ActorKind.HOTLINE:
        found.append(("assess", "/assess/enter", "评分"))
    else:
        found.append(("assess", "/assess", "考核"))
    found += [("search", "/search", "诉求查询"), ("papers", "/papers", "文书")]
    if kind is not ActorKind.HOTLINE:
        found.append(("rules", "/rules", "流程"))
    if kind in (ActorKind.ADMIN, ActorKind.AUDITOR):
        found.append(("admin", "/admin", "管理"))
    return found


def home(visit: Visit) -> str:
    """Return where a person begins."""
    return menu(visit)[0][1]


def secure(site: Site) -> bool:
    """Say whether people open the pages over TLS."""
    return (site.settings.public_url or "").startswith("https://")


def admits_passwords(request: Request) -> bool:
    """Say whether a password may come over this connection: TLS, or loopback from end to end."""
    site = site_of(request)
    if secure(site):
        return True
    host = request.url.hostname or ""
    client = request.client.host if request.client else ""
    return host in LOOPBACK and client in LOOPBACK


def require_private(request: Request) -> None:
    """Let somebody sign in over this connection. Raises Forbidden where others could read it."""
    if not admits_passwords(request):
        raise Forbidden("这里是明文连接，不能登录：请用 https 打开（WUYE_PUBLIC_URL），或在本机打开")


def own_origin(request: Request) -> str:
    """Return the origin of our own pages, as browsers name it."""
    public = site_of(request).settings.public_url
    return public or f"{request.url.scheme}://{request.url.netloc}"


def check_origin(request: Request) -> None:
    """Refuse a form that another site's page sends.

    Raises Forbidden. A browser that names neither origin nor page has sent it from nowhere we know.
    """
    said = request.headers.get("origin")
    if said is None and (page := request.headers.get("referer")):
        parts = urlsplit(page)
        said = f"{parts.scheme}://{parts.netloc}"
    if said != own_origin(request):
        raise Forbidden("这个表单不是从本系统的页面提交的，没有办理")


def cookie_name(site: Site) -> str:
    """Return the cookie's name: the prefix binds it to our host over TLS; plain HTTP has none."""
    return SECURE if secure(site) else PLAIN


def keep(response: Response, site: Site, token: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        cookie_name(site),
        token,
        max_age=site.settings.session_hours * _HOUR,
        path="/",
        secure=secure(site),
        httponly=True,
        samesite="lax",
    )


def forget(response: Response, site: Site) -> None:
    """Take the session from the browser."""
    response.delete_cookie(cookie_name(site), path="/", secure=secure(site), httponly=True, samesite="lax")


async def person(request: Request) -> Person:
    """Return who signed in.

    Raises NotSignedIn; Forbidden for a form that is not one of this session's own.
    """
    site = site_of(request)
    token = request.cookies.get(cookie_name(site))
    found = await person_of(site, token) if token else None
    if found is None:
        raise NotSignedIn
    request.state.key_id = str(found.account.id)
    if request.method not in ("GET", "HEAD"):
        check_origin(request)
        sent = (await request.form()).get(FORM_TOKEN)
        if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), found.csrf.encode()):
            raise Forbidden("这个页面开得太久，表单已经失效。请刷新页面再办一次")
    return found


SignedIn = Annotated[Person, Depends(person)]


async def admitted(request: Request, found: SignedIn) -> Visit:
    """Return the visit of a person who may come in: who has yet to choose a password or a second factor may not."""
    site = site_of(request)
    unfinished = found.account.must_change or needs_second_factor(site, found)
    if unfinished:
        raise Unfinished
    return await read(site, partial(_visit, site, found))


async def visit(here: Annotated[Visit, Depends(admitted)]) -> Visit:
    """Return the visit of a person who works on grievances. Raises Forbidden for whoever keeps the keys."""
    if here.actor.kind is ActorKind.SECURITY:
        raise Forbidden("安全管理员只管账号和密钥，不看也不办诉求")
    return here


class Unfinished(WuyeError, status=403, slug="forbidden", title="还差一步"):
    """The person has to choose a password of their own, or a second factor, first."""


def needs_second_factor(site: Site, found: Person) -> bool:
    """Say whether the person's role must have a second factor that it has not; the identity system has its own ways."""
    return (
        found.account.subject is None and found.account.role in site.settings.totp_roles and found.account.totp is None
    )


def _visit(site: Site, found: Person, session: Session) -> Visit:
    present = times(site.loop, session)
    directory = site.loop.reference.directory
    unit = directory.name_of(found.actor.unit)
    return Visit(
        site,
        found,
        present,
        supervises(site.loop, session, found.actor),
        _meets(site, session),
        unit or ROLES.get(found.account.role, found.account.role),
        directory.top.name if directory.top else "",
    )


def _meets(site: Site, session: Session) -> bool:
    documents = site.loop.reference.rules(session, site.loop.default_workflow).workflow.documents
    return any(spec.gathers is not None for spec in documents.values())


def tries_of(request: Request) -> Tries:
    """Return this process's count of wrong passwords."""
    return kept_of(request, "tries", Tries)


Here = Annotated[Visit, Depends(visit)]


def only(*kinds: ActorKind) -> Any:
    """Return a dependency: the visit of a person of one of these kinds. Raises Forbidden."""

    async def checked(here: Annotated[Visit, Depends(admitted)]) -> Visit:
        if here.actor.kind not in kinds:
            raise Forbidden("您的账号不使用这个页面")
        return here

    return Depends(checked)


async def of_everything(here: Annotated[Visit, only(ActorKind.ADMIN)]) -> Visit:
    """Return the visit of an administrator of everything. Raises Forbidden for one of an area.

    Whoever changes which area an estate lies in sees its grievances from then on.
    """
    if not here.everything:
        raise Forbidden("您只管一个属地；名录和日历是大家共用的，请管全部属地的系统管理员装入")
    return here


Loader = Annotated[Visit, Depends(of_everything)]
