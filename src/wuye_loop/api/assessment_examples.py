"""Examples of the answers about assessments."""

from typing import Any

_HEAD: dict[str, Any] = {
    "scheme": "kuiwen@1", "title": "物业服务考核", "part": "month", "part_title": "每月一打分", "period": "2026-11",
    "period_title": "2026年11月", "revision": 1, "state": "published",
    "starts": "2026-10-31T16:00:00.000000Z", "ends": "2026-11-30T16:00:00.000000Z",
    "closed_at": "2026-12-03T16:00:00.000000Z", "published_at": "2026-12-04T01:00:00.000000Z",
    "hash": "6f1d…", "reason": None,
    "bulletin": {"id": "01980d5e-1111-7000-8000-000000000001", "number": "考〔2026〕11号", "title": "每月一打分"},
}  # fmt: skip
_FIGURE: dict[str, Any] = {
    "title": "按期办结率", "numerator": "5", "denominator": "6", "excluded": 0, "cases": 6, "value": "83.3333",
}  # fmt: skip
_ROW: dict[str, Any] = {
    "subject": "company-1", "subject_name": "安居物业", "peer": "370701", "peer_name": "东关街道", "orders": 6,
    "total": "86.40", "rank": 2, "apart": None, "lists": ["bottom_five"], "vetoed": False,
    "figures": {"on_time": _FIGURE},
}  # fmt: skip
_MEMBER = {key: _ROW[key] for key in ("subject", "subject_name", "peer", "peer_name", "total", "rank")}

ASSESSMENTS: dict[str, Any] = {"items": [_HEAD]}
ASSESSMENT: dict[str, Any] = {
    **_HEAD,
    "items": [_ROW],
    "lists": [{"name": "bottom_five", "title": "后五位", "members": [_MEMBER]}],
    "revisions": [{"revision": 1, "closed_at": "2026-12-03T16:00:00.000000Z", "reason": None}],
    "changes": [],
    "measures": {"on_time": "按期办结率"},
}
_ITEM: dict[str, Any] = {
    "title": "群众满意", "points": "17.6667", "weight": "25", "of": "satisfaction",
    "formula": "25−0.5×14.6667（83.3333 低于 98）", "figure": _FIGURE,
}  # fmt: skip
_BROUGHT: dict[str, Any] = {
    "list": "bottom_five", "list_title": "后五位", "consequence": "talk", "title": "集中约谈", "grievance": None,
    "document": "奎约〔2026〕3号", "at": "2026-12-04T01:00:00.000000Z",
}  # fmt: skip
EXPLAINED: dict[str, Any] = {
    **_HEAD, "subject": "company-1", "subject_name": "安居物业", "groups": [{**_ROW, "items": [_ITEM], "brought": [_BROUGHT]}],
    "appeals": [],
}  # fmt: skip
CASES: dict[str, Any] = {
    "items": [
        {
            "number": "WY261121-7KQ2M9XD", "title": "三号楼电梯停运两天", "state": "closed",
            "received_at": "2026-11-21T01:00:00.000000Z", "weight": "0.9", "excluded": False,
        }
    ],
    "next": None,
}  # fmt: skip
DONE: dict[str, Any] = {"id": "01980d5e-1111-7000-8000-000000000002"}
CREDIT: dict[str, Any] = {
    "unit": "company-1", "unit_name": "安居物业",
    "ledgers": [
        {
            "scheme": "kuiwen", "title": "物业服务考核", "on": "2026-12-04", "points": "98", "grade": "AAA",
            "vetoed": False, "exits": [],
            "rows": [
                {
                    "id": "01980d5e-1111-7000-8000-000000000003", "item": "bottom_five", "title": "月度后五位",
                    "points": "-2", "since": "2026-12-04", "until": "2027-12-04", "counts": True, "ends": None,
                    "cause": "2026-11 后五位 370701", "reason": None, "at": "2026-12-04T01:00:00.000000Z",
                }
            ],
        }
    ],
}  # fmt: skip
