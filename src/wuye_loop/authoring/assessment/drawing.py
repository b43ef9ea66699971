"""Pictures of a scheme: a sheet with its items, weights, lists and what each list brings, and the same as Mermaid text."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from wuye_loop.authoring.drawing.mermaid import signs
from wuye_loop.authoring.drawing.sheet import Page, page
from wuye_loop.authoring.drawing.svg import Column
from wuye_loop.domain.assessment.scheme import (
    SUBJECTS,
    UNTIL_RECTIFIED,
    Appeals,
    Consequence,
    Fallen,
    Grade,
    InputSpec,
    Item,
    ListSpec,
    Measure,
    Missing,
    OnList,
    Period,
    Scheme,
)
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.wording.definition import LEVELS

_FILLED: Final = {
    "period": "某期", "code": "某期", "rank": "名次", "from_last": "倒数名次", "total": "得分", "subject": "考核对象", "peer": "分组",
    "grade": "等级",
}  # fmt: skip
_EVERY: Final = {
    "day": "每日",
    "week": "每周",
    "month": "每月",
    "quarter": "每季度",
    "half_year": "每半年",
    "year": "每年",
}
_COMBINED: Final = {"mean": "的平均", "sum": "之和", "last": "的最后一期"}
_MISSING: Final[Mapping[Missing, str]] = {
    "move_weight": "没有时，分值按比例移给其余各项", "blank": "没有时，本期不计总分", "zero": "没有时计 0 分",
    "full": "没有时计满分",
}  # fmt: skip
_COUNTED: Final = {
    "grievances": "诉求", "clocks": "时限", "ratings": "评价", "actions": "台账里的动作", "tasks": "任务", "documents": "文书",
}  # fmt: skip
_FIGURES: Final = {"satisfied": "满意", "response": "响应", "solved": "解决"}
_FACTS: Final = {
    "kind": "诉求类型", "category": "类别", "urgency": "紧急程度", "channel": "渠道", "source": "来源系统", "origin": "来源",
    "state": "状态", "stage": "环节", "level": "层级", "final": "已办完", "cycle": "第几轮", "urged": "催办次数",
    "followers": "跟随人数", "anonymous": "匿名", "repeat": "重复次数", "estate_kind": "小区类型", "lead_unit": "承办单位",
    "assessed": "考核的时限", "ended": "已结束", "on_time": "按时", "contacted": "有效回访",
}  # fmt: skip
_SILENT: Final = {"kept": "维持原分", "upheld": "视为成立", "above": "交上一级"}
_PEOPLE: Final = {"owners": "业主", "committee": "业委会"}
_ITEMS: Final = (
    Column("计分项", 240),
    Column("分值", 90),
    Column("按什么", 240),
    Column("怎样算", 560),
    Column("出处", 420),
)
_LISTS: Final = (Column("榜单", 200), Column("谁上榜", 420), Column("带来什么", 560), Column("出处", 370))
_MEASURES: Final = (Column("指标", 220), Column("数什么", 470), Column("哪些", 440), Column("出处", 420))
_INPUTS: Final = (
    Column("评分", 200), Column("谁来评", 220), Column("几分", 400), Column("怎样算数", 330), Column("出处", 400),
)  # fmt: skip
_CREDIT: Final = (
    Column("信用项", 240),
    Column("分", 90),
    Column("期限", 160),
    Column("何时记", 480),
    Column("出处", 480),
)
_EXIT: Final = (Column("清退", 240), Column("什么时候", 420), Column("带来什么", 470), Column("出处", 420))
_GRADES: Final = (Column("等级", 120), Column("条件", 1000))


def names_of(workflow: Workflow) -> dict[str, str]:
    """Return what people call what a scheme names in its workflow: roles, sources, clocks, ratings, actions, tasks."""
    tasks = workflow.tasks.values()
    parts: tuple[Mapping[str, Any], ...] = (
        *(task.actions for task in tasks), workflow.tasks, workflow.actions, workflow.ratings, workflow.clocks,
        workflow.instruments, workflow.sources, workflow.roles,
    )  # fmt: skip
    titled = {name: getattr(one, "title", None) for part in parts for name, one in part.items()}
    return {name: title for name, title in titled.items() if title}


def svg(scheme: Scheme, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the sheet as SVG text, with the workflow's names for what it names; the same text for the same scheme."""
    sheet = Page()
    sheet.title(scheme.title, f"考核办法 {scheme.id}　流程 {scheme.workflow}")
    sheet.y += 40
    sheet.prose(_who(scheme))
    for spec in scheme.periods.values():
        sheet.heading(f"考核期：{_named(spec)}")
        sheet.prose(_when(scheme, spec))
        sheet.table(_ITEMS, [_item(scheme, item) for item in spec.items])
        sheet.table(_LISTS, [_list(scheme, spec, one) for one in spec.lists.values()])
    for heading, columns, rows in (
        ("指标", _MEASURES, [_measure(scheme, one, names) for one in scheme.measures.values()]),
        ("评分", _INPUTS, [_input(one, names) for one in scheme.inputs.values()]),
        ("信用分", _CREDIT, list(_credit(scheme, names))),
        ("信用等级：从上往下，取第一个符合的", _GRADES, list(_grades(scheme))),
        ("清退：每次落到这一步，带来一次", _EXIT, list(_exit(scheme))),
    ):
        if rows:
            sheet.heading(heading)
            sheet.table(columns, rows)
    if scheme.appeals is not None:
        sheet.heading("申诉")
        sheet.prose(_appeals(scheme.appeals, names))
    told = f"考核办法：{len(scheme.periods)} 种考核期，{len(scheme.measures)} 个指标，{len(scheme.inputs)} 项评分。"
    return page(f"{scheme.title}　{scheme.id}", told, sheet)


