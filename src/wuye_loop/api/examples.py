"""Examples and error answers for the OpenAPI page, the same in every door."""

from typing import Any

SUGGESTION: dict[str, Any] = {
    "category": "电梯",
    "confidence": 0.93,
    "why": ["电梯", "停运"],
    "runner_up": "房屋质量",
    "by": "model",
    "model": "0f7b3e2704fa0f7b3e2704fa0f7b3e2704fa0f7b3e2704fa0f7b3e2704fa0f7b",
}
RECEIPT: dict[str, Any] = {
    "number": "WY261121-7KQ2M9XD",
    "state": "received",
    "stage": "collect",
    "workflow": "kuiwen@1",
    "category": "电梯",
    "urgency": "平急",
    "suggestion": SUGGESTION,
    "red_words": [],
    "lead_unit": None,
    "holder_unit": "property-centre",
    "routing": [{"kind": "table", "title": "职责清单", "outcome": "matched", "why": "类别 为 电梯", "unit": "market"}],
    "due": {"accept": "2026-11-23T09:30:00.000000Z"},
    "flags": [],
    "text": "您的诉求已收到，我们将在一个工作日内决定是否受理。",
    "seq": 1,
    "external_id": "2026112100000001",
}
_WORDS = {
    400: "请求无法识别",
    401: "没有有效的密钥",
    403: "密钥的角色不能这样做",
    404: "没有，或不在管辖范围内",
    408: "没有在限定的时间里发完",
    409: "当前状态不允许，附可行的动作",
    410: "诉求人身份已按要求销毁",
    412: "已有新的变化(If-Match 不符)",
    413: "请求体太大",
    414: "地址太长",
    415: "不收这种内容类型",
    422: "内容有误，逐项说明；不回显内容",
    429: "请求过于频繁，或次数已用完，见 Retry-After",
    431: "请求头太大",
    503: "暂时不能服务，见 Retry-After",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for these error statuses (RFC 9457 problem documents)."""
    return {
        status: {
            "description": _WORDS[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def answer(example: dict[str, Any], *errors: int, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI response of a door with an example, and its errors."""
    return {status: {"content": {"application/json": {"example": example}}}, **problems(*errors)}


GRIEVANCE: dict[str, Any] = {
    "number": "WY261121-7KQ2M9XD",
    "workflow": "kuiwen@1",
    "state": "handling",
    "state_title": "承办中",
    "stage": "handle",
    "stage_title": "单位承办",
    "final": False,
    "cycle": 1,
    "category": "电梯",
    "urgency": "平急",
    "title": "三号楼电梯停运两天",
    "lead_unit": "market",
    "lead_unit_name": "区市场监督管理局",
    "due": {"handle": "2026-11-27T09:30:00.000000Z"},
    "seq": 4,
}
TASK: dict[str, Any] = {
    "id": "019aa6f0-0000-7000-8000-000000000000",
    "grievance": "WY261121-7KQ2M9XD",
    "kind": "extension",
    "title": "延期申请",
    "state": "asked",
    "state_title": "待审批",
    "final": False,
    "holder_unit": "command-office",
    "data": {"days": 3, "reason": "等待配件到货"},
}
FILE: dict[str, Any] = {
    "file": "019aa6f0-0000-7000-8000-000000000000", "media_type": "image/jpeg", "size": 182044,
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "audience": "units", "name": "电梯.jpg",
}  # fmt: skip
FILES: dict[str, Any] = {
    "items": [
        {
            **FILE,
            "at": "2026-11-21T01:00:00.000000Z",
            "by": {
                "kind": "unit", "unit": "market", "unit_name": "市场监管局", "role": None, "role_title": None,
            },
        }
    ]
}  # fmt: skip
ACTIONS: dict[str, Any] = {
    "number": "WY261121-7KQ2M9XD",
    "state": "assigned",
    "seq": 3,
    "suggestion": SUGGESTION,
    "actions": [
        {
            "action": "sign",
            "title": "签收",
            "role": "handler",
            "form": {"type": "object", "properties": {}},
            "blocked": None,
        },
        {
            "action": "send_back",
            "title": "退单",
            "role": "handler",
            "form": {"type": "object"},
            "blocked": "最多 2 次，已经用完",
        },
    ],
    "tasks": [],
}
