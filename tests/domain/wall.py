"""The wall: one small change each that breaks the small valid definition, where the checker must point, what it must say."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Broken:
    """`was` in small.yaml becomes `now`; the finding stands on the line that holds `at` (else `now`) and says `says`."""

    name: str
    was: str
    now: str
    says: str
    at: str = ""

    def text(self, base: str) -> str:
        assert base.count(self.was) == 1, f"{self.was!r} stands {base.count(self.was)} times in the base"
        return base.replace(self.was, self.now)

    def line(self, base: str) -> int:
        text, mark = self.text(base), self.at or self.now
        assert text.count(mark) == 1, f"{mark!r} stands {text.count(mark)} times in {self.name}"
        return text[: text.index(mark)].count("\n") + 1


SHAPE = [
    Broken("unknown key", "holder: desk}\n  handling", "holdr: desk}\n  handling", "不认识的键“holdr”，是不是 holder？可用：title、stage"),
    Broken("unknown key at the top", "separate: [[", "seperate: [[", "“seperate”，是不是 separate？", "seperate"),
    Broken("key cut from a text by a comma", "is: 3 workdays}\n      - {is: 5", "is: 3 workdays, source: 甲,乙}\n      - {is: 5", "若含半角逗号，要加引号"),
    Broken("missing title", "  remind: {title: 提醒}", "  remind: {urgent: true}", "缺少“title”"),
    Broken("missing list at the top", "routers:\n", "title_of_routers:\n", "缺少“routers”", "name: small"),
    Broken("a number for a text", "title: 小城", "title: 12345", "要写文字（数字请加引号）"),
    Broken("a text for a mapping", "  alarm: {title: 警示, urgent: true}", "  alarm: 警示", "“键: 值”的映射"),
    Broken("a misspelt truth value", "urgent: true", "urgent: ja", "true 或 false"),
    Broken("a state with a capital", "  closed: {stage: evaluate", "  Closed: {stage: evaluate", "小写英文字母开头"),
    Broken("a stage of no loop", "{stage: handle, title: 承办中", "{stage: handel, title: 承办中", "可用：collect、assign、handle"),
    Broken("a span without unit", "limit: [{is: 1 workday}]", "limit: [{is: 1}]", "例如 5 workdays"),
    Broken("a span of no unit", "limit: [{is: 1 workday}]", "limit: [{is: 1 week}]", "例如 5 workdays"),
    Broken("an offset of no meaning", "{at: +2 workdays, act", "{at: later, act", "例如 5 workdays"),
    Broken("two limits in one", "- {is: 5 workdays}", "- {is: 5 workdays, until: data.promised}", "二者择一"),
    Broken("a role of nobody", "desk: {title: 受理中心, unit: centre}", "desk: {title: 受理中心}", "角色要写 unit"),
    Broken("a duty without name", "unit: centre}", "unit: {level: street}}", "缺少“duty”"),
    Broken("a field of two types", "needs: {until: date}", "needs: {until: {date: {}, text: {}}}", "有且只有一个类型"),
    Broken("a field of no type", "needs: {until: date}", "needs: {until: dates}", "可用类型"),
    Broken("a choice of nothing", "result: {choice: [解决, 未解决]}", "result: {choice: []}", "要列出可选项"),
    Broken("an unknown word in a field", "{int: {min: 1, max: 10}}", "{int: {mn: 1, max: 10}}", "不认识的键“mn”"),
    Broken("no times at all", "from: closed, to: handling, by: hotline, within: 15 days, limit: 2", "from: closed, to: handling, by: hotline, within: 15 days, limit: 0", "最小是 1"),
    Broken("two effects in one mapping", "effect: {assign: {to: unit}}", "effect: {assign: {to: unit}, release: {}}", "一个效果只写一个名字"),
    Broken("a series without number", "{n}号\", by: inspector", "号\", by: inspector", "{n}"),
    Broken("a pair of three", "[handler, inspector]]", "[handler, inspector, desk]]", "最多写 2 项"),
    Broken("a pair of one", "[handler, inspector]]", "[handler]]", "缺少第 2 项"),
]

CONDITIONS = [
    Broken("an unknown fact", "{when: {kind: 咨询}", "{when: {knd: 咨询}", "没有事实“knd”，是不是 kind"),
    Broken("an unknown operator", "{max: 2}", "{mx: 2}", "没有运算“mx”"),
    Broken("a misspelt urgency", "{when: {urgency: 特急}, is: 30", "{when: {urgency: 特级}, is: 30", "没有取值“特级”"),
    Broken("a misspelt choice", "{when: {form.satisfied: 满意}, to", "{when: {form.satisfied: 满息}, to", "没有取值“满息”"),
    Broken("a fact of no task", "{open.assist: 0}", "{open.asist: 0}", "“asist”不存在，是不是 assist？"),
    Broken("a fact of no field", "{when: {form.satisfied: 满意}, to", "{when: {form.satisfid: 满意}, to", "表单字段“satisfid”不存在"),
    Broken("a form where none is", "if: {open.assist: 0}", "if: {form.result: 解决}", "这里没有表单可问"),
    Broken("data that nobody stores", "if: {open.assist: 0}", "if: {data.promise: null}", "“promise”不存在，是不是 promised？"),
    Broken("a clock of no name", "if: {open.assist: 0}", "if: {overdue.handel: false}", "“handel”不存在，是不是 handle？"),
    Broken("an action of no name", "if: {open.assist: 0}", "if: {done.take_bck: 0}", "“take_bck”不存在，是不是 take_back？"),
    Broken("a look-around", 'pattern: "起火|爆炸"', 'pattern: "(?=起火)"', "没有环视"),
    Broken("an evil pattern", 'pattern: "起火|爆炸"', 'pattern: "(a{1,200}){1,200}"', "展开后太大"),
    Broken("a pattern that does not close", 'pattern: "电梯|升降机"', 'pattern: "电梯("', "不是合法的 re2 正则"),
    Broken("a back reference", 'pattern: "电梯|升降机"', "pattern: '(梯)\\1'", "没有反向引用"),
]

NAMES = [
    Broken("a holder of no role", "title: 待审核, holder: desk", "title: 待审核, holder: dsk", "没有角色“dsk”，是不是 desk？"),
    Broken("a watcher of no role", "watched_by: inspector", "watched_by: inspecter", "没有角色“inspecter”"),
    Broken("an actor of no role", "from: received, by: desk, then", "from: received, by: clerk, then", "没有角色“clerk”"),
    Broken("an action by nobody", "from: received, by: desk, then", "from: received, by: [], then", "by 是空的"),
    Broken("a task's word in the main flow", "from: handling, by: hotline, effect", "from: handling, by: holder, effect", "holder 只能写在任务的操作里"),
    Broken("a source of no state", "from: checking, to: handling, by: [system", "from: chcking, to: handling, by: [system", "没有状态“chcking”，是不是 checking？"),
    Broken("a target of no state", "from: paused, to: handling", "from: paused, to: handeling", "没有状态“handeling”，是不是 handling？"),
    Broken("an outcome of no state", "      - {to: closed}", "      - {to: close}", "没有状态“close”，是不是 closed？"),
    Broken("an action from nowhere", "urge: {title: 催办, from: handling, ", "urge: {title: 催办, ", "没有写 from"),
    Broken("a clock in no state", "during: [handling, checking]", "during: [handling, cheking]", "没有状态“cheking”"),
    Broken("a state twice", "during: [handling, checking]", "during: [handling, checking, handling]", "“handling”写了两次"),
    Broken("an unknown instrument", "- {at: due, do: remind, to: desk}", "- {at: due, do: remnd, to: desk}", "没有督办手段“remnd”，是不是 remind？"),
    Broken("a rung to no role", "do: remind, to: handler}\n      - {at: due, open", "do: remind, to: holder}\n      - {at: due, open", "没有角色“holder”"),
    Broken("a rung of no action", "act: take_back", "act: takeback", "没有操作“takeback”，是不是 take_back？"),
    Broken("a rung of no task", "open: order, document", "open: ordre, document", "没有任务“ordre”，是不是 order？"),
    Broken("a rung of no document", "document: 督办单, to: handler", "document: 督办函, to: handler", "没有文书“督办函”"),
    Broken("a then of no action", "then: route", "then: rout", "没有操作“rout”，是不是 route？"),
    Broken("a limit by no clock", "before_due: handle", "before_due: handel", "没有主流程的时限“handel”"),
    Broken("a holder of no kind", "holder: one_level_up", "holder: one_level", "没有角色“one_level”，是不是 one_level_up？"),
    Broken("a fallback in vain", "holder: one_level_up", "holder: desk", "fallback 只在 holder 是 one_level_up 时有用", "fallback: desk"),
    Broken("a rating of no role", "of: handler, in: checking", "of: handlr, in: checking", "没有角色“handlr”"),
    Broken("a rating in no state", "of: handler, in: checking", "of: handler, in: chcking", "没有状态“chcking”"),
    Broken("a weight of no choice", "weights: {满意: 1.0", "weights: {很满意: 1.0", "没有选项“很满意”"),
    Broken("a separation of no role", "[handler, inspector]]", "[handler, inspecter]]", "没有角色“inspecter”"),
    Broken("an alarm of no instrument", "notice: alarm", "notice: alrm", "没有督办手段“alrm”"),
    Broken("a red line of no urgency", "urgency: 特急, notice", "urgency: 特級, notice", "没有紧急程度“特級”"),
    Broken("a state without stage", "paused: {stage: handle, title", "paused: {title", "要写 stage"),
    Broken("a state without holder", "title: 挂起中, holder: handler}", "title: 挂起中}", "没有写 holder"),
    Broken("a series for ever", "小通〔{year}〕{n}号", "小通{n}号", "没有年份就会重号"),
    Broken("one series for two", "小通〔{year}〕{n}号", "小督〔{year}〕{n}号", "不能共用一个文号", "通知书"),
    Broken("a series with more", "小通〔{year}〕{n}号", "小通〔{year}〕{month}{n}号", "只能有 {year} 和 {n}"),
    Broken("assistants without a task", "  assist:\n    title: 协办", "  support:\n    title: 协办", "名为 assist 的任务", "helper: {"),
]

EFFECTS = [
    Broken("an unknown effect", "effect: unmerge}", "effect: unmrge}", "没有效果“unmrge”，是不是 unmerge？"),
    Broken("an unknown parameter", "{assign: {to: unit}}", "{assign: {unit: unit}}", "缺少“to”"),
    Broken("a parameter too many", "effect: unmerge}", "effect: {unmerge: {into: x}}}", "这里不用写参数"),
    Broken("assigning to no field", "{assign: {to: unit}}", "{assign: {to: unt}}", "没有表单字段“unt”，是不是 unit？"),
    Broken("assigning to a text", "needs: {unit: unit}, effect: {assign", "needs: {unit: text}, effect: {assign", "类型是 text，这里要 unit"),
    Broken("assigning what may be empty", "needs: {unit: unit}, effect: {assign", "needs: {unit: unit?}, effect: {assign", "可以不填"),
    Broken("a form that the system cannot fill", "from: handling, by: inspector, needs", "from: handling, by: [system, inspector], needs", "系统不填表单"),
    Broken("extending no clock", "{extend_clock: {clock: handle, by: days}}", "{extend_clock: {clock: handel, by: days}}", "没有主流程的时限“handel”"),
    Broken("extending by no field", "{extend_clock: {clock: handle, by: days}}", "{extend_clock: {clock: handle, by: day}}", "没有表单字段“day”，是不是 days？"),
    Broken("extending by nothing", "{int: {min: 1, max: 10}}", "{int: {max: 10}}", "至少是 1", "by: days}}"),
    Broken("extending by weeks", "{extend_clock: {clock: handle, by: days}}", "{extend_clock: {clock: handle, by: days, unit: week}}", "可用：workday、day"),
    Broken("routing to a desk", "from: received, to: handling, by: [system, desk]", "from: received, to: checking, by: [system, desk]", "由主办单位（unit: lead 的角色）持有"),
    Broken("merging into the open", "to: merged, by: desk", "to: paused, by: desk", "parked: true"),
    Broken("notifying no role", "{notify: {instrument: remind, to: [handler]}}", "{notify: {instrument: remind, to: [handlr]}}", "没有角色“handlr”"),
    Broken("acting by no name", "{act: suspend}", "{act: suspnd}", "没有主流程的操作“suspnd”，是不是 suspend？"),
    Broken("an act not for the system", "{act: suspend}", "{act: finish}", "by 里没有 system"),
    Broken("storing no field", "{set: {promised: until}}", "{set: {promised: untill}}", "没有表单字段“untill”，是不是 until？"),
    Broken("rating without asking", "needs: {satisfied: {scale: [满意, 不满意]}, reason", "needs: {happy: {scale: [满意, 不满意]}, reason", "评价 resident 要问“satisfied”", "effect: rate"),
]

GRAPH = [
    Broken("an unreachable state", "  closed: {stage: evaluate", "  lost: {stage: handle, title: 失落, holder: desk, parked: true}\n  closed: {stage: evaluate", "状态“lost”到达不了", "lost:"),
    Broken("a trap", "from: merged, to: back", "from: received, to: back", "状态“merged”是死胡同", "  merged: {"),
    Broken("a trap in a task", "from: issued, to: closed", "from: issued, to: issued", "状态“issued”是死胡同", "issued: {"),
    Broken("no end at all", "granted: {title: 已同意, final: true}", "granted: {title: 已同意, holder: desk}", "没有终态", "    states:\n      asked: {title: 待审批, holder: holder}\n      granted"),
    Broken("the end at the start", "  received: {stage: collect, title: 待受理, holder: desk}", "  received: {stage: collect, title: 待受理, holder: desk, final: true}", "第一个状态“received”就是终态"),
    Broken("the end is left", "by: hotline, within: 15 days, limit: 2, effect: new_cycle", "by: hotline, within: 15 days, limit: 2", "终态", "reopen: {"),
    Broken("the end of a task is left", "refuse: {title: 不同意, from: asked,", "refuse: {title: 不同意, from: [asked, approved],", "任务的终态不能再离开"),
    Broken("a way back from the open", "from: paused, to: handling", "from: paused, to: back", "to: back 只能从并案"),
    Broken("an action that nobody takes", "[{set: {promised: until}}, {act: suspend}]", "[{set: {promised: until}}]", "操作“suspend”只有系统能做", "suspend: {title: 挂起, from"),
    Broken("a state that nobody can leave", "to: back, by: desk", "to: back, by: system", "状态“merged”没有人能离开", "  merged: {"),
    Broken("a shadowed outcome", "      - {when: {cycle: {max: 2}}, to: handling, effect: new_cycle}\n      - {to: closed}", "      - {to: closed}\n      - {when: {cycle: {max: 2}}, to: handling, effect: new_cycle}", "永远轮不到", "- {when: {cycle: {max: 2}}"),
    Broken("an outcome included before", "{when: {cycle: {max: 2}}, to", "{when: {cycle: 1, form.satisfied: 满意}, to", "前面的已经包括了它的全部情形"),
    Broken("a case without outcome", "      - {to: closed}", "      - {when: {cycle: {min: 4}}, to: closed}", "例如 cycle 为 3", "    outcomes:"),
]

CHAINS = [
    Broken("a then that the system may not take", "from: received, to: handling, by: [system, desk]", "from: received, to: handling, by: desk", "by 里没有 system", "then: route"),
    Broken("a then from elsewhere", "then: route", "then: take_back", "take_back 只能从 checking 做"),
    Broken("a circle of two", "by: [system, desk], effect: route}", "by: [system, desk], effect: route, then: again}\n  again: {title: 再转, from: handling, to: received, by: [system, desk], then: route}", "route → again → route", "effect: route, then: again"),
    Broken("a circle of one", "by: [system, desk], effect: route}", "by: [system, desk], effect: route, then: route}", "route → route"),
    Broken("a ladder in a circle", "{at: due, act: resume}", "{at: due, act: resume}\n  work:\n    title: 承办时限\n    during: [handling]\n    limit: {is: 5 days}\n    ladder: [{at: due, act: suspend}]", "只由时限来回推动", "- {at: due, act: resume}"),
]

CLOCKS = [
    Broken("a state under no clock", "during: [paused]", "during: [handling]", "状态“paused”不在任何时限之内", "  paused: {"),
    Broken("a task under no clock", "clocks:\n      reply: {title: 回复时限, during: issued,", "clocks:\n      reply: {title: 回复时限, during: [],", "状态“issued”不在任何时限之内", "issued: {"),
    Broken("a clock that never runs", "reply: {title: 回复时限, during: issued,", "reply: {title: 回复时限, during: [],", "during 是空的"),
    Broken("running and held at once", "paused: [paused, merged]", "paused: [paused, checking]", "同时写在 during 和 paused 里"),
    Broken("a clock at the end", "during: [handling, checking]", "during: [handling, checking, closed]", "“closed”是终态"),
    Broken("no limit", "limit: [{until: data.promised}]", "limit: []", "至少一条 limit"),
    Broken("a limit of nothing", "limit: {is: 2 workdays}", "limit: {is: 0 workdays}", "时限至少是 1"),
    Broken("a shadowed limit", "      - {when: {kind: 咨询}, is: 3 workdays}\n      - {is: 5 workdays}", "      - {is: 5 workdays}\n      - {when: {kind: 咨询}, is: 3 workdays}", "永远轮不到", "- {when: {kind: 咨询}"),
    Broken("a case without limit", "      - {is: 1 workday}\n", "      - {when: {urgency: [加急, 平急]}, is: 1 workday}\n", "例如 urgency 为 常规", "    limit:\n      - {when: {urgency: 特急}"),
    Broken("until a date that nobody stores", "until: data.promised", "until: data.promise", "没有“data.promise”"),
    Broken("until what is no date", "needs: {until: date}", "needs: {until: text}", "date 字段", "until: data.promised"),
    Broken("a rung of nothing", "{at: due, act: resume}", "{at: due, to: handler}", "这一级什么也不做"),
    Broken("a rung whose act the system may not take", "checking, to: handling, by: [system, desk]", "checking, to: handling, by: desk", "到期时什么也不会发生", "act: take_back"),
    Broken("a rung whose act is lawful elsewhere only", "{at: due, act: resume}", "{at: due, act: take_back}", "永远做不成"),
    Broken("a rung whose task the system may not open", "open: {title: 签发, by: [system, inspector]", "open: {title: 签发, by: inspector", "open.by 里没有 system", "open: order"),
    Broken("a rung whose task opens elsewhere", "from: [handling, checking], needs", "from: received, needs", "只能在 received 里开", "open: order"),
    Broken("a rung whose document the system may not issue", "by: [system, inspector], to: handler, copies", "by: inspector, to: handler, copies", "by 里没有 system", "open: order"),
    Broken("a rung whose document does not fit", "document: 督办单, to: handler", "document: 通知书, to: handler", "document 只能是 督办单"),
    Broken("a ladder out of order", "{at: +2 workdays, act", "{at: -2 workdays, act", "要按时间先后写"),
    Broken("a rung twice", "ladder: [{at: due, do: alarm, to: holder}]", "ladder: [{at: due, do: alarm, to: holder}, {at: due, do: alarm, to: holder}]", "完全相同"),
    Broken("a warning before the start", "- {at: -1 workday, do", "- {at: -5 workdays, do", "永远不会发生"),
    Broken("no time to act", "within: 15 days", "within: 0 days", "within 至少是 1"),
]

DUTIES = [
    Broken("a body with itself", "[handler, desk]", "[handler, handler]", "写了两次"),
    Broken("one unit under two names", "handler: {title: 承办单位, unit: lead}", "handler: {title: 承办单位, unit: centre}", "都是单位 centre", "separate:"),
    Broken("two leads", "inspector: {title: 督办人员, is: supervisor}", "inspector: {title: 督办人员, unit: lead}", "都是主办单位", "separate:"),
    Broken("the hotline for the resident", "[handler, inspector]]", "[hotline, resident]]", "热线代办"),
    Broken("a route to the checker", "{when: {category: 电梯}, to: market,", "{when: {category: 电梯}, to: centre,", "路由可以把诉求交给 centre", "separate:"),
    Broken("approving one's own work", "take_back: {title: 收回, from: checking, to: handling, by: [system, desk]}", "take_back: {title: 收回, from: checking, to: handling, by: [system, desk, handler]}", "自己就能认可"),
    Broken("granting one's own extension", "to: approved, by: holder, effect", "to: approved, by: handler, effect", "申请人自己批准自己"),
    Broken("granting one's own extension as holder", "holder: one_level_up\n    fallback: desk", "holder: opener", "申请人自己批准自己", "approve: {"),
]

ROUTERS = [
    Broken("an unknown router", "kind: territory", "kind: teritory", "没有转办方式“teritory”，是不是 territory？"),
    Broken("a level of no area", "level: street}", "level: stret}", "可用：community、street"),
    Broken("a rule without unit", "urgency: 特急}, to: housing}", "urgency: 特急}}", "缺少“to”"),
    Broken("a chain that ends with nobody", "  - {kind: desk}\n", "", "可能没有人接", "- {kind: territory"),
    Broken("an end only sometimes", "  - {kind: desk}\n", "  - {kind: desk, when: {urgency: 特急}}\n", "可能没有人接"),
    Broken("a router after the desk", "  - {kind: territory, level: street}\n  - {kind: desk}\n", "  - {kind: desk}\n  - {kind: territory, level: street}\n", "永远轮不到", "- {kind: territory"),
    Broken("a rule after its like", "{when: {category: 供暖, urgency: 特急}", "{when: {category: 电梯, urgency: 特急}", "这一条规则永远轮不到"),
]

WALL = [*SHAPE, *CONDITIONS, *NAMES, *EFFECTS, *GRAPH, *CHAINS, *CLOCKS, *DUTIES, *ROUTERS]