def mermaid(scheme: Scheme) -> str:
    """Return a flowchart: figures and scores, what each is worth, the period, its lists, what each list brings."""
    lines = ["flowchart LR", f"    %% {scheme.id}"]
    for name, spec in scheme.periods.items():
        lines.append(f'    p_{name}["{signs(_named(spec))}"]')
        for item in spec.items:
            of = item.from_ or item.each or ""
            box = f'f_{of}(["{signs(_source_title(scheme, of))}"])'
            lines.append(f'    {box} -- "{signs(f"{item.title} {_worth(item)}")}" --> p_{name}')
        if spec.from_ is not None:
            lines.append(f'    p_{spec.from_} -- "{signs(_of_parts(scheme, spec))}" --> p_{name}')
        for key, one in spec.lists.items():
            lines.append(f'    p_{name} -- "{signs(_on(spec, one))}" --> l_{name}_{key}{{{{"{signs(one.title)}"}}}}')
            for consequence in one.brings:
                words = signs(_brings(scheme, scheme.consequences[consequence]))
                lines.append(f'    l_{name}_{key} --> c_{consequence}["{words}"]')
    for title, when, brings, _ in _exit(scheme):
        lines.append(f'    exit{{{{"{signs(f"{title}：{when}")}"}}}} --> exit_brings["{signs(brings)}"]')
    return "\n".join(lines) + "\n"


# --- words ----------------------------------------------------------------------------------------------------------


def _who(scheme: Scheme) -> str:
    who = scheme.subjects
    level = f"，按{LEVELS[who.peers.area]}分组排名" if who.peers is not None else ""
    kinds = f"（{'、'.join(who.kinds)}）" if who.kinds else ""
    least = who.at_least.grievances
    apart = f"；本期诉求不到 {least} 件的另列，不计分" if least else ""
    return f"考核{SUBJECTS[who.are]}{kinds}{level}{apart}。"


def _named(spec: Period) -> str:
    title = spec.title or (spec.bulletin.title if spec.bulletin is not None else None)
    return f"{title}（{_EVERY[spec.every]}）" if title is not None else _EVERY[spec.every]


