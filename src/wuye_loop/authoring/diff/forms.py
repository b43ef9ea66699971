"""What changes in a form: fields that are asked, not asked any more, or asked otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wuye_loop.authoring.diff.sides import SIGHT, Change, Sides, told
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import Role
from wuye_loop.domain.phrases import joined, phrase
from wuye_loop.domain.terms import Audience
from wuye_loop.domain.wording.definition import AUDIENCES, Wording, listed

# Who gains or loses sight of something whose readers change: the units that work on it, the complainant.

_WIDTH = {Audience.INTERNAL: 0, Audience.UNITS: 1, Audience.PUBLIC: 2}


def seen(sides: Sides, old: Audience, new: Audience) -> tuple[list[str], str]:
    """Return the titles of those who may read it now, or no longer, and the end of a sentence that says so."""
    low, high = sorted((_WIDTH[old], _WIDTH[new]))
    roles = [*sides.b.roles.values(), *sides.a.roles.values()]
    who: list[str] = []
    said = []
    if low < _WIDTH[Audience.UNITS] <= high:
        said.append("办理单位")
        who += [role.title for role in roles if _works(role)]
    if low < _WIDTH[Audience.PUBLIC] <= high:
        said.append(sides.resident)
        who += [role.title for role in roles if role.is_ in ("complainant", "channel")] or [sides.resident]
    if not said:
        return [], ""
    form = "{who}今后看得到" if _WIDTH[new] > _WIDTH[old] else "{who}今后看不到"
    return list(dict.fromkeys(who)), phrase(form, who=joined(said))


def _works(role: Role) -> bool:
    """Say whether a role is played by a unit that reads what it works on, and no more: one that dispatches reads all."""
    return role.is_ is None and (role.unit in ("lead", "assist") or not isinstance(role.unit, str))


Fields = Mapping[str, FieldSpec]
_BOUNDS = {"text": ("最少字数", "最多字数"), "file": ("最少件数", "最多件数")}
_NUMBERS = ("最小数", "最大数")


@dataclass(frozen=True, slots=True)
class Asked:
    """A form: what it is of, who fills it in, where it stands, and who reads its record on either side, where it has one."""

    what: str
    who: Sequence[str]
    path: str
    record: tuple[Audience, Audience] | None = None


def fields(sides: Sides, old: Fields, new: Fields, form: Asked) -> Iterator[Change]:
    """Yield what changes in the fields of a form for those who fill it in, and for those who may read it."""
    gone, fresh = [name for name in old if name not in new], [name for name in new if name not in old]
    twins = {sides.in_a.field(name, old[name]) for name in gone} & {sides.in_b.field(name, new[name]) for name in fresh}
    for name in gone:
        title = _told_apart(sides.in_a.field(name, old[name]), name, twins)
        yield from told(
            form.who,
            form.what,
            "field-removed",
            phrase("{what}不再填{title}", what=form.what, title=title),
            f"{form.path}.{name}",
        )
    for name, spec in new.items():
        path = f"{form.path}.{name}"
        if name in fresh:
            title = _told_apart(sides.in_b.field(name, spec), name, twins)
            words = phrase("{what}要填{title}（{shape}）", what=form.what, title=title, shape=sides.in_b.shape(spec))
            yield from told(form.who, form.what, "field-added", words, None, path)
        elif spec != old[name]:
            yield from _field(sides, name, old[name], spec, form)


def _told_apart(title: str, name: str, twins: set[str]) -> str:
    return f"{title}（{name}）" if title in twins else title


def _field(sides: Sides, name: str, old: FieldSpec, new: FieldSpec, form: Asked) -> Iterator[Change]:
    title, path = phrase("{what}的{field}", what=form.what, field=sides.in_b.field(name, new)), f"{form.path}.{name}"
    for kind, words in _words(title, sides, name, old, new):
        yield from told(form.who, form.what, kind, words, path, path)
    if old.audience == new.audience:
        return
    words = phrase(
        "{title}由{old_readers}可看改为{new_readers}可看",
        title=title,
        old_readers=_readers(old),
        new_readers=_readers(new),
    )
    seers: list[str] = []
    if form.record is not None:
        was, now = old.audience or form.record[0], new.audience or form.record[1]
        seers, sight = seen(sides, was, now)
        if seers:
            words = phrase(
                "{title}由{old_audiences}可看改为{new_audiences}可看：{sight}",
                title=title,
                old_audiences=AUDIENCES[was],
                new_audiences=AUDIENCES[now],
                sight=sight,
            )
    top = [SIGHT] if seers else []
    yield from told([*top, *form.who, *seers], form.what, "field-audience", words, path, path)


def _words(title: str, sides: Sides, name: str, old: FieldSpec, new: FieldSpec) -> Iterator[tuple[str, str]]:
    """Yield kind and words of each way in which a field is asked otherwise."""
    a, b = sides.in_a, sides.in_b
    if a.field(name, old) != b.field(name, new):
        yield "field-renamed", phrase("{title}原称{field}", title=title, field=a.field(name, old))
    if old.type != new.type:
        yield (
            "field-type",
            phrase("{title}由{old_shape}改为{new_shape}", title=title, old_shape=a.shape(old), new_shape=b.shape(new)),
        )
        return
    if old.optional != new.optional:
        yield (
            "field-required",
            phrase("{title}由必填改为选填" if new.optional else "{title}由选填改为必填", title=title),
        )
    yield from _choices(title, old.choices, new.choices)
    for key, word in zip(("min", "max"), _BOUNDS.get(new.type, _NUMBERS), strict=True):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            said = {"word": word, "old": _bound(before), "new": _bound(after)}
            yield "field-bounds", phrase("{title}的{word}由{old}改为{new}", title=title, **said)
    if old.when != new.when:
        yield (
            "field-when",
            phrase(
                "{title}由{old_asked}填改为{new_asked}填",
                title=title,
                old_asked=_asked(a, old),
                new_asked=_asked(b, new),
            ),
        )


def _choices(title: str, old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    gone = [choice for choice in old if choice not in new]
    fresh = [choice for choice in new if choice not in old]
    if gone:
        yield "choices-removed", phrase("{title}少了选项：{gone}", title=title, gone=listed(gone))
    if fresh:
        yield "choices-added", phrase("{title}多了选项：{fresh}", title=title, fresh=listed(fresh))
    if not gone and not fresh and old != new:
        yield "choices-reordered", phrase("{title}的选项换了次序：{new}", title=title, new=listed(new))


def _bound(value: object) -> str:
    return "不限" if value is None else f" {value} "


def _asked(words: Wording, spec: FieldSpec) -> str:
    return phrase("{condition}时", condition=words.condition(spec.when)) if spec.when is not None else "总是"


def _readers(spec: FieldSpec) -> str:
    return AUDIENCES[spec.audience] if spec.audience is not None else "与动作相同的人"
