"""Single changes to small.yaml, and to the letter what each must say to whom."""

RUNNING, EVERYBODY, SYSTEM, CLERK = "运行中的诉求", "各方", "系统", "规则维护人员"
SIGHT = "公开范围"
DESK, HANDLER, INSPECTOR, RESIDENT, HOTLINE = "受理中心", "承办单位", "督办人员", "诉求人", "热线"

# what stands in the file, what is to stand there, and every (who, words) that must come of it
CASES: dict[str, tuple[str, str, set[tuple[str, str]]]] = {
    "a shorter limit for one kind": (
        "      - {when: {kind: 咨询}, is: 3 workdays}\n",
        "      - {when: {kind: 咨询}, is: 3 workdays}\n      - {when: {kind: 投诉}, is: 3 workdays}\n",
        {(who, "办理时限：投诉由 5 个工作日改为 3 个工作日") for who in (DESK, HANDLER)},
    ),
    "a longer limit for all others": (
        "      - {is: 5 workdays}\n",
        "      - {is: 7 workdays}\n",
        {(who, "办理时限：其他由 5 个工作日改为 7 个工作日") for who in (DESK, HANDLER)},
    ),
    "a limit alone": (
        "limit: {is: 1 workday}, ladder: [{at: due, do: remind, to: holder}]",
        "limit: {is: 2 hours}, ladder: [{at: due, do: remind, to: holder}]",
        {(DESK, "“挂起申请”任务的审批时限：由 1 个工作日改为 2 小时")},
    ),
    "another start rule": (
        "    title: 受理时限\n",
        "    title: 受理时限\n    starts: at once\n",
        {(DESK, "受理时限：特急由下一工作日起算改为立即起算"), (DESK, "受理时限：其他由下一工作日起算改为立即起算")},
    ),
    "a clock that also pauses": (
        "    during: [handling, checking]\n",
        "    during: handling\n",
        {(who, "办理时限：在“待审核”不再走") for who in (DESK, HANDLER)},
    ),
    "a pause that ends": (
        "paused: [paused, merged]",
        "paused: [paused]",
        {(who, "办理时限：在“已并案”不再暂停") for who in (DESK, HANDLER)},
    ),
    "another measure of runs": (
        "    per: cycle\n",
        "    per: level\n",
        {(who, "办理时限：由每轮一个改为每级一个") for who in (DESK, HANDLER)},
    ),
    "a clock that counts for the rate": (
        "    per: cycle\n",
        "    per: cycle\n    assessed: true\n",
        {(who, "办理时限计入按时率") for who in (DESK, HANDLER)},
    ),
    "a rung moved": (
        "{at: -1 workday, do: remind, to: handler}",
        "{at: -2 workdays, do: remind, to: handler}",
        {(HANDLER, "办理时限：“发‘提醒’给承办单位”由到期前 1 个工作日移到到期前 2 个工作日")},
    ),
    "a rung added": (
        "      - {at: +2 workdays, act: take_back, to: handler}\n",
        "      - {at: +2 workdays, act: take_back, to: handler}\n      - {at: +5 workdays, do: alarm, to: inspector}\n",
        {(INSPECTOR, "办理时限：到期后 5 个工作日另发“警示”给督办人员")},
    ),
    "a rung gone": (
        "      - {at: +2 workdays, act: take_back, to: handler}\n",
        "",
        {(HANDLER, "办理时限：到期后 2 个工作日不再系统做“收回”")},
    ),
    "a rung that does more, only when": (
        "{at: -1 workday, do: remind, to: handler}",
        "{at: -1 workday, do: remind, to: handler, when: {urgency: 特急}}",
        {(HANDLER, "办理时限：到期前 1 个工作日由“发‘提醒’给承办单位”改为“发‘提醒’给承办单位（特急时）”")},
    ),
    "a state without a place to go": (
        "  paused: {stage: handle, title: 挂起中, holder: handler}\n",
        "",
        {(RUNNING, "状态“挂起中”没有了：停在这里的要在 migrates 里写明去处"), (HANDLER, "不再有状态“挂起中”")},
    ),
    "a state with another title": (
        "title: 待审核, holder: desk",
        "title: 复核中, holder: desk",
        {(DESK, "状态“待审核”改称“复核中”")},
    ),
    "a state held by another": (
        "title: 待审核, holder: desk",
        "title: 待审核, holder: hotline",
        {(who, "状态“待审核”由受理中心持有改为由热线持有") for who in (DESK, HOTLINE)},
    ),
    "a state watched by more": (
        "title: 承办中, holder: handler, watched_by: inspector",
        "title: 承办中, holder: handler, watched_by: [inspector, helper]",
        {("协办单位", "因关注看得到在状态“承办中”的诉求")},
    ),
    "an action for one more role": (
        "from: [received, handling], to: merged, by: desk",
        "from: [received, handling], to: merged, by: [desk, inspector]",
        {(INSPECTOR, "也可以做“并案”")},
    ),
    "an action the system no longer takes": (
        "take_back: {title: 收回, from: checking, to: handling, by: [system, desk]}",
        "take_back: {title: 收回, from: checking, to: handling, by: desk}",
        {(SYSTEM, "不再自动做“收回”")},
    ),
    "an action lost": (
        "  urge: {title: 催办, from: handling, by: hotline, effect: [urged, {notify: {instrument: remind, to: [handler]}}]}\n",
        "",
        {(HOTLINE, "不能再做“催办”")},
    ),
    "an action gained": (
        "  suspend: {title: 挂起,",
        "  look: {title: 查看现场, from: handling, by: inspector}\n  suspend: {title: 挂起,",
        {(INSPECTOR, "可以做“查看现场”：在“承办中”，状态不变")},
    ),
    "an action with another title": (
        "  finish:\n    title: 办结\n",
        "  finish:\n    title: 办结报送\n",
        {(HANDLER, "“办结”改称“办结报送”")},
    ),
    "an action from one more state": (
        "hand_over: {title: 指定承办, from: handling,",
        "hand_over: {title: 指定承办, from: [handling, checking],",
        {(INSPECTOR, "“指定承办”在“待审核”也可以做")},
    ),
    "another condition": (
        "if: {open.assist: 0}",
        "if: {open.assist: 0, urged: {max: 3}}",
        {(HANDLER, "“办结”另要求催办次数不多于 3")},
    ),
    "fewer times": (
        "within: 15 days, limit: 2, effect: new_cycle",
        "within: 15 days, limit: 1, effect: new_cycle",
        {(HOTLINE, "“重办”的次数由最多 2 次改为最多 1 次")},
    ),
    "a longer time to reopen": (
        "within: 15 days",
        "within: 30 days",
        {(HOTLINE, "“重办”的期限（从进入状态起）由 15 日改为 30 日")},
    ),
    "a choice that is gone": (
        "result: {choice: [解决, 未解决]}",
        "result: {choice: [解决]}",
        {(HANDLER, "“办结”的“result”少了选项：未解决")},
    ),
    "a field that may be left out": (
        "reply: {text: {max: 500}}",
        "reply: {text?: {max: 500}}",
        {(HANDLER, "“办结”的“reply”由必填改为选填")},
    ),
    "a field more": (
        "reply: {text: {max: 500}}}",
        "reply: {text: {max: 500}}, days: {int: {title: 用时}}}",
        {(HANDLER, "“办结”要填“用时”（必填，整数）")},
    ),
    "another outcome": (
        "      - {when: {cycle: {max: 2}}, to: handling, effect: new_cycle}\n",
        "      - {when: {cycle: {max: 2}}, to: checking}\n",
        {(RESIDENT, "“评价”，办理轮次不多于 2：由到“承办中”，开始新的一轮改为到“待审核”")},
    ),
    "an effect that is gone": (
        "needs: {category: text?}, effect: reclassify}",
        "needs: {category: text?}}",
        {(SYSTEM, "“受理”时不再更正类别和紧急程度")},
    ),
    "a line for the resident": (
        "{title: 受理, from: received, by: desk,",
        "{title: 受理, from: received, by: desk, audience: public, text: 已受理,",
        {
            (SIGHT, "“受理”的台账记录由办理单位可看改为诉求人可看：诉求人今后看得到"),
            (HOTLINE, "“受理”的台账记录由办理单位可看改为诉求人可看：诉求人今后看得到"),
            (RESIDENT, "“受理”的台账记录由办理单位可看改为诉求人可看：诉求人今后看得到"),
            (RESIDENT, "“受理”时诉求人读到的话由无改为“已受理”"),
        },
    ),
    "a category that goes to another unit": (
        "{when: {category: 电梯}, to: market, assist: [company]}",
        "{when: {category: 电梯}, to: housing, assist: [company]}",
        {(HANDLER, "职责清单：类别为电梯的诉求由 market 改转 housing")},
    ),
    "a category that the list now knows": (
        "      - {when: {category: 供暖, urgency: 特急}, to: housing}\n",
        "      - {when: {category: 供暖}, to: housing}\n",
        {(HANDLER, "职责清单：类别为供暖的诉求转给 housing，原由后面的转办方式定")},
    ),
    "a router put before the others": (
        "routers:\n  - kind: table\n",
        "routers:\n  - {kind: table, title: 名单, rules: [{when: {managed: true}, to: company}]}\n  - kind: table\n",
        {(HANDLER, "新增转办方式“名单”，排在第 1 位")},
    ),
    "a router for some only": (
        "  - {kind: territory, level: street}\n",
        "  - {kind: territory, level: street, when: {kind: 投诉}}\n",
        {(HANDLER, "属地由用于所有诉求改为只用于投诉的诉求")},
    ),
    "another territory": (
        "{kind: territory, level: street}",
        "{kind: territory, level: community}",
        {(HANDLER, "属地的层级由“街道”改为“社区”")},
    ),
    "an opening that may be made more often": (
        "before_due: handle, limit: 2,",
        "before_due: handle, limit: {times: 1, per: cycle},",
        {(HANDLER, "“申请延期”的次数由最多 2 次改为每轮最多 1 次")},
    ),
    "a task that another decides": (
        "    holder: desk\n    states:\n      asked: {title: 待审批, holder: holder}\n      granted",
        "    holder: inspector\n    states:\n      asked: {title: 待审批, holder: holder}\n      granted",
        {(who, "“挂起申请”任务由受理中心办理改为由督办人员办理") for who in (DESK, INSPECTOR, HANDLER)},
    ),
    "a series of another name": (
        "小督〔{year}〕{n}号",
        "小催〔{year}〕{n}号",
        {
            (who, "文书“督办单”的文号由 小督〔{year}〕{n}号 改为 小催〔{year}〕{n}号，新的系列从 1 号编起")
            for who in (SYSTEM, INSPECTOR)
        },
    ),
    "a copy less": ("to: handler, copies: [desk]}", "to: handler}", {(DESK, "不再收到抄送的文书“督办单”")}),
    "another weight": (
        "weights: {满意: 1.0, 不满意: 0}",
        "weights: {满意: 0.9, 不满意: 0}",
        {(who, "评价“群众评价”里“满意”的权重由 1 改为 0.9") for who in (RESIDENT, HANDLER)},
    ),
    "a wider scale": (
        "asks: {satisfied: {scale: [满意, 不满意]}}",
        "asks: {satisfied: {scale: [满意, 基本满意, 不满意]}}",
        {(who, "评价“群众评价”的“satisfied”多了选项：基本满意") for who in (RESIDENT, HANDLER)},
    ),
    "duties that need not be apart": (
        "separate: [[handler, desk], [handler, inspector]]",
        "separate: [[handler, desk]]",
        {(who, "“承办单位”与“督办人员”可以是同一个单位") for who in (HANDLER, INSPECTOR)},
    ),
    "duties to be kept apart": (
        "separate: [[handler, desk], [handler, inspector]]",
        "separate: [[handler, desk, inspector]]",
        {(who, "“受理中心”与“督办人员”必须是不同的单位") for who in (DESK, INSPECTOR)},
    ),
    "a role of another unit": (
        "desk: {title: 受理中心, unit: centre}",
        "desk: {title: 受理中心, unit: {duty: property-centre, level: district}}",
        {(DESK, "“受理中心”由单位 centre 改为属地区县一级职责为 property-centre 的单位")},
    ),
    "a notice that wakes people": (
        "remind: {title: 提醒}",
        "remind: {title: 提醒, urgent: true}",
        {(EVERYBODY, "督办手段“提醒”改为随时发出")},
    ),
    "quiet hours": (
        "levels: [community, street]\n",
        'levels: [community, street]\ncalendar: {quiet: ["21:00-08:00"]}\n',
        {(EVERYBODY, "免打扰时段由无改为“21:00-08:00”")},
    ),
    "a level more": (
        "levels: [community, street]\n",
        "levels: [community, street, district]\n",
        {(EVERYBODY, "属地层级由社区、街道改为社区、街道、区县")},
    ),
    "a source": (
        "intake:\n",
        "sources:\n  patrol: {title: 巡查, channels: [巡查], by: inspector, answered: reporter}\nintake:\n",
        {(INSPECTOR, "新增来源“巡查”，答复对象：提出的单位")},
    ),
    "a join": (
        "separate: [[",
        "joins: [{when: {tasks.assist: {min: 1}, open.assist: 0}, act: take_back}]\nseparate: [[",
        {(SYSTEM, "一旦开过“协办”且“协办”都已办完时做“收回”")},
    ),
    "a standing": (
        "separate: [[",
        "standing: [{when: {overdue.handle: true}, is: 逾期}]\nseparate: [[",
        {(EVERYBODY, "整体情况的说法由无改为“‘办理时限’已逾期时为‘逾期’”")},
    ),
    "a family": (
        "separate: [[",
        "family: {moves: {finish: finish}}\nseparate: [[",
        {(SYSTEM, "主件“办结”时，并入的诉求由系统做“办结”")},
    ),
    "an order that attaches": (
        "intake:\n",
        "intake:\n  attach: [{when: {kind: 催办}, to: extra.parent, act: urge}]\n",
        {(SYSTEM, "附入规则：增加“催办的附到‘parent’所指的诉求，做‘催办’”")},
    ),
    "a source of a rule": (
        "      - {is: 5 workdays}\n",
        "      - {is: 5 workdays, source: 办法第九条}\n",
        {(CLERK, "办理时限各条的出处由无改为“办法第九条”")},
    ),
}
