import pytest

from wuye_loop.domain.privacy.access.claims import Mapped, claim_rules, values_of

FILE = {
    "login": "preferred_username",
    "rules": [
        {"when": {"groups": ["市场监管", "market"]}, "role": "unit", "unit": "market"},
        {"when": {"groups": "物业", "org.kind": "company"}, "role": "unit", "unit": "{org.code}"},
        {"when": {"groups": "督办"}, "role": "supervisor", "area": "{area}"},
    ],
}
WHO = {"sub": "7", "preferred_username": "wang", "name": "王工"}


def mapped(**claims: object) -> Mapped | None:
    return claim_rules(FILE).of({**WHO, **claims})


def wang(role: str, unit: str | None = None, area: str | None = None) -> Mapped:
    return Mapped("wang", "王工", role, unit, area, None, reveal=False)


def test_the_first_rule_whose_claims_are_there_makes_the_account() -> None:
    assert mapped(groups=["别的", "market"]) == wang("unit", "market")
    assert mapped(groups="物业", org={"kind": "company", "code": "c1"}) == wang("unit", "c1")
    assert mapped(groups=["督办"], area=370701) == wang("supervisor", area="370701")


@pytest.mark.parametrize("claims", [
    {}, {"groups": []}, {"groups": "marketing"}, {"groups": True}, {"groups": {"market": 1}}, {"groups": "物业"},
    {"groups": "督办"}, {"groups": "督办", "area": ["1", "2"]}, {"groups": "market", "preferred_username": " "},
    {"groups": "market", "preferred_username": ["a", "b"]},
])  # fmt: skip
def test_who_fits_no_rule_or_is_not_named_gets_nothing(claims: dict[str, object]) -> None:
    assert mapped(**claims) is None


def test_a_claim_whose_name_has_a_dot_is_taken_as_it_is() -> None:
    assert values_of({"a.b": "x", "a": {"b": "y"}}, "a.b") == ["x"]
    assert values_of({"a": {"b": ["y", 3, None, True]}}, "a.b") == ["y", "3"]
    assert values_of({"a": "x"}, "a.b") == []


@pytest.mark.parametrize(("document", "words"), [
    ([], "login、name、rules"),
    ({"rules": []}, "至少一条"),
    ({"rules": "x"}, "至少一条"),
    ({"rule": []}, "没有“rule”"),
    ({"rules": [{"role": "admin"}]}, "谁都合的一条会把人人放进来"),
    ({"rules": [{"when": {}, "role": "admin"}]}, "第 1 条"),
    ({"rules": [{"when": {"a": []}, "role": "admin"}]}, "when 里的值"),
    ({"rules": [{"when": {"a": True}, "role": "admin"}]}, "when 里的值"),
    ({"rules": [{"when": {"a": "b"}, "role": "mayor"}]}, "role 只能写"),
    ({"rules": [{"when": {"a": "b"}, "role": "unit"}]}, "是 unit 的要写 unit"),
    ({"rules": [{"when": {"a": "b"}, "role": "admin", "unit": "x"}]}, "别的除热线外不写"),
    ({"rules": [{"when": {"a": "b"}, "role": "supervisor", "unit": "x"}]}, "别的除热线外不写"),
    ({"rules": [{"when": {"a": "b"}, "role": "unit", "unit": "x", "area": "1"}]}, "第 1 条：单位账号不写属地"),
    ({"rules": [{"when": {"a": "b"}, "role": "supervisor", "reveal": True}]}, "督办账号不能查看诉求人身份"),
    ({"rules": [{"when": {"a": "b"}, "role": "unit", "unit": "x", "source": "y"}]}, "来源只属于热线"),
    ({"rules": [{"when": {"a": "b"}, "role": "unit", "unit": "dept-{x}"}]}, "整个写成 {声明}"),
    ({"rules": [{"when": {"a": "b"}, "role": "unit", "unit": "{x}-{y}"}]}, "整个写成 {声明}"),
    ({"rules": [{"when": {"a": "b"}, "role": "admin", "powers": 1}]}, "没有“powers”"),
    ({"rules": [{"when": {"a": "b"}, "role": "hotline", "reveal": "yes"}]}, "true 或 false"),
    ({"login": "", "rules": [{"when": {"a": "b"}, "role": "admin"}]}, "声明"),
])  # fmt: skip
def test_what_is_wrong_with_the_file_is_said_with_its_rule(document: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        claim_rules(document)
