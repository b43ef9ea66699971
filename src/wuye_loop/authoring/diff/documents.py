"""What changes in papers and ratings: series of numbers, addressees, copies; what is asked, and what answers weigh."""

from collections.abc import Iterator, Sequence

from wuye_loop.authoring.diff.forms import Asked, fields
from wuye_loop.authoring.diff.sides import CLERK, EVERYBODY, Change, Sides, rest, told
from wuye_loop.authoring.diff.values import NOTHING
from wuye_loop.domain.language.documents import AskedFigure, DocumentKind, Instrument, RatingSpec, ReplyText
from wuye_loop.domain.language.results import ResultSpec
from wuye_loop.domain.phrases import Phrase, phrase
from wuye_loop.domain.wording.definition import FIGURES, Wording, composite_words, quoted

_DOCUMENT = frozenset({"series", "by", "to", "copies", "opens", "gathers", "settles"})
_RATING = frozenset({"composite", "title", "of", "in_", "asks", "weights", "figures"})


def _roles(sides: Sides, names: Sequence[str]) -> list[str]:
    return [sides.role(name) for name in names] or [EVERYBODY]


def documents(sides: Sides) -> Iterator[Change]:
    """Yield what changes in numbered documents."""
    old, new = sides.a.documents, sides.b.documents
    for name, spec in old.items():
        if name not in new:
            yield from told(
                _roles(sides, spec.by),
                name,
                "document-removed",
                phrase("不再有文书{name}", name=quoted(name)),
                f"documents.{name}",
            )
    for name, spec in new.items():
        path = f"documents.{name}"
        if name not in old:
            words = phrase("新增文书{name}，文号 {series}", name=quoted(name), series=spec.series)
            yield from told(_roles(sides, spec.by), name, "document-added", words, None, path)
        elif spec != old[name]:
            yield from _document(sides, name, old[name], spec, path)


def _document(sides: Sides, name: str, old: DocumentKind, new: DocumentKind, path: str) -> Iterator[Change]:
    title = phrase("文书{name}", name=quoted(name))
    issuers = _roles(sides, [*old.by, *new.by])
    if old.series != new.series:
        words = phrase(
            "{title}的文号由 {old_series} 改为 {new_series}，新的系列从 1 号编起",
            title=title,
            old_series=old.series,
            new_series=new.series,
        )
        yield from told(issuers, name, "series-changed", words, path, path)
    verbs = {
        "by": ("也可以签发{title}", "不能再签发{title}"),
        "to": ("收到{title}", "不再收到{title}"),
        "copies": ("收到抄送的{title}", "不再收到抄送的{title}"),
    }
    for key, (gains, loses) in verbs.items():
        before, after = getattr(old, key), getattr(new, key)
        for role in (role for role in after if role not in before):
            yield from told([sides.role(role)], name, f"{key}-added", phrase(gains, title=title), path, path)
        for role in (role for role in before if role not in after):
            yield from told([sides.role(role)], name, f"{key}-removed", phrase(loses, title=title), path, path)
    a, b = (_lined(words, spec) for words, spec in ((sides.in_a, old), (sides.in_b, new)))
    for key, form in (
        ("opens", "{title}的每一条发起的任务由{old}改为{new}"),
        ("gathers", "{title}的议程所取的任务由{old}改为{new}"),
        ("settles", "{title}的签发后在议题上做的动作由{old}改为{new}"),
    ):
        if getattr(old, key) != getattr(new, key):
            words = phrase(form, title=title, old=a[key], new=b[key])
            yield from told(issuers, name, f"{key}-changed", words, f"{path}.{key}", f"{path}.{key}")
    yield from rest(old, new, _DOCUMENT, title, issuers, path)


def _lined(words: Wording, spec: DocumentKind) -> dict[str, str]:
    """Return in words what a document with lines opens, gathers and settles."""
    return {
        "opens": words.task(spec.opens) if spec.opens else NOTHING,
        "gathers": words.task(spec.gathers) if spec.gathers else NOTHING,
        "settles": words.action(spec.settles, spec.gathers) if spec.settles else NOTHING,
    }