def _when(scheme: Scheme, spec: Period) -> str:
    said = [f"{spec.window} 起算" if spec.window else ""]
    said.append(f"只考核{'、'.join(spec.kinds)}" if spec.kinds else "")
    said.append(f"{'、'.join(spec.but)}除外" if spec.but else "")
    said.append(f"结束后 {spec.closes.chinese}封账" if spec.closes is not None else "一结束就封账")
    said.append("封账时自动公布" if spec.publishes == "at_close" else "由主管部门公布")
    said.append(_of_parts(scheme, spec) if spec.from_ is not None else "")
    said.append(f"满分 {_n(spec.total.of)}，取 {spec.total.decimals} 位小数" if spec.items else "")
    series = spec.bulletin.series if spec.bulletin is not None else None
    said.append(f"通报编号 {series}" if series is not None else "")
    figures = "、".join(scheme.measures[name].title for name in spec.figures)
    said.append(f"另列指标：{figures}" if figures else "")
    return "；".join(filter(None, said)) + "。"


def _of_parts(scheme: Scheme, spec: Period) -> str:
    return f"{_EVERY[scheme.periods[spec.from_ or ''].every]}得分{_COMBINED[spec.combine]}"


def _source_title(scheme: Scheme, name: str) -> str:
    found = scheme.measures.get(name) or scheme.inputs.get(name)
    return found.title if found is not None else name


def _worth(item: Item) -> str:
    if item.each is not None:
        return "" if item.points is None else f"每件 {_signed(item.points)} 分"
    return f"{_n(item.weight if item.weight is not None else item.max or Decimal(0))} 分"


def _item(scheme: Scheme, item: Item) -> tuple[str, ...]:
    of = item.from_ or item.each or ""
    return item.title, _worth(item), _source_title(scheme, of), _how(scheme, item), item.source or ""


def _how(scheme: Scheme, item: Item) -> str:
    if item.each is not None:
        most = f"，至多 {_signed(item.most)} 分" if item.most is not None else ""
        veto = f"满 {item.veto} 件，总分计 0 分" if item.veto is not None else ""
        return "；".join(filter(None, (f"{_worth(item)}{most}" if item.points is not None else "", veto)))
    measure = scheme.measures.get(item.from_ or "")
    rate = measure is None or measure.count is None
    unit, step = ("%", "个百分点") if rate else ("", "")
    said = [
        f"这一项满分 {_n(item.max)}，折算成 {_n(item.weight)} 分"
        if None not in (item.max, item.weight) and item.max != item.weight
        else ""
    ]
    per = f"每 1 {step}扣 {_n(item.per_point)} 分" if item.per_point is not None else "不得分"
    floor = f"，至少 {_n(item.floor)} 分" if item.floor else ""
    if item.below is not None:
        said.append(f"低于 {_n(item.below)}{unit} 的，{per}{floor}")
    if item.above is not None:
        said.append(f"高于 {_n(item.above)}{unit} 的，{per}{floor}")
    said += [
        f"{_n(band.from_)}{unit} 起 {_n(band.is_)} 分" if band.from_ is not None else f"其余 {_n(band.is_)} 分"
        for band in item.bands
    ]
    if item.below is None and item.above is None and not item.bands:
        said.append("按比例得分")
    heard = scheme.inputs.get(item.from_ or "")
    said.append(_MISSING[item.missing or (heard.missing if heard is not None else "move_weight")])
    return "；".join(filter(None, said))


def _list(scheme: Scheme, spec: Period, one: ListSpec) -> tuple[str, ...]:
    brings = "；".join(_brings(scheme, scheme.consequences[name]) for name in one.brings)
    return one.title, _on(spec, one), brings, one.source or ""


def _on(spec: Period, one: ListSpec) -> str:
    where = "（各组）" if one.within == "peers" else ""
    said = [
        f"后 {one.last} 位{where}" if one.last is not None else "",
        f"前 {one.top} 位{where}" if one.top is not None else "",
        f"{_n(one.from_)} 分起" if one.from_ is not None else "",
        f"不到 {_n(one.below)} 分" if one.below is not None else "",
        *_counters(spec, one.when),
    ]
    whole = "，且".join(filter(None, said))
    other = "，且".join(_counters(spec, one.or_))
    return "；或 ".join(filter(None, (whole, other)))


def _counters(spec: Period, asked: Mapping[str, OnList]) -> Iterator[str]:
    for name, standing in asked.items():
        title = spec.lists[name].title
        if standing.running is not None:
            yield f"连续 {standing.running} 期在“{title}”上"
        if standing.in_year is not None:
            yield f"当年第 {standing.in_year} 次在“{title}”上"


