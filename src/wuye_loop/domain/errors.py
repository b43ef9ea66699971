"""Every error that a caller may meet, as one tree: each says its status, the slug for programs, the title for people.

409 is a lawful request at the wrong moment, 422 a malformed one, 500 only a fault of ours. Titles and details are Chinese;
a slug never changes. No text here may repeat the caller's input.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class BadValue(ValueError):
    """A ValueError whose words are fit for the client: Chinese, and free of the input; no other kind's words are shown."""


class WuyeError(Exception):
    """Base of all: `detail` says in Chinese what is wrong, `extra` holds further members of the problem document."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "系统内部错误"

    def __init_subclass__(cls, *, status: int | None = None, slug: str = "", title: str = "") -> None:
        cls.status, cls.slug, cls.title = status or cls.status, slug or cls.slug, title or cls.title

    def __init__(self, detail: str = "", *, headers: Mapping[str, str] | None = None, **extra: object) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.headers: dict[str, str] = dict(headers or {})
        self.extra: dict[str, object] = extra


class BadRequest(WuyeError, status=400, slug="bad-request", title="请求无法识别"):
    """The request cannot be read at all: not JSON, a malformed header."""


class Unauthenticated(WuyeError, status=401, slug="unauthenticated", title="未认证"):
    """No key, or one that is unknown, expired or revoked: all three get the same answer."""

    def __init__(self, detail: str = "缺少有效的访问密钥", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer", **(headers or {})})


class Forbidden(WuyeError, status=403, slug="forbidden", title="无权操作"):
    """The caller is known and the thing is visible, but the key's scopes do not allow this."""


class NotFound(WuyeError, status=404, slug="not-found", title="未找到"):
    """Nothing there, or nothing that this caller may know of."""


class MethodNotAllowed(WuyeError, status=405, slug="method-not-allowed", title="不支持的请求方法"):
    """The address exists, but not for this method."""


class SlowRequest(WuyeError, status=408, slug="slow-request", title="请求超时"):
    """The request did not arrive in the time that it has."""


class Conflict(WuyeError, status=409, slug="conflict", title="与当前状态冲突"):
    """A well-formed request that the present state of things does not allow."""


class IllegalAction(Conflict, slug="illegal-action", title="当前不能执行此操作"):
    """The action is not lawful in this state for this actor; `actions` lists those that are."""


class DailyLimit(Conflict, slug="daily-limit", title="今天的次数已用完"):
    """What a complainant may do so often in a day has been done so often today."""


class KeyReused(Conflict, slug="idempotency-key-reused", title="幂等键已用于不同的请求"):
    """An Idempotency-Key, or an external id, came back with another body."""


class Erased(WuyeError, status=410, slug="identity-erased", title="身份信息已销毁"):
    """The identity was erased: its data key is gone, and nobody can read it again."""


class Stale(WuyeError, status=412, slug="stale", title="内容已被他人更新"):
    """The caller looked at an older state than the present one; `seq` is the present one."""


class TooLarge(WuyeError, status=413, slug="too-large", title="请求正文过大"):
    """The request body is over the limit."""


class AddressTooLong(WuyeError, status=414, slug="address-too-long", title="请求地址过长"):
    """The URL is over the limit."""


class UnsupportedMedia(WuyeError, status=415, slug="unsupported-media", title="不支持的内容类型"):
    """The body is not application/json in UTF-8."""


class BadInput(WuyeError, status=422, slug="bad-input", title="填写有误"):
    """The request can be read, but its values are wrong; `fields` says which, by path, and why."""


class BadForm(BadInput, slug="bad-form", title="表单填写有误"):
    """The form of an action is wrongly filled in."""


class DefinitionError(BadInput, slug="bad-definition", title="流程定义有误"):
    """A workflow definition that must not be used; `findings` says where and why, in the order of the file."""

    def __init__(self, detail: str = "", findings: Sequence[object] = ()) -> None:
        super().__init__(detail or "\n".join(map(str, findings)), findings=[str(one) for one in findings])
        self.findings = findings


class TooMany(WuyeError, status=429, slug="too-many-requests", title="请求过于频繁"):
    """The caller exceeded its rate."""

    def __init__(self, detail: str = "", *, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class RevealsUsedUp(TooMany, slug="reveals-used-up", title="今天查看身份的次数已用完"):
    """Whoever holds the key has opened as many identities today as one may; a second person may allow more."""


class HeadersTooLarge(WuyeError, status=431, slug="headers-too-large", title="请求头过大"):
    """The request's headers are over the limit."""


class SealBroken(WuyeError, slug="seal-broken", title="加密数据无法解封"):
    """A sealed value does not open: altered, moved to another grievance or field, or its key is not in the ring."""


class RecordDamaged(WuyeError, slug="record-damaged", title="记录损坏"):
    """A record in the database is not what the program ever writes: it is shown as far as it goes, and not acted on."""

    def __init__(
        self, detail: str = "这件诉求在数据库里的记录损坏，不能办理；请管理员运行 doctor 和 verify，从备份恢复"
    ) -> None:
        super().__init__(detail)


class KeyRingBroken(WuyeError, slug="key-ring-broken", title="密钥环不可用"):
    """The key ring cannot be read, is malformed, or is open to other users of the machine."""


class Unavailable(WuyeError, status=503, slug="unavailable", title="服务暂时不可用"):
    """Nothing was written; the same request may be sent again after `retry_after` seconds."""

    def __init__(self, detail: str = "请稍后重试", *, retry_after: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class ClockOff(Unavailable, slug="clock-off", title="时钟不准，暂停收件和督办"):
    """This machine's clock and the database's are further apart than the bound: no limit could be told rightly."""
