"""Examples of what is read, for the OpenAPI page."""

from typing import Any

from wuye_loop.api.examples import GRIEVANCE, TASK

LEDGER: dict[str, Any] = {
    "items": [
        {
            "seq": 3, "at": "2026-11-23T01:05:00.000000Z", "action": "sign", "title": "签收", "task": None,
            "from": "assigned", "to": "handling", "stage_title": "单位承办",
            "actor": {"kind": "unit", "unit": "market", "unit_name": "区市场监督管理局", "role": "handler", "role_title": "承办单位"},
            "facts": {}, "audience": "public",
            "hash": "5c1f0b3d5a7e9b1c2d4f60718293a4b5c6d7e8f90123456789abcdef01234567",
            "text": "承办单位已签收，正在办理。",
        }
    ],
    "next": None,
}  # fmt: skip
CLOCK: dict[str, Any] = {
    "clock": "handle", "title": "办理时限", "task": None, "cycle": 1, "run": 1, "unit": "market", "status": "running",
    "limit": "5 workdays", "limit_text": "5 个工作日", "starts": "next workday",
    "started_at": "2026-11-23T01:00:00.000000Z", "due_at": "2026-11-30T09:30:00.000000Z", "provisional": False,
    "ended_at": None, "overdue": False, "working": True, "remaining_seconds": 144000, "adjustments": [],
    "rungs": [{"rung": 0, "at": "2026-11-27T09:30:00.000000Z", "fired_at": None, "skipped": False}],
}  # fmt: skip
CLOCKS: dict[str, Any] = {"items": [CLOCK]}
TASKS: dict[str, Any] = {"items": [TASK]}
ONE_TASK: dict[str, Any] = {**TASK, "clocks": [{**CLOCK, "clock": "decide", "title": "延期审批时限"}], "seq": 5}
ROUTING: dict[str, Any] = {
    "items": [
        {
            "seq": 1, "at": "2026-11-23T00:30:00.000000Z", "proposal": True, "unit": "market",
            "unit_name": "区市场监督管理局",
            "trace": [{"kind": "table", "title": "职责清单", "outcome": "matched", "why": "类别 为 电梯", "unit": "market"}],
        }
    ]
}  # fmt: skip
LISTED: dict[str, Any] = {
    "items": [
        {
            "number": "WY261121-7KQ2M9XD", "workflow": "kuiwen@1", "title": "三号楼电梯停运两天", "state": "handling",
            "state_title": "承办中", "stage": "handle", "stage_title": "单位承办", "final": False, "cycle": 1,
            "kind": "投诉", "category": "电梯", "urgency": "平急", "estate": "E0101", "area": "370705001001",
            "area_name": "幸福社区", "lead_unit": "market", "lead_unit_name": "区市场监督管理局",
            "holder_unit": "market", "holder_unit_name": "区市场监督管理局",
            "received_at": "2026-11-21T02:00:00.000000Z", "clock": "handle", "due_at": "2026-11-27T09:30:00.000000Z",
            "overdue": False, "urged": 0, "flags": [], "seq": 4,
        }
    ],
    "next": "WyJncmlldmFuY2VzIiwuLi5d",
}  # fmt: skip
ONE: dict[str, Any] = {
    **GRIEVANCE,
    "address": "幸福路 8 号 3 号楼",
    "anonymous": False,
    "confidential": False,
    "duplicate_candidates": [{"number": "WY261120-3FZ8K1QA", "similarity": 0.82, "state": "handling"}],
}
IDENTITY: dict[str, Any] = {
    "number": "WY261121-7KQ2M9XD",
    "complainant": {
        "name": "张三", "phone": "13800000000", "address": "幸福路 8 号 3 号楼 2 单元 501",
        "title": "三号楼电梯停运两天", "body": "三号楼电梯自周四起停运。",
    },
    "watermark": "7KQ2-M9XD-4H6T-1A5Y",
    "seq": 6,
}  # fmt: skip
INBOX: dict[str, Any] = {
    "items": [
        {
            "type": "grievance", "number": "WY261121-7KQ2M9XD", "task_id": None, "kind": "投诉",
            "title": "三号楼电梯停运两天", "state": "assigned", "state_title": "待签收", "urgency": "平急",
            "clock": "sign", "clock_title": "签收时限", "due_at": "2026-11-24T01:00:00.000000Z",
            "remaining_seconds": 28800, "working": True, "overdue": False, "provisional": False,
        }
    ],
    "next": None,
}  # fmt: skip
CHANGES: dict[str, Any] = {
    "items": [
        {
            "number": "WY261121-7KQ2M9XD", "seq": 3, "at": "2026-11-23T01:05:00.000000Z", "state": "handling",
            "state_title": "办理中", "stage": "handle", "final": False, "merged": False, "closed_at": None, "now_seq": 3,
            "external_id": "2026112100000001",
        }
    ],
    "next": "WyJjaGFuZ2VzIiwxMjM0LCIwMTlhYTZmMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDAiLDNd",
    "more": False,
}  # fmt: skip
SIMILAR: dict[str, Any] = {
    "number": "WY261121-7KQ2M9XD",
    "threshold": 0.5,
    "items": [
        {
            "number": "WY261120-3FH8Q2PA", "likeness": 0.71, "title": "三号楼电梯又停了", "category": "电梯", "estate": "E1",
            "state": "handling", "received_at": "2026-11-20T02:10:00.000000Z",
        }
    ],
    "family": 2,
}  # fmt: skip