def _brings(scheme: Scheme, one: Consequence) -> str:
    title = f"{one.title}：" if one.title is not None else ""
    if one.issue is not None:
        copies = f"，抄送 {len(one.issue.copies)} 类单位" if one.issue.copies else ""
        return f"{title}签发{one.issue.document}{copies}"
    if one.open is None:
        items = scheme.credit.items if scheme.credit is not None else {}
        item = items.get(one.credit or "")
        return f"{title}信用分 {_signed(item.points)}" if item is not None else title
    notice = f"，由同一单位签发{one.open.notice.document}" if one.open.notice is not None else ""
    return f"{title}立案“{one.open.title.format(**_FILLED)}”{notice}"


def _measure(scheme: Scheme, one: Measure, known: Mapping[str, str]) -> tuple[str, ...]:
    if one.growth is not None:
        against = "上期" if one.against == "previous" else "上年同期"
        return one.title, f"“{_source_title(scheme, one.growth)}”比{against}增减的百分数", "", one.source or ""
    if one.composite:
        parts = "、".join(f"“{_source_title(scheme, name)}” {_n(weight)}" for name, weight in one.composite.items())
        return one.title, f"按权重合成：{parts}", "", one.source or ""
    what = _COUNTED[one.rate or one.count or ""]
    names = "、".join(known.get(name, name) for name in (*one.named, *one.action, *one.kind))
    rating = (
        f"{known.get(one.rating, one.rating)}，{'首次' if one.cycle == 'first' else '末次'}，{_FIGURES[one.figure]}"
        if one.rating
        else ""
    )
    inner = f"（{'；'.join(filter(None, (names, rating)))}）" if names or rating else ""
    late = {"open": "，期末逾期未结", "closed": "，逾期办结", None: ""}[one.overdue]
    per = f"，每 {one.per.households} 户" if one.per is not None else ""
    counted = f"{what}{inner}的率" if one.rate is not None else f"{what}{inner}{late}的件数{per}"
    asked = [
        *_facts("", one.when, known), *_facts("基数：", one.over, known), *_facts("算好的：", one.good, known),
    ]  # fmt: skip
    return one.title, counted, "；".join(asked), one.source or ""


def _facts(head: str, matches: Mapping[str, object], known: Mapping[str, str]) -> Iterable[str]:
    if matches:
        yield head + "，".join(_fact(_FACTS.get(fact, fact), wanted, known) for fact, wanted in matches.items())


def _fact(fact: str, wanted: object, known: Mapping[str, str]) -> str:
    if isinstance(wanted, bool):
        return fact if wanted else f"不是{fact}"
    if isinstance(wanted, Mapping):
        words = {"min": "至少 ", "max": "至多 ", "not": "不是", "any": "是"}
        return fact + "、".join(f"{words[operator]}{_value(value, known)}" for operator, value in wanted.items())
    return f"{fact}是{_value(wanted, known)}"


def _value(wanted: object, known: Mapping[str, str]) -> str:
    if isinstance(wanted, list | tuple):
        return "、".join(_value(one, known) for one in wanted)
    return known.get(str(wanted), str(wanted))


def _input(one: InputSpec, known: Mapping[str, str]) -> tuple[str, ...]:
    by = "、".join(_PEOPLE.get(name) or known.get(name, name) for name in one.by)
    points = "，".join(_checked(title, most) for title, most in one.checklist.items())
    scale = f"{_n(one.scale.min)} 至 {_n(one.scale.max)} 分"
    voices = one.voices
    said = [
        f"一{'户' if voices.one_per == 'flat' else '个单位'}一票，{voices.least} 票起算" if voices is not None else "",
        f"考核期结束后 {one.until.chinese}截止" if one.until is not None else "封账时截止",
        _MISSING[one.missing],
    ]
    return (
        one.title,
        by,
        f"{points}（折算成 {scale}）" if points else scale,
        "；".join(filter(None, said)),
        one.source or "",
    )


