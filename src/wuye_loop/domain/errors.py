"""Every error that a caller may meet, as one tree.

    WuyeError
    ├── BadRequest        400  bad-request
    ├── Unauthenticated   401  unauthenticated
    ├── Forbidden         403  forbidden
    ├── NotFound          404  not-found               also what lies outside the caller's jurisdiction
    ├── MethodNotAllowed  405  method-not-allowed
    ├── Conflict          409  conflict
    │   ├── IllegalAction 409  illegal-action          extra: actions, those that are lawful now
    │   └── KeyReused     409  idempotency-key-reused
    ├── Erased            410  identity-erased         the data key was destroyed on request
    ├── Stale             412  stale                   extra: seq, the present one
    ├── TooLarge          413  too-large
    ├── AddressTooLong    414  address-too-long
    ├── UnsupportedMedia  415  unsupported-media
    ├── BadInput          422  bad-input               extra: fields, each with path and problem
    │   ├── BadForm       422  bad-form                the form of an action
    │   └── DefinitionError 422 bad-definition         a workflow file; findings
    ├── TooMany           429  too-many-requests
    ├── HeadersTooLarge   431  headers-too-large
    ├── SealBroken        500  seal-broken             a sealed value was altered, or its key is not here
    ├── KeyRingBroken     500  key-ring-broken         the key ring cannot be read or must not be trusted
    └── Unavailable       503  unavailable             header Retry-After, seconds

    BadValue (a ValueError)                            words that a validator may say to the client

409 is a lawful request at the wrong moment, 422 a malformed one, 500 only a fault of ours.
Titles and details are Chinese, for people; `slug` is for programs and never changes. No text here may repeat the caller's input.
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

    def __init__(self, detail: str = "", *, headers: Mapping[str, str] | None = None, **extra: object) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.headers: dict[str, str] = dict(headers or {})
        self.extra: dict[str, object] = extra


class BadRequest(WuyeError):
    """The request cannot be read at all: not JSON, a malformed header."""

    status = 400
    slug = "bad-request"
    title = "请求无法识别"


class Unauthenticated(WuyeError):
    """No key, or one that is unknown, expired or revoked: all three get the same answer."""

    status = 401
    slug = "unauthenticated"
    title = "未认证"

    def __init__(self, detail: str = "缺少有效的访问密钥", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer", **(headers or {})})


class Forbidden(WuyeError):
    """The caller is known and the thing is visible, but the key's scopes do not allow this."""

    status = 403
    slug = "forbidden"
    title = "无权操作"


class NotFound(WuyeError):
    """Nothing there, or nothing that this caller may know of."""

    status = 404
    slug = "not-found"
    title = "未找到"


class MethodNotAllowed(WuyeError):
    """The address exists, but not for this method."""

    status = 405
    slug = "method-not-allowed"
    title = "不支持的请求方法"


class Conflict(WuyeError):
    """A well-formed request that the present state of things does not allow."""

    status = 409
    slug = "conflict"
    title = "与当前状态冲突"


class IllegalAction(Conflict):
    """The action is not lawful in this state for this actor; `actions` lists those that are."""

    slug = "illegal-action"
    title = "当前不能执行此操作"


class KeyReused(Conflict):
    """An Idempotency-Key, or an external id, came back with another body."""

    slug = "idempotency-key-reused"
    title = "幂等键已用于不同的请求"


class Erased(WuyeError):
    """The identity was erased: its data key is gone, and nobody can read it again."""

    status = 410
    slug = "identity-erased"
    title = "身份信息已销毁"


class Stale(WuyeError):
    """The caller looked at an older state than the present one; `seq` is the present one."""

    status = 412
    slug = "stale"
    title = "内容已被他人更新"


class TooLarge(WuyeError):
    """The request body is over the limit."""

    status = 413
    slug = "too-large"
    title = "请求正文过大"


class AddressTooLong(WuyeError):
    """The URL is over the limit."""

    status = 414
    slug = "address-too-long"
    title = "请求地址过长"


class UnsupportedMedia(WuyeError):
    """The body is not application/json in UTF-8."""

    status = 415
    slug = "unsupported-media"
    title = "不支持的内容类型"


class BadInput(WuyeError):
    """The request can be read, but its values are wrong; `fields` says which, by path, and why."""

    status = 422
    slug = "bad-input"
    title = "填写有误"


class BadForm(BadInput):
    """The form of an action is wrongly filled in."""

    slug = "bad-form"
    title = "表单填写有误"


class DefinitionError(BadInput):
    """A workflow definition that must not be used; `findings` says where and why, in the order of the file."""

    slug = "bad-definition"
    title = "流程定义有误"

    def __init__(self, detail: str = "", findings: Sequence[object] = ()) -> None:
        super().__init__(detail or "\n".join(map(str, findings)), findings=[str(one) for one in findings])
        self.findings = findings


class TooMany(WuyeError):
    """The caller exceeded its rate."""

    status = 429
    slug = "too-many-requests"
    title = "请求过于频繁"

    def __init__(self, detail: str = "", *, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class HeadersTooLarge(WuyeError):
    """The request's headers are over the limit."""

    status = 431
    slug = "headers-too-large"
    title = "请求头过大"


class SealBroken(WuyeError):
    """A sealed value does not open: altered, moved to another grievance or field, or its key is not in the ring."""

    slug = "seal-broken"
    title = "加密数据无法解封"


class KeyRingBroken(WuyeError):
    """The key ring cannot be read, is malformed, or is open to other users of the machine."""

    slug = "key-ring-broken"
    title = "密钥环不可用"


class Unavailable(WuyeError):
    """Nothing was written; the same request may be sent again after `retry_after` seconds."""

    status = 503
    slug = "unavailable"
    title = "服务暂时不可用"

    def __init__(self, detail: str = "请稍后重试", *, retry_after: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})
