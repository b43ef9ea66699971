"""Examples for the OpenAPI page: keys, openings of identities, requests to a second person."""

from typing import Any

KEY: dict[str, Any] = {
    "id": "019aa6f0-0000-7000-8000-0000000000a1",
    "prefix": "wyl_live_7kQ2M9",
    "role": "unit",
    "unit": "market",
    "unit_name": "区市场监督管理局",
    "area": None,
    "source": None,
    "scopes": ["act"],
    "holder": "李四 2002",
    "live": True,
    "made_at": "2026-11-21T01:00:00.000000Z",
    "made_by": {"key": "019aa6f0-0000-7000-8000-0000000000a0", "holder": "王五 0007"},
    "last_used_at": "2026-11-21T02:30:00.000000Z",
    "expires_at": "2027-11-21T01:00:00.000000Z",
    "revoked_at": None,
    "ended_by": None,
    "family": "019aa6f0-0000-7000-8000-0000000000a1",
}
KEYS: dict[str, Any] = {"items": [KEY], "next": None}
MADE: dict[str, Any] = {"key": "wyl_live_…", **KEY}
ENDED: dict[str, Any] = {"revoked": ["019aa6f0-0000-7000-8000-0000000000a1"]}
REVEAL: dict[str, Any] = {
    "at": "2026-11-21T02:30:00.000000Z",
    "number": "WY261121-7KQ2M9XD",
    "seq": 6,
    "key": {
        "id": "019aa6f0-0000-7000-8000-0000000000a2",
        "prefix": "wyl_live_M9XD4h",
        "holder": "张三 1001",
        "role": "hotline",
        "unit": None,
        "unit_name": None,
    },
    "from": "10.20.30.40",
    "reason": "回访",
    "watermark": "7KQ2-M9XD-4H6T-1A5Y",
    "alarm": None,
}
REVEALS: dict[str, Any] = {"items": [REVEAL], "next": None}
APPROVAL: dict[str, Any] = {
    "approval": {
        "id": "019aa6f0-0000-7000-8000-0000000000b1",
        "kind": "reveals",
        "state": "open",
        "wanted": {"extra": 20},
        "reason": "三栋楼停水，逐户回访三十户",
        "asked_by": {
            "id": "019aa6f0-0000-7000-8000-0000000000a2",
            "prefix": "wyl_live_M9XD4h",
            "holder": "张三 1001",
            "role": "hotline",
            "unit": None,
        },
        "asked_at": "2026-11-21T03:00:00.000000Z",
        "decided_by": None,
        "decided_at": None,
        "note": None,
        "key": None,
    }
}
APPROVALS: dict[str, Any] = {"items": [APPROVAL["approval"]], "next": None}