def _checked(title: str, most: Decimal | Mapping[str, Decimal]) -> str:
    """Say an item of a checklist: its points, and where it has parts how many there are."""
    if isinstance(most, Decimal):
        return f"{title} {_n(most)}"
    return f"{title} {_n(sum(most.values(), Decimal(0)))}（{len(most)} 小项）"


def _credit(scheme: Scheme, known: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    credit = scheme.credit
    if credit is None:
        return
    yield "起始", _n(credit.base), "", f"至少 {_n(credit.floor)} 分", credit.source or ""
    if credit.carries is not None:
        share = _n(credit.carries.share)
        yield "项目经理", f"×{share}", "", "企业的每一条也记在所属项目经理名下", credit.carries.source or ""
    for name, item in credit.items.items():
        term = (
            item.term.replace(" years", " 年")
            .replace(" year", " 年")
            .replace(" months", " 个月")
            .replace(" month", " 个月")
        )
        when = [
            *(f"上“{title}”" for title in _bringing(scheme, name)),
            f"督办到“{known.get(item.when.rung, item.when.rung)}”" if item.when is not None else "",
            f"同一项至多 {_signed(item.most)} 分" if item.most is not None else "",
            *(f"计着时定为 {veto.grade}" for veto in credit.veto if veto.item == name),
        ]
        until = "整改为止" if item.term == UNTIL_RECTIFIED else term
        yield item.title, _signed(item.points), until, "；".join(filter(None, when)) or "手工记", item.source or ""


def _bringing(scheme: Scheme, item: str) -> Iterator[str]:
    for spec in scheme.periods.values():
        for one in spec.lists.values():
            if any(scheme.consequences[name].credit == item for name in one.brings):
                yield one.title


def _grades(scheme: Scheme) -> Iterator[tuple[str, ...]]:
    for name, ways in (scheme.credit.grades if scheme.credit is not None else {}).items():
        yield name, "；或 ".join(map(_way, ways))


def _appeals(spec: Appeals, known: Mapping[str, str]) -> str:
    said = [f"公布后 {spec.within.chinese}内可以申诉", f"由{_roles(spec.decided_by, known) or '主管部门'}裁定"]
    if spec.decides is not None:
        said.append(f"提出后 {spec.decides.chinese}内裁定，逾期未裁定的{_SILENT[spec.silence]}")
    if spec.above is not None:
        above = spec.above
        said.append(
            f"由{_roles(above.decided_by, known)}在 {above.decides.chinese}内裁定，再逾期的{_SILENT[above.silence]}"
        )
    return "；".join(said) + "。"


def _roles(names: Iterable[str], known: Mapping[str, str]) -> str:
    return "、".join(known.get(name, name) for name in names)


def _exit(scheme: Scheme) -> Iterator[tuple[str, ...]]:
    spec = scheme.exit
    if spec is not None:
        when = "；或 ".join(_fallen(scheme, way) for way in spec.when)
        brings = "；".join(_brings(scheme, scheme.consequences[name]) for name in spec.brings)
        yield spec.title, when, brings, spec.source or ""


def _fallen(scheme: Scheme, way: Fallen) -> str:
    said = [
        f"等级为 {way.grade}" if way.grade is not None else "",
        f"不到 {_n(way.below)} 分" if way.below is not None else "",
        "一票否决" if way.veto is True else "",
    ]
    whole = "，且".join(filter(None, said))
    if way.of is None:
        return whole
    every = _EVERY[scheme.periods[way.of].every]
    return f"连续 {way.running} 期（{every}）期末{whole}" if way.running > 1 else f"{every}期末{whole}"


def _way(way: Grade) -> str:
    said = [
        f"{_n(way.from_)} 分起" if way.from_ is not None else "",
        f"不到 {_n(way.below)} 分" if way.below is not None else "",
        _bad(way),
    ]
    return "，".join(filter(None, said))


def _bad(way: Grade) -> str:
    if way.bad is None:
        return ""
    return "没有不良记录" if way.bad.max == 0 else f"不良记录 {_n(way.bad.min)} 条起" if way.bad.min else ""


def _n(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


def _signed(value: Decimal) -> str:
    return f"{value.normalize():+f}"
