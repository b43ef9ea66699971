"""A city's identity system: where its doors are, its keys, a code changed for claims that it has signed."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import anyio
import orjson

from wuye_loop.domain.errors import Unavailable, WuyeError
from wuye_loop.domain.privacy.access.claims import ClaimRules, claim_rules
from wuye_loop.domain.rulefile.reader import read
from wuye_loop.domain.rulefile.scalars import YamlDocError
from wuye_loop.settings import Settings, SettingsError
from wuye_loop.web.addresses import LOOPBACK

if TYPE_CHECKING:
    import httpx

_CONFIGURATION: Final = "/.well-known/openid-configuration"
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_SECONDS: Final = 5.0
_KEPT_SECONDS: Final = 3600.0
_AGAIN_SECONDS: Final = 30.0  # between two looks for a key that is not known
_LEEWAY: Final = 60  # seconds that its clock may be off
_MOST_BYTES: Final = 256 * 1024
MISSING: Final = "没有装可选组件 oidc（pip install 'wuye-loop[oidc]'）：设了 WUYE_OIDC_ISSUER，但不能用统一身份认证登录"


class NotVouched(WuyeError, status=401, slug="unauthenticated", title="没有登录"):
    """The identity system's answer does not prove who somebody is; the words say what was not right about it."""