def instruments(sides: Sides) -> Iterator[Change]:
    """Yield what changes in the notices that ladders send."""
    old, new = sides.a.instruments, sides.b.instruments
    for name in {**old, **new}:
        path, found = f"instruments.{name}", new.get(name) or old[name]
        title = phrase("督办手段{title}", title=quoted(found.title))
        if name not in new:
            yield from told([EVERYBODY], title, "instrument-removed", phrase("不再有{title}", title=title), path)
        elif name not in old:
            yield from told([EVERYBODY], title, "instrument-added", phrase("新增{title}", title=title), None, path)
        else:
            yield from _instrument(old[name], new[name], title, path)


def _instrument(old: Instrument, new: Instrument, title: str, path: str) -> Iterator[Change]:
    if old.title != new.title:
        words = phrase("督办手段{old_title}改称{new_title}", old_title=quoted(old.title), new_title=quoted(new.title))
        yield from told([EVERYBODY], title, "renamed", words, path, path)
    if old.urgent != new.urgent:
        words = phrase("{title}改为随时发出" if new.urgent else "{title}不再随时发出，等到可以打扰的时间", title=title)
        yield from told([EVERYBODY], title, "urgent-changed", words, path, path)
    yield from rest(old, new, {"title", "urgent"}, title, [EVERYBODY], path)


def ratings(sides: Sides) -> Iterator[Change]:
    """Yield what changes in ratings, for who rates and who is rated."""
    old, new = sides.a.ratings, sides.b.ratings
    for name in {**old, **new}:
        path, found = f"ratings.{name}", new.get(name) or old[name]
        who = [*(sides.role(by) for by in found.by), *([] if found.by else [sides.resident]), sides.role(found.of)]
        if name not in new:
            yield from told(
                who, found.title, "rating-removed", phrase("不再有评价{title}", title=quoted(found.title)), path
            )
        elif name not in old:
            words = phrase("新增评价{title}，评的是{role}", title=quoted(found.title), role=sides.role(found.of))
            yield from told(who, found.title, "rating-added", words, None, path)
        else:
            yield from _rating(sides, old[name], new[name], who, path)


def _rating(sides: Sides, old: RatingSpec, new: RatingSpec, who: Sequence[str], path: str) -> Iterator[Change]:
    title = phrase("评价{title}", title=quoted(new.title))
    if old.title != new.title:
        yield from told(
            who,
            title,
            "renamed",
            phrase("评价{old_title}改称{new_title}", old_title=quoted(old.title), new_title=quoted(new.title)),
            path,
            path,
        )
    if old.of != new.of:
        words = phrase(
            "{title}评的由{old_role}改为{new_role}",
            title=title,
            old_role=sides.role(old.of),
            new_role=sides.role(new.of),
        )
        yield from told([sides.role(old.of), *who], title, "of-changed", words, path, path)
    if set(old.in_) != set(new.in_):
        words = phrase(
            "{title}在{old_states}改为在{new_states}",
            title=title,
            old_states=sides.in_a.states(old.in_) or "任何状态",
            new_states=sides.in_b.states(new.in_) or "任何状态",
        )
        yield from told(who, title, "in-changed", words, path, path)
    yield from fields(sides, old.asks, new.asks, Asked(title, who, f"{path}.asks"))
    for answer in {**old.weights, **new.weights}:
        before, after = old.weights.get(answer), new.weights.get(answer)
        if before != after:
            said = [f" {value:g} " if value is not None else "不计" for value in (before, after)]
            words = phrase(
                "{title}里{answer}的权重由{old}改为{new}", title=title, answer=quoted(answer), old=said[0], new=said[1]
            )
            yield from told(who, title, "weight-changed", words, f"{path}.weights", f"{path}.weights")
    for figure in {**old.figures, **new.figures}:
        if old.figures.get(figure) != new.figures.get(figure):
            words = _counted(sides, old, new, title, figure)
            yield from told(who, title, "figures-changed", words, f"{path}.figures", f"{path}.figures")
    if old.composite != new.composite:
        said = [composite_words(one.composite) for one in (old, new)]
        words = phrase(
            "{title}的综合指标由{old_said}改为{new_said}",
            title=title,
            old_said=quoted(said[0]),
            new_said=quoted(said[1]),
        )
        yield from told(who, title, "composite-changed", words, f"{path}.composite", f"{path}.composite")
    yield from rest(old, new, _RATING, title, who, path)


