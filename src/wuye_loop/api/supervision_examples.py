"""Examples of what supervisors read, for the OpenAPI page."""

from typing import Any

ORDER_REF: dict[str, Any] = {
    "number": "奎督〔2026〕12号", "kind": "督办单", "task": "019aa6f0-0000-7000-8000-000000000000", "state": "issued",
    "state_title": "已签发", "issued_at": "2026-12-02T09:30:00.000000Z",
}  # fmt: skip
OVERDUE: dict[str, Any] = {
    "items": [
        {
            "number": "WY261121-7KQ2M9XD", "title": "三号楼电梯停运两天", "state": "supervised", "area": "370705001001",
            "area_name": "幸福社区", "estate": "E0101", "clock": "handle", "clock_title": "办理时限", "task_id": None,
            "task_kind": None, "due_at": "2026-11-30T09:30:00.000000Z", "provisional": False,
            "overdue_seconds": 93600, "overdue_text": "3 个工作日 2 小时", "rung": 2, "rung_title": "督办单",
            "unit": "market", "unit_name": "区市场监督管理局", "holder_unit": "market",
            "holder_name": "区市场监督管理局", "lead_unit": "market", "lead_name": "区市场监督管理局",
            "orders": [ORDER_REF],
        }
    ],
    "next": None,
}  # fmt: skip
_COUNTS: dict[str, Any] = {
    "open": 40, "due_soon": 6, "overdue_open": 3, "closed": 120, "overdue_closed": 9, "rated": 100, "satisfied": 88,
    "on_time": {"numerator": 111, "denominator": 120, "excluded": 0, "rate": 0.925},
    "satisfaction": {"numerator": 88, "denominator": 100, "excluded": 2, "rate": 0.88},
    "response": {"numerator": 97, "denominator": 100, "excluded": 2, "rate": 0.97},
    "solved": {"numerator": 81, "denominator": 100, "excluded": 2, "rate": 0.81},
    "composite": {"title": "三率综合", "weights": {"response": 30, "solved": 30, "satisfaction": 40}, "rate": 0.8731},
}  # fmt: skip
SUMMARY: dict[str, Any] = {
    "by": "area",
    "items": [{"key": "370705001", "title": "东关街道", **_COUNTS}],
    "truncated": False,
    "total": {"key": None, "title": None, **_COUNTS},
}
ORDERS: dict[str, Any] = {
    "items": [
        {
            "id": "019aa6f0-0000-7000-8000-000000000000", "number": "奎督〔2026〕12号", "document": "督办单",
            "grievance": "WY261121-7KQ2M9XD", "title": "三号楼电梯停运两天", "area": "370705001001",
            "area_name": "幸福社区", "kind": "supervision_order", "unit": "market", "unit_name": "区市场监督管理局",
            "copies": [{"unit": "property-centre", "unit_name": "区物业发展服务中心"}],
            "issued_at": "2026-12-02T09:30:00.000000Z", "issued_by": None, "issued_by_title": "系统", "demand": None,
            "reply": {
                "clock": "reply", "clock_title": "督办回复时限", "limit_text": "2 个工作日",
                "due_at": "2026-12-04T09:30:00.000000Z", "provisional": False, "ended_at": None, "overdue": False,
            },
            "state": "received", "state_title": "已签收", "state_since": "2026-12-03T01:00:00.000000Z",
            "final": False, "signed_off_at": None,
        }
    ],
    "next": None,
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "number": "奎督〔2026〕12号", "kind": "督办单", "series": "奎督〔{year}〕{n}号", "year": 2026, "n": 12,
    "grievance": "WY261121-7KQ2M9XD", "assessment": None, "title": "三号楼电梯停运两天", "issuer": None, "issuer_name": None,
    "task": {
        "id": "019aa6f0-0000-7000-8000-000000000000", "kind": "supervision_order", "title": "督办单",
        "state": "issued", "state_title": "已签发", "final": False,
    },
    "addressee": "market", "addressee_name": "区市场监督管理局",
    "copies": [{"unit": "property-centre", "unit_name": "区物业发展服务中心"}], "text": None,
    "issued_at": "2026-12-02T09:30:00.000000Z",
}  # fmt: skip
DOCUMENTS: dict[str, Any] = {"items": [DOCUMENT], "next": None}
PAPER: dict[str, Any] = {
    "number": "奎改〔2026〕3号", "kind": "限期整改通知书",
    "lines": [
        {"n": 1, "grievance": "WY261121-7KQ2M9XD", "task": "019aa6f0-0000-7000-8000-000000000001", "unit": "company-1"}
    ],
}  # fmt: skip
AGENDA: dict[str, Any] = {
    "items": [
        {
            "task": "019aa6f0-0000-7000-8000-000000000002", "kind": "meeting_item", "state": "waiting",
            "state_title": "待上会", "opened_at": "2026-12-02T09:30:00.000000Z", "data": {"reason": "职责交叉"},
            "grievance": "WY261121-7KQ2M9XD", "title": "三号楼电梯停运两天", "category": "电梯", "estate": "E0101",
            "area": "370705001001", "level": "street", "cycle": 1, "received_at": "2026-11-21T01:00:00.000000Z",
            "holder_unit": "office-1", "lead_unit": "market", "lead_unit_name": "区市场监督管理局",
        }
    ],
    "next": None,
}  # fmt: skip
RISING: dict[str, Any] = {
    "items": [
        {
            "estate": "E1", "estate_name": "幸福里", "category": "供水供暖", "day": "2026-12-01", "days": 7, "count": 6,
            "expected": 0.31, "chance": 0.000021,
        }
    ],
    "series": 214,
}  # fmt: skip