@dataclass(slots=True)
class Provider:
    """One identity system; per process. What it says of itself is asked once an hour."""

    issuer: str
    client_id: str
    secret: str | None
    scopes: str
    rules: ClaimRules
    transport: "httpx.AsyncBaseTransport | None" = None
    _doors: Mapping[str, Any] = field(default_factory=dict)
    _keys: Mapping[str, Any] = field(default_factory=dict)
    _doors_at: float = float("-inf")
    _keys_at: float = float("-inf")

    async def address(self, back: str, state: str, nonce: str, verifier: str) -> str:
        """Return where a browser goes to sign in. Raises Unavailable."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # noqa: PLC0415 only where somebody signs in so
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # noqa: PLC0415 the same

        doors = await self._configuration()
        asked: str = prepare_grant_uri(
            doors["authorization_endpoint"],
            client_id=self.client_id,
            response_type="code",
            redirect_uri=back,
            scope=self.scopes,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return asked

    async def claims(self, code: str, back: str, nonce: str, verifier: str, now: int) -> dict[str, Any]:
        """Change a code for what is said of a person: signed by the system's keys, for us, for this sign-in, and fresh.

        `now` is in seconds since 1970. Raises NotVouched, Unavailable.
        """
        doors = await self._configuration()
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
            "client_id": self.client_id,
        }
        who = None
        if self.secret is not None and _in_the_form(doors):
            sent["client_secret"] = self.secret
        elif self.secret is not None:
            who = (quote_plus(self.client_id), quote_plus(self.secret))  # as RFC 6749, 2.3.1 has it
        answer = await self._asked("POST", doors["token_endpoint"], data=sent, auth=who)
        token, access = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str) or not isinstance(access, str):
            raise NotVouched("统一身份认证没有确认是谁，请再登录一次")
        proved = await self._proved(token, nonce, access, now)
        more = doors.get("userinfo_endpoint")
        if not isinstance(more, str):
            return proved
        said = await self._asked("GET", more, headers={"Authorization": f"Bearer {access}"})
        if said.get("sub") != proved["sub"]:
            raise NotVouched("统一身份认证前后说的不是同一个人，没有登录")
        return {**said, **proved}

    async def _proved(self, token: str, nonce: str, access: str, now: int) -> dict[str, Any]:
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415 only where somebody signs in so
        from joserfc.errors import JoseError  # noqa: PLC0415 the same

        try:
            found = await self._signed(token)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotVouched("统一身份认证的签名核对不上，没有登录") from error
        options = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
        }
        claims = CodeIDToken(
            found.claims, found.header, options, {"nonce": nonce, "client_id": self.client_id, "access_token": access}
        )
        try:
            claims.validate(now=now, leeway=_LEEWAY)
        except JoseError as error:
            raise NotVouched("统一身份认证的答复不是给这一次登录的，或已经过期，没有登录") from error
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise NotVouched("统一身份认证没有说是谁，没有登录")
        return dict(claims)

    async def _signed(self, token: str) -> Any:
        """Return a token that one of the system's keys has signed, looking once more for a key that is not known yet."""
        from joserfc import jwt  # noqa: PLC0415 only where somebody signs in so
        from joserfc.errors import JoseError  # noqa: PLC0415 the same

        try:
            return jwt.decode(token, _readable(await self._key_set(fresh=False)), algorithms=list(_ALGORITHMS))
        except (JoseError, ValueError, KeyError, TypeError):
            return jwt.decode(token, _readable(await self._key_set(fresh=True)), algorithms=list(_ALGORITHMS))

    async def leaving(self, after: str) -> str | None:
        """Return where a browser goes to sign out there too; None where there is no such door."""
        door = (await self._configuration()).get("end_session_endpoint")
        if not isinstance(door, str) or not _fit(door):
            return None
        asked = urlencode({"client_id": self.client_id, "post_logout_redirect_uri": after})
        return f"{door}{'&' if '?' in door else '?'}{asked}"

    async def _configuration(self) -> Mapping[str, Any]:
        if monotonic() - self._doors_at > _KEPT_SECONDS:
            found = await self._asked("GET", self.issuer.rstrip("/") + _CONFIGURATION)
            needed = ["authorization_endpoint", "token_endpoint", "jwks_uri"]
            needed += ["userinfo_endpoint"] if found.get("userinfo_endpoint") is not None else []
            if found.get("issuer") != self.issuer or not all(_fit(found.get(name)) for name in needed):
                raise Unavailable("统一身份认证的配置与 WUYE_OIDC_ISSUER 对不上，请告诉系统管理员", retry_after=60)
            self._doors, self._doors_at = found, monotonic()
        return self._doors

    async def _key_set(self, *, fresh: bool) -> Mapping[str, Any]:
        age = monotonic() - self._keys_at
        if age > _KEPT_SECONDS or (fresh and age > _AGAIN_SECONDS):
            self._keys = await self._asked("GET", (await self._configuration())["jwks_uri"])
            self._keys_at = monotonic()
        return self._keys

    async def _asked(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        """Ask one of its doors. Raises Unavailable where nobody answers as such a door does, NotVouched where it refuses."""
        import httpx  # noqa: PLC0415 only where somebody signs in so

        try:
            with anyio.fail_after(_SECONDS):  # for all of it: what comes byte by byte is over then too
                async with (
                    httpx.AsyncClient(transport=self.transport, timeout=_SECONDS, trust_env=False) as client,
                    client.stream(method, address, **more) as answer,
                ):
                    content = b""
                    async for part in answer.aiter_bytes():
                        content += part
                        if len(content) > _MOST_BYTES:
                            raise Unavailable("统一身份认证的答复太长，没有登录", retry_after=60)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise Unavailable("统一身份认证没有答复，请稍后再试，或用本系统的口令登录", retry_after=30) from error
        if method == "POST" and answer.is_client_error:
            raise NotVouched("统一身份认证不认这一次登录，请再登录一次")
        try:
            found = orjson.loads(content)
        except orjson.JSONDecodeError:
            found = None
        if not answer.is_success or not isinstance(found, dict):
            raise Unavailable("统一身份认证的答复不对，请稍后再试，或用本系统的口令登录", retry_after=30)
        return found


def _in_the_form(doors: Mapping[str, Any]) -> bool:
    """Say whether the secret is taken in the form alone; in the header where nothing is said."""
    taken = doors.get("token_endpoint_auth_methods_supported")
    return isinstance(taken, list) and "client_secret_post" in taken and "client_secret_basic" not in taken


def _readable(published: Mapping[str, Any]) -> Any:
    """Return the published keys that can be read: one of another kind (SM2) beside them keeps nobody out."""
    from joserfc.errors import JoseError  # noqa: PLC0415 only where somebody signs in so
    from joserfc.jwk import JWKRegistry, KeySet  # noqa: PLC0415 the same

    found = []
    for one in published["keys"]:
        try:
            found.append(JWKRegistry.import_key(one))
        except (JoseError, ValueError, KeyError, TypeError):
            continue
    return KeySet(found)


def _fit(address: object) -> bool:
    """Say whether a door may be asked: over TLS, or on this machine."""
    if not isinstance(address, str):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def rules_of(settings: Settings) -> ClaimRules:
    """Return the rules of the file. Raises SettingsError in words."""
    path = settings.oidc_people
    if path is None:
        raise SettingsError("没有设 WUYE_OIDC_PEOPLE / WUYE_OIDC_PEOPLE is not set")
    try:
        return claim_rules(read(path.read_bytes(), str(path)).data)
    except OSError:
        raise SettingsError(f"WUYE_OIDC_PEOPLE：读不到 {path} / cannot be read") from None
    except YamlDocError as error:
        raise SettingsError(f"WUYE_OIDC_PEOPLE：{error}") from None
    except ValueError as error:
        raise SettingsError(f"WUYE_OIDC_PEOPLE：{path}：{error}") from None


def installed() -> bool:
    """Say whether the extra is there."""
    return all(importlib.util.find_spec(name) is not None for name in ("authlib", "joserfc"))


def provider_of(settings: Settings) -> Provider | None:
    """Return the identity system that the settings name; None where they name none. Raises SettingsError in words."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_scopes, rules_of(settings))
