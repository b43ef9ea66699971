"""Signing in person: a step may ask that somebody of the unit with a named post takes it; the ledger says with which."""

from pathlib import Path

import pytest
from tests.site import FINISH, KEYS, build, text_of
from tests.web.browsing import account, browsing

from wuye_loop.authoring.checker.check import check, load
from wuye_loop.authoring.diff.compare import differences
from wuye_loop.domain.directory.directory import Directory, Unit
from wuye_loop.domain.errors import DefinitionError
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.queries.explain.explain import explain
from wuye_loop.store.database import Database
from wuye_loop.store.directory import load as directory
from wuye_loop.store.keys.posts import posts_of
from wuye_loop.trial.definition_tests.load import read_script
from wuye_loop.trial.definition_tests.run import run

pytestmark = pytest.mark.anyio
HEAD = "单位负责人"
PEOPLE = {
    "people": [
        {"unit": "office-1", "name": "王敏", "duty": f"联络员、{HEAD}"},
        {"unit": "office-1", "name": "李强", "duty": "联络员"},
        {"unit": "office-2", "name": "赵亮", "duty": HEAD},
    ]
}


def signed(post: str = HEAD) -> str:
    own, seam, base = text_of("standard@1").partition("\n--- #")
    finish = "  finish:\n    title: 办结报送\n"
    opening = "      title: 申请延期\n"
    assert own.count(finish) == own.count(opening) == 1
    own = own.replace(finish, f"{finish}    signed_by: {post}\n")
    return own.replace(opening, f"{opening}      signed_by: {post}\n") + seam + base


def test_a_name_that_two_of_a_unit_have_signs_with_neithers_post_and_no_duty_is_every_post(
    database: Database, tmp_path: Path
) -> None:
    town = build(database, data=tmp_path, workflow="standard@1")
    people = [
        {"unit": "office-1", "name": "王敏 0731", "duty": HEAD},
        {"unit": "office-1", "name": "王敏 0732"},
        {"unit": "office-1", "name": "李强", "duty": "*"},
    ]
    town.run(lambda session: directory.load_directory(session, {"people": people}))

    def posts(holder: str) -> Actor:
        with town.database.read() as session:
            return Actor(ActorKind.UNIT, posts=posts_of(session, "office-1", holder))

    assert posts("王敏 0731").holds(HEAD)
    assert not posts("王敏 0732").holds(HEAD)
    assert not posts("王敏").holds(HEAD)
    assert not posts("李强").holds(HEAD)


async def test_only_who_has_the_post_in_the_unit_may_sign_and_the_ledger_keeps_it(
    database: Database, tmp_path: Path
) -> None:
    names = {"head": "王敏 0731", "clerk": "李强 0112", "other": "赵亮 0001"}
    own = {name: {"role": "unit", "unit": "office-1", "holder": holder} for name, holder in names.items()}
    town = build(database, data=tmp_path, workflow="standard@1", texts={"standard@1": signed()}, keys=KEYS | own)
    town.run(lambda session: directory.load_directory(session, PEOPLE))
    account(town, "office-1", "unit", unit="office-1", name="王敏")
    async with browsing(town) as visitors:
        driver = visitors.api
        number = await driver.push(category="电梯")
        await driver.act("property-centre", number, "accept", {})
        await driver.act("office-1", number, "sign")
        path = f"/v1/grievances/{number}/actions"
        for who in ("clerk", "other", "office-1"):  # the last key names no holder
            offers = await driver.get(who, path)
            blocked = {
                one.get("action") or one["task"]: one["blocked"] for one in (*offers["actions"], *offers["tasks"])
            }
            for step in ("finish", "extension"):
                assert f"要由本单位的“{HEAD}”本人签批" in blocked[step], who
            assert blocked["contact"] is None
            refused = await driver.act(who, number, "finish", FINISH, expect=409)
            assert HEAD in refused["detail"]
        offers = await driver.get("head", path)
        assert [one["blocked"] for one in offers["actions"] if one["action"] == "finish"] == [None]
        await driver.act("head", number, "finish", FINISH)
        rows = (await driver.get("property-centre", f"/v1/grievances/{number}/ledger"))["items"]
        last = next(row for row in rows if row["action"] == "finish")
        assert last["actor"]["post"] == HEAD
        assert all("post" not in row["actor"] for row in rows if row["action"] != "finish")
        kept = town.folder(number).entries[-1].actor
        assert (kept["post"], kept["key"]) == (HEAD, str(town.actors["head"].key_id))
        await driver.act("property-centre", number, "reject", {"reason": "答非所问"})
        with town.database.read() as session:
            told = explain(town.site.loop, session, number)
        words = [line for one in told["actions"] for line in one["words"] if "办结报送" in line]
        assert words == [f"“办结报送”——承办单位（东关物业办）可以做；要由单位的“{HEAD}”本人签批。"]
        person = await visitors.person("office-1")  # 王敏 at a page
        await person.go(f"/g/{number}")
        page = await person.send(f"/g/{number}/do/finish", **{**FINISH, "contacted": "true"})
        assert f"（{HEAD}签批）" in page.text


