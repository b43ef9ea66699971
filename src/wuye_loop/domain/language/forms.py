"""Forms: what an action needs from the one who takes it, written in YAML, checked by pydantic."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.privacy.text import clean
from wuye_loop.domain.terms import Audience

FIELD_TYPES = ("text", "bool", "int", "date", "time", "unit", "grievance", "choice", "scale", "file")
MOST_FILES = 10  # in one field, where the form does not say
NAME = r"^[a-z][a-z0-9_]{0,39}$"


class FieldSpec(BaseModel):
    """One field of a form: `reason: text`, `days: {int: {max: 10}}`, `result: {choice: [解决, 未解决]}`.

    `photos: {file: {max: 5}}` takes the ids of files uploaded before. A type followed by `?` is optional. `audience` says who may read the answer in the ledger (default: as the action).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["text", "bool", "int", "date", "time", "unit", "grievance", "choice", "scale", "file"]
    title: str | None = None
    choices: tuple[str, ...] = ()
    min: int | None = None
    max: int | None = None
    optional: bool = False
    future: bool = False  # a `time` that is still to come (约定到场时间), not one that has been
    audience: Audience | None = None
    when: Condition | None = None  # asked only when the condition holds; then it is required unless optional

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: object) -> object:
        if isinstance(raw, str):
            raw = {raw: {}}
        if not isinstance(raw, dict):
            msg = f"字段要写成类型(如 text、bool?)或一个映射；可用类型:{'、'.join(FIELD_TYPES)}"
            raise ValueError(msg)
        if "type" in raw:
            return raw
        kinds = [key for key in raw if str(key).rstrip("?") in FIELD_TYPES]
        if len(kinds) != 1:
            msg = f"字段要有且只有一个类型；可用类型:{'、'.join(FIELD_TYPES)}"
            raise ValueError(msg)
        return _flatten(raw, kinds[0])

    @model_validator(mode="after")
    def _has_choices(self) -> Self:
        if self.type in ("choice", "scale") and not self.choices:
            msg = f"{self.type} 要列出可选项"
            raise ValueError(msg)
        if self.future and self.type != "time":
            msg = "future 只能写在 time 字段里：将来的时刻"
            raise ValueError(msg)
        if len(set(self.choices)) != len(self.choices):
            msg = "可选项重复"
            raise ValueError(msg)
        return self

    @field_validator("choices", mode="before")
    @classmethod
    def _as_tuple(cls, raw: object) -> object:
        return tuple(raw) if isinstance(raw, list) else raw

    def annotation(self) -> Any:
        """Return the pydantic annotation of this field."""
        if self.type in ("choice", "scale"):
            return Literal[self.choices]
        if self.type == "int":
            return Annotated[int, Field(ge=self.min if self.min is not None else 0, le=self.max or 1_000_000)]
        if self.type == "bool":
            return bool
        if self.type in _INSTANTS:
            return _INSTANTS[self.type]
        if self.type == "file":
            one = Annotated[UUID, Field(strict=False)]  # its text, as JSON carries it
            return Annotated[list[one], Field(min_length=self.min or 1, max_length=self.max or MOST_FILES)]
        longest = (self.max or 4000) if self.type == "text" else 64
        return Annotated[str, StringConstraints(min_length=1, max_length=longest)]


def _written_as(pattern: str) -> BeforeValidator:
    """Let only text of this pattern become a date or a time: a number would be read as seconds since 1970."""

    def check(raw: object) -> object:
        if not isinstance(raw, str) or not re.fullmatch(pattern, raw, re.ASCII):
            raise PydanticCustomError("unreadable", "not written so")
        return raw

    return BeforeValidator(check)


