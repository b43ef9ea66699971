"""What changes in papers and ratings: series of numbers, addressees, copies; what is asked, and what answers weigh."""

from collections.abc import Iterator, Sequence

from wuye_loop.authoring.diff.forms import Asked, fields
from wuye_loop.authoring.diff.sides import CLERK, EVERYBODY, Change, Sides, rest, told
from wuye_loop.domain.language.documents import AskedFigure, DocumentKind, Instrument, RatingSpec, ReplyText
from wuye_loop.domain.language.results import ResultSpec
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
                _roles(sides, spec.by), name, "document-removed", f"不再有文书{quoted(name)}", f"documents.{name}"
            )
    for name, spec in new.items():
        path = f"documents.{name}"
        if name not in old:
            words = f"新增文书{quoted(name)}，文号 {spec.series}"
            yield from told(_roles(sides, spec.by), name, "document-added", words, None, path)
        elif spec != old[name]:
            yield from _document(sides, name, old[name], spec, path)


def _document(sides: Sides, name: str, old: DocumentKind, new: DocumentKind, path: str) -> Iterator[Change]:
    title = f"文书{quoted(name)}"
    issuers = _roles(sides, [*old.by, *new.by])
    if old.series != new.series:
        words = f"{title}的文号由 {old.series} 改为 {new.series}，新的系列从 1 号编起"
        yield from told(issuers, name, "series-changed", words, path, path)
    verbs = {"by": ("也可以签发", "不能再签发"), "to": ("收到", "不再收到"), "copies": ("收到抄送的", "不再收到抄送的")}
    for key, (gains, loses) in verbs.items():
        before, after = getattr(old, key), getattr(new, key)
        for role in (role for role in after if role not in before):
            yield from told([sides.role(role)], name, f"{key}-added", f"{gains}{title}", path, path)
        for role in (role for role in before if role not in after):
            yield from told([sides.role(role)], name, f"{key}-removed", f"{loses}{title}", path, path)
    a, b = (_lined(words, spec) for words, spec in ((sides.in_a, old), (sides.in_b, new)))
    for key, word in (
        ("opens", "每一条发起的任务"),
        ("gathers", "议程所取的任务"),
        ("settles", "签发后在议题上做的动作"),
    ):
        if getattr(old, key) != getattr(new, key):
            words = f"{title}的{word}由{a[key]}改为{b[key]}"
            yield from told(issuers, name, f"{key}-changed", words, f"{path}.{key}", f"{path}.{key}")
    yield from rest(old, new, _DOCUMENT, title, issuers, path)


def _lined(words: Wording, spec: DocumentKind) -> dict[str, str]:
    """Return in words what a document with lines opens, gathers and settles."""
    return {
        "opens": words.task(spec.opens) if spec.opens else "无",
        "gathers": words.task(spec.gathers) if spec.gathers else "无",
        "settles": words.action(spec.settles, spec.gathers) if spec.settles else "无",
    }


def instruments(sides: Sides) -> Iterator[Change]:
    """Yield what changes in the notices that ladders send."""
    old, new = sides.a.instruments, sides.b.instruments
    for name in {**old, **new}:
        path, found = f"instruments.{name}", new.get(name) or old[name]
        title = f"督办手段{quoted(found.title)}"
        if name not in new:
            yield from told([EVERYBODY], title, "instrument-removed", f"不再有{title}", path)
        elif name not in old:
            yield from told([EVERYBODY], title, "instrument-added", f"新增{title}", None, path)
        else:
            yield from _instrument(old[name], new[name], title, path)


def _instrument(old: Instrument, new: Instrument, title: str, path: str) -> Iterator[Change]:
    if old.title != new.title:
        words = f"督办手段{quoted(old.title)}改称{quoted(new.title)}"
        yield from told([EVERYBODY], title, "renamed", words, path, path)
    if old.urgent != new.urgent:
        words = f"{title}{'改为随时发出' if new.urgent else '不再随时发出，等到可以打扰的时间'}"
        yield from told([EVERYBODY], title, "urgent-changed", words, path, path)
    yield from rest(old, new, {"title", "urgent"}, title, [EVERYBODY], path)


def ratings(sides: Sides) -> Iterator[Change]:
    """Yield what changes in ratings, for who rates and who is rated."""
    old, new = sides.a.ratings, sides.b.ratings
    for name in {**old, **new}:
        path, found = f"ratings.{name}", new.get(name) or old[name]
        who = [*(sides.role(by) for by in found.by), *([] if found.by else [sides.resident]), sides.role(found.of)]
        if name not in new:
            yield from told(who, found.title, "rating-removed", f"不再有评价{quoted(found.title)}", path)
        elif name not in old:
            words = f"新增评价{quoted(found.title)}，评的是{sides.role(found.of)}"
            yield from told(who, found.title, "rating-added", words, None, path)
        else:
            yield from _rating(sides, old[name], new[name], who, path)