def units(*posts: str) -> Directory:
    names = ("property-centre", "command-office", "office-1")
    made = [Unit(name, name, "office", None, None, ("property-office",)) for name in names]
    return Directory((), made, posts={"office-1": frozenset(posts)})


def test_a_post_that_nobody_has_is_found_with_the_directory() -> None:
    def found(text: str, known: Directory | None) -> list[str]:
        return [one.message for one in check(text, "standard@1.yaml", known)[1] if one.code.endswith("signs")]

    assert found(signed(), None) == []
    assert found(signed(), units(HEAD)) == []  # a lead is known later: somebody has it
    missing = found(signed(), units("联络员"))
    assert len(missing) == 2
    assert f"目录里没有人担任“{HEAD}”" in missing[0]
    accept = "  accept:\n    title: 受理\n"
    at_desk = text_of("standard@1").replace(accept, f"{accept}    signed_by: {HEAD}\n")
    assert "property-centre" in found(at_desk, units(HEAD))[0]  # it is the desk's own people that sign


@pytest.mark.parametrize(("by", "says"), [("hotline", "签批的只能是单位的人"), ("system", "没有人签批")])
def test_who_is_no_unit_signs_nothing(by: str, says: str) -> None:
    text = signed().replace(
        "    from: [handling, supervised]\n    to: reviewing\n    by: handler\n",
        f"    from: [handling, supervised]\n    to: reviewing\n    by: {by}\n",
    )
    assert any(one.code == "no-unit-signs" and says in one.message for one in check(text, "standard@1.yaml")[1])


def test_the_difference_says_who_must_sign_now() -> None:
    told = [
        one.words
        for one in differences(load(text_of("standard@1"), "standard@1.yaml"), load(signed(), "standard@1.yaml"))
    ]
    assert any(f"由不用签批改为“{HEAD}”本人签批" in words for words in told)
    assert len(told) == 2


SCRIPT = """workflow: here@1.yaml
tests:
  - name: 单位负责人签批才能报送
    when:
      - {by: dispatcher, do: accept}
      - {by: handler, do: sign}
      - {by: handler, do: finish, form: FORM, then: {refused: 本人签批}}
      - {by: handler, post: 单位负责人, do: finish, form: FORM}
    then: {state: reviewing, result: 解决}
""".replace("FORM", "{result: 解决, contacted: true, internal: 换了主板, public_reply: 已恢复}")


def test_a_definition_test_says_with_which_post_somebody_acts(tmp_path: Path) -> None:
    city = "extends: standard@1\nname: here\nversion: 1\ntitle: 此地\nactions: {finish: {signed_by: 单位负责人}}\n"
    (tmp_path / "here@1.yaml").write_text(city, encoding="utf-8")
    path = tmp_path / "here@1.test.yaml"
    path.write_text(SCRIPT, encoding="utf-8")
    (result,) = run(read_script(path))
    assert result.passed, result.failures
    path.write_text(SCRIPT.replace("post: 单位负责人", "post: 负责人"), encoding="utf-8")
    with pytest.raises(DefinitionError) as told:
        read_script(path)
    assert "没有职务“负责人”" in str(told.value.extra)