_INSTANTS: Mapping[str, Any] = {
    "date": Annotated[date, Field(strict=False), _written_as(r"\d{4}-\d\d-\d\d")],
    "time": Annotated[datetime, Field(strict=False), _written_as(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S{0,20}")],
}
_WRITTEN_SO = {"date": "要写成 2026-03-02", "time": "要写成 2026-03-02 10:30，别的时区要带上时区"}


def _flatten(raw: dict[str, Any], kind: str) -> dict[str, Any]:
    """Turn `{int: {max: 3}, title: 天数}` into `{type: int, max: 3, title: 天数}`."""
    inner = raw[kind]
    rest = {key: value for key, value in raw.items() if key != kind}
    if isinstance(inner, list):
        inner = {"choices": inner}
    if inner is None:
        inner = {}
    if not isinstance(inner, dict):
        msg = f"{kind} 后面要写一个映射或列表"
        raise ValueError(msg)
    spec = {"type": kind.rstrip("?"), **inner, **rest}
    if kind.endswith("?"):
        spec["optional"] = True
    return spec


class FormProblem(ValueError):
    """What is wrong with a submitted form: `fields` lists {path, problem}, never the values."""

    def __init__(self, fields: list[dict[str, str]]) -> None:
        super().__init__("表单填写有误")
        self.fields = fields


class _Filled(Mapping[str, object]):
    """The facts of a grievance, and the answers as far as they were read: what `form.` asks in a field's `when`."""

    __slots__ = ("_answers", "_facts")

    def __init__(self, facts: Mapping[str, object], answers: Mapping[str, object]) -> None:
        self._facts = facts
        self._answers = answers

    def get(self, key: str, default: object = None) -> object:
        """Return an answer or a fact, or the default where there is none."""
        name = key.removeprefix("form.")
        return self._answers[name] if name != key and name in self._answers else self._facts.get(key, default)

    def __getitem__(self, key: str) -> object:
        """Return an answer or a fact; KeyError where there is none."""
        name = key.removeprefix("form.")
        return self._answers[name] if name != key and name in self._answers else self._facts[key]

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the facts and of the answers."""
        yield from self._facts
        yield from (f"form.{name}" for name in self._answers)

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(self._facts) + len(self._answers)


_STRICT = ConfigDict(extra="forbid", strict=True)
_WORDS = {
    "missing": "必填",
    "literal_error": "不在可选项之内",
    "extra_forbidden": "表单里没有这一项",
    "int_type": "要填整数",
    "bool_type": "要填 true 或 false",
    "string_type": "要填文字",
    "string_too_short": "不能为空",
    "string_too_long": "太长",
    "greater_than_equal": "太小",
    "less_than_equal": "太大",
    "list_type": "要填文件编号的列表",
    "uuid_type": "不是文件编号",
    "uuid_parsing": "不是文件编号",
    "too_short": "文件太少",
    "too_long": "文件太多",
}


_WRITTEN = ("date", "time", "file")  # what pydantic reads into something that JSON cannot carry
# Where an answer is more than its type: a world is asked.
_REFINED = frozenset({"text", "unit", "file", "date", "time"})
_CHECKED = ("text", "file")  # where the type alone does not say whether an answer is sound


class Form:
    """A compiled form: `validate` returns clean values or raises FormProblem; `schema` gives its JSON Schema."""

    def __init__(self, name: str, specs: dict[str, FieldSpec]) -> None:
        self.specs = specs
        fields: dict[str, Any] = {}
        for key, spec in specs.items():
            annotation = spec.annotation()
            title = spec.title or key
            if spec.optional or spec.when is not None:
                fields[key] = (annotation | None, Field(default=None, title=title))
            else:
                fields[key] = (annotation, Field(title=title))
        self._model = create_model(name, __config__=_STRICT, **fields)
        self._read = self._model.__pydantic_validator__.validate_python
        #: Whether a field's `when` asks about the grievance: without one, validate looks at no facts.
        self.conditional = any(spec.when is not None for spec in specs.values())
        self._written = any(spec.type in _WRITTEN for spec in specs.values())
        self.refined = tuple((key, spec.type) for key, spec in specs.items() if spec.type in _REFINED)
        self._blank = tuple(
            key for key, spec in specs.items() if spec.type == "text" and (spec.optional or spec.when is not None)
        )
        self._looked_at = {key: spec for key, spec in specs.items() if spec.when is not None or spec.type in _CHECKED}

    def schema(self, labels: Mapping[str, str]) -> dict[str, object]:
        """Return the JSON Schema of the form, for clients that draw it; `labels` name the fields without a title."""
        schema: dict[str, object] = self._model.model_json_schema()
        properties: dict[str, dict[str, object]] = schema.get("properties", {})  # type: ignore[assignment]
        for key, shape in properties.items():
            if self.specs[key].title is None:
                shape["title"] = labels.get(key, key)
        return schema

    def validate(self, raw: Mapping[str, object], facts: Mapping[str, object]) -> dict[str, object]:
        """Return the clean, JSON-able answers; a field under `when` is asked only where it holds.

        Raises FormProblem naming each field and what is wrong, never its value.
        """
        if not self.specs and not raw:
            return {}
        try:
            read = self._read(self._without_blanks(raw))
        except ValidationError as error:
            raise FormProblem(_problems(error, self.specs)) from None
        filled = read.model_dump(mode="json") if self._written else read.__dict__
        answers: dict[str, object] = {key: value for key, value in filled.items() if value is not None}
        problems: list[dict[str, str]] = []
        form_facts = _Filled(facts, answers) if self.conditional else facts
        for key, spec in self._looked_at.items():
            self._check(key, spec, answers, form_facts, problems)
        if problems:
            raise FormProblem(problems)
        return answers

    def _without_blanks(self, raw: Mapping[str, object]) -> Mapping[str, object]:
        """Leave out what a web form sends for a text that may be left empty and was."""
        blank = [key for key in self._blank if raw.get(key) == ""]
        return {key: value for key, value in raw.items() if key not in blank} if blank else raw

    @staticmethod
    def _check(
        key: str,
        spec: FieldSpec,
        answers: dict[str, object],
        facts: Mapping[str, object],
        problems: list[dict[str, str]],
    ) -> None:
        if spec.when is not None:
            asked = spec.when.holds(facts)
            if asked and key not in answers and not spec.optional:
                problems.append({"path": key, "problem": "必填"})
            if not asked and key in answers:
                problems.append({"path": key, "problem": "此情形下不填这一项"})
        value = answers.get(key)
        if isinstance(value, list) and len(set(value)) != len(value):
            problems.append({"path": key, "problem": "同一个文件填了两次"})
        if isinstance(value, str) and spec.type == "text":
            try:
                answers[key] = clean(value, max_len=spec.max or 4000)
            except ValueError as error:
                problems.append({"path": key, "problem": str(error)})
            else:
                if not answers[key]:
                    problems.append({"path": key, "problem": "不能为空"})


def _problems(error: ValidationError, specs: dict[str, FieldSpec]) -> list[dict[str, str]]:
    problems = []
    for item in error.errors(include_url=False, include_context=False, include_input=False)[:20]:
        name = str(item["loc"][0]) if item["loc"] else ""
        words = _WORDS.get(item["type"], "格式不对")
        spec = specs.get(name)
        if item["type"] == "literal_error" and spec is not None:
            words = f"要从这些里选:{'、'.join(spec.choices)}"
        if spec is not None and item["type"] not in _WORDS:
            words = _WRITTEN_SO.get(spec.type, words)
        if item["type"] == "extra_forbidden" and specs:  # what was written there is not repeated: it may be anything
            words = f"{words}，只有：{'、'.join(specs)}"
        problems.append({"path": name if spec is not None else "", "problem": words})
    return problems