def _rating(sides: Sides, old: RatingSpec, new: RatingSpec, who: Sequence[str], path: str) -> Iterator[Change]:
    title = f"评价{quoted(new.title)}"
    if old.title != new.title:
        yield from told(who, title, "renamed", f"评价{quoted(old.title)}改称{quoted(new.title)}", path, path)
    if old.of != new.of:
        words = f"{title}评的由{sides.role(old.of)}改为{sides.role(new.of)}"
        yield from told([sides.role(old.of), *who], title, "of-changed", words, path, path)
    if set(old.in_) != set(new.in_):
        words = f"{title}在{sides.in_a.states(old.in_) or '任何状态'}改为在{sides.in_b.states(new.in_) or '任何状态'}"
        yield from told(who, title, "in-changed", words, path, path)
    yield from fields(sides, old.asks, new.asks, Asked(title, who, f"{path}.asks"))
    for answer in {**old.weights, **new.weights}:
        before, after = old.weights.get(answer), new.weights.get(answer)
        if before != after:
            said = [f" {value:g}" if value is not None else "不计" for value in (before, after)]
            words = f"{title}里“{answer}”的权重由{said[0]}{' ' if before is not None else ''}改为{said[1]}"
            yield from told(who, title, "weight-changed", words, f"{path}.weights", f"{path}.weights")
    for figure in {**old.figures, **new.figures}:
        if old.figures.get(figure) != new.figures.get(figure):
            words = _counted(sides, old, new, title, figure)
            yield from told(who, title, "figures-changed", words, f"{path}.figures", f"{path}.figures")
    if old.composite != new.composite:
        said = [composite_words(one.composite) for one in (old, new)]
        words = f"{title}的综合指标由{quoted(said[0])}改为{quoted(said[1])}"
        yield from told(who, title, "composite-changed", words, f"{path}.composite", f"{path}.composite")
    yield from rest(old, new, _RATING, title, who, path)


def _counted(sides: Sides, old: RatingSpec, new: RatingSpec, title: str, figure: AskedFigure) -> str:
    rate = FIGURES[figure]
    if figure not in new.figures:
        return f"{title}不再计{rate}"
    after = sides.in_b.answers(new, figure)
    if figure not in old.figures:
        return f"{title}另计{rate}：{after}"
    return f"{title}的{rate}由{quoted(sides.in_a.answers(old, figure))}改为{quoted(after)}"


def replies(sides: Sides) -> Iterator[Change]:
    """Yield the texts offered for answers that come, go or read otherwise; what was sent stays as it was sent."""
    old, new = ({one.title: one for one in side.replies} for side in (sides.a, sides.b))
    for title in {**old, **new}:
        was, now = old.get(title), new.get(title)
        if was is None and now is not None:
            words = f"新增答复参考{quoted(title)}：{_offered(sides.in_b, now)}"
            yield from told([CLERK], title, "reply-added", words, None, "replies")
        elif now is None and was is not None:
            yield from told([CLERK], title, "reply-removed", f"不再有答复参考{quoted(title)}", "replies")
        elif was is not None and now is not None and was != now:
            said = f"由{quoted(_offered(sides.in_a, was))}改为{quoted(_offered(sides.in_b, now))}"
            yield from told([CLERK], title, "reply-changed", f"答复参考{quoted(title)}{said}", "replies", "replies")


def _offered(words: Wording, reply: ReplyText) -> str:
    where = f"{words.states(reply.in_)}时" if reply.in_ else ""
    return f"{where}{words.condition(reply.when)}：{reply.text}" + (f"（{reply.source}）" if reply.source else "")


def results(sides: Sides) -> Iterator[Change]:
    """Yield the results (办理结果) that come, go, or are kept otherwise; those of what is closed go by their own version."""
    old, new = sides.a.results, sides.b.results
    for name in {**old, **new}:
        was, now, path = old.get(name), new.get(name), f"results.{name}"
        if was is None and now is not None:
            words = f"新增办理结果{quoted(name)}：{_kept(sides.in_b, now)}"
            yield from told([CLERK], name, "result-added", words, None, path)
        elif now is None and was is not None:
            yield from told([CLERK], name, "result-removed", f"不再有办理结果{quoted(name)}", path)
        elif was is not None and now is not None and was != now:
            said = f"由{quoted(_kept(sides.in_a, was))}改为{quoted(_kept(sides.in_b, now))}"
            yield from told([CLERK], name, "result-changed", f"办理结果{quoted(name)}{said}", path, path)


def _kept(words: Wording, result: ResultSpec) -> str:
    ends = f"到{words.states(result.in_)}就是，" if result.in_ else ""
    return f"{ends}{result.chinese}" + (f"（{result.source}）" if result.source else "")