def _counted(sides: Sides, old: RatingSpec, new: RatingSpec, title: str, figure: AskedFigure) -> Phrase:
    rate = FIGURES[figure]
    if figure not in new.figures:
        return phrase("{title}不再计{rate}", title=title, rate=rate)
    after = sides.in_b.answers(new, figure)
    if figure not in old.figures:
        return phrase("{title}另计{rate}：{after}", title=title, rate=rate, after=after)
    return phrase(
        "{title}的{rate}由{answers}改为{after}",
        title=title,
        rate=rate,
        answers=quoted(sides.in_a.answers(old, figure)),
        after=quoted(after),
    )


def replies(sides: Sides) -> Iterator[Change]:
    """Yield the texts offered for answers that come, go or read otherwise; what was sent stays as it was sent."""
    old, new = ({one.title: one for one in side.replies} for side in (sides.a, sides.b))
    for title in {**old, **new}:
        was, now = old.get(title), new.get(title)
        if was is None and now is not None:
            words = phrase("新增答复参考{title}：{offered}", title=quoted(title), offered=_offered(sides.in_b, now))
            yield from told([CLERK], title, "reply-added", words, None, "replies")
        elif now is None and was is not None:
            yield from told(
                [CLERK], title, "reply-removed", phrase("不再有答复参考{title}", title=quoted(title)), "replies"
            )
        elif was is not None and now is not None and was != now:
            said = phrase(
                "答复参考{title}由{old}改为{new}",
                title=quoted(title),
                old=quoted(_offered(sides.in_a, was)),
                new=quoted(_offered(sides.in_b, now)),
            )
            yield from told([CLERK], title, "reply-changed", said, "replies", "replies")


def _offered(words: Wording, reply: ReplyText) -> str:
    where = phrase("{states}时", states=words.states(reply.in_)) if reply.in_ else ""
    said = phrase("{where}{when}：{text}", where=where, when=words.condition(reply.when), text=reply.text)
    return _with_source(said, reply.source)


def _with_source(said: str, source: str | None) -> str:
    return phrase("{said}（{source}）", said=said, source=source) if source else said


def results(sides: Sides) -> Iterator[Change]:
    """Yield the results (办理结果) that come, go, or are kept otherwise; those of what is closed go by their own version."""
    old, new = sides.a.results, sides.b.results
    for name in {**old, **new}:
        was, now, path = old.get(name), new.get(name), f"results.{name}"
        if was is None and now is not None:
            words = phrase("新增办理结果{name}：{kept}", name=quoted(name), kept=_kept(sides.in_b, now))
            yield from told([CLERK], name, "result-added", words, None, path)
        elif now is None and was is not None:
            yield from told([CLERK], name, "result-removed", phrase("不再有办理结果{name}", name=quoted(name)), path)
        elif was is not None and now is not None and was != now:
            said = phrase(
                "办理结果{name}由{old}改为{new}",
                name=quoted(name),
                old=quoted(_kept(sides.in_a, was)),
                new=quoted(_kept(sides.in_b, now)),
            )
            yield from told([CLERK], name, "result-changed", said, path, path)


def _kept(words: Wording, result: ResultSpec) -> str:
    said = result.chinese
    if result.in_:
        said = phrase("到{states}就是，{said}", states=words.states(result.in_), said=said)
    return _with_source(said, result.source)
