"""What changes in a form: fields that are asked, not asked any more, or asked otherwise."""

from collections.abc import Iterator, Mapping, Sequence

from wuye_loop.domain.difference_sides import Change, Sides, shown, told
from wuye_loop.domain.forms import FieldSpec
from wuye_loop.domain.wording import AUDIENCES, Wording, listed

Fields = Mapping[str, FieldSpec]


def fields(sides: Sides, old: Fields, new: Fields, what: str, who: Sequence[str], path: str) -> Iterator[Change]:
    """Yield what changes in the fields of a form for those who fill it in; `what` names the form's action."""
    for name, spec in old.items():
        if name not in new:
            words = f"{what}不再填{sides.in_a.field(name, spec)}"
            yield from told(who, what, "field-removed", words, f"{path}.{name}")
    for name, spec in new.items():
        if name not in old:
            words = f"{what}要填{sides.in_b.field(name, spec)}（{sides.in_b.shape(spec)}）"
            yield from told(who, what, "field-added", words, None, f"{path}.{name}")
        elif spec != old[name]:
            yield from _field(sides, name, old[name], spec, what, who, f"{path}.{name}")


def _field(
    sides: Sides, name: str, old: FieldSpec, new: FieldSpec, what: str, who: Sequence[str], path: str
) -> Iterator[Change]:
    title = f"{what}的{sides.in_b.field(name, new)}"
    for kind, words in _words(sides.in_a, sides.in_b, name, old, new):
        yield from told(who, what, kind, title + words, path, path)
    seen = {"type", "title", "choices", "min", "max", "optional", "audience", "when"}
    for key in type(old).model_fields:
        before, after = getattr(old, key), getattr(new, key)
        if key not in seen and before != after:
            words = f"{title}的 {key} 由{shown(before)}改为{shown(after)}"
            yield from told(who, what, "field-changed", words, path, path)


def _words(a: Wording, b: Wording, name: str, old: FieldSpec, new: FieldSpec) -> Iterator[tuple[str, str]]:
    """Yield kind and words of each way in which a field differs."""
    if a.field(name, old) != b.field(name, new):
        yield "field-renamed", f"原称{a.field(name, old)}"
    if old.type != new.type:
        yield "field-type", f"由{a.shape(old)}改为{b.shape(new)}"
        return
    if old.optional != new.optional:
        yield "field-required", "由必填改为选填" if new.optional else "由选填改为必填"
    yield from _choices(old.choices, new.choices)
    for key, word in (("min", "最小"), ("max", "最大")):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield "field-bounds", f"的{word}由{_bound(before)}改为{_bound(after)}"
    if old.when != new.when:
        yield "field-when", f"由{_asked(a, old)}填改为{_asked(b, new)}填"
    if old.audience != new.audience:
        yield "field-audience", f"由{_readers(old)}可看改为{_readers(new)}可看"


def _choices(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    gone = [choice for choice in old if choice not in new]
    fresh = [choice for choice in new if choice not in old]
    if gone:
        yield "choices-removed", f"少了选项：{listed(gone)}"
    if fresh:
        yield "choices-added", f"多了选项：{listed(fresh)}"
    if not gone and not fresh and old != new:
        yield "choices-reordered", f"的选项换了次序：{listed(new)}"


def _bound(value: object) -> str:
    return "不限" if value is None else f" {value} "


def _asked(words: Wording, spec: FieldSpec) -> str:
    return f"{words.condition(spec.when)}时" if spec.when is not None else "总是"


def _readers(spec: FieldSpec) -> str:
    return AUDIENCES[spec.audience] if spec.audience is not None else "与动作相同的人"
