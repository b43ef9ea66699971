import json

from tests.cli.conftest import Run


def test_a_new_account_prints_its_first_password_alone_and_keeps_no_trace_of_it(healthy: Run) -> None:
    made = healthy("user", "create", "wang", "--name", "王芳", "--role", "unit", "--unit", "fire")
    assert made.exit_code == 0
    password = made.stdout.strip()
    assert len(password) >= 12
    listed = healthy("user", "list", "--json").stdout
    (row,) = json.loads(listed)
    assert (row["login"], row["unit_code"], row["must_change"]) == ("wang", "fire", True)
    assert not {"password", "totp"} & set(row)
    assert password not in listed
    assert "王芳" in healthy("user", "list").stdout


def test_what_does_not_fit_together_is_refused_in_words(healthy: Run) -> None:
    cases = (
        (["--role", "king"], "没有这种角色"),
        (["--role", "unit"], "哪个单位"),
        (["--role", "unit", "--unit", "nobody"], "没有这个单位"),
        (["--role", "admin", "--unit", "fire"], "不写单位"),
        (["--role", "unit", "--unit", "company-01", "--reveal"], "物业企业"),
        (["--role", "supervisor", "--area", "nowhere"], "没有这个属地"),
    )
    for options, words in cases:
        refused = healthy("user", "create", "li", "--name", "李某", *options)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert words in refused.stderr
    assert json.loads(healthy("user", "list", "--json").stdout) == []


def test_no_person_has_two_of_the_three_powers_and_no_login_is_given_twice(healthy: Run) -> None:
    healthy("user", "create", "zhao", "--name", "赵某", "--role", "admin")
    refused = healthy("user", "create", "zhao2", "--name", "赵某", "--role", "auditor")
    assert "三权分立" in refused.stderr
    assert "已经有了" in healthy("user", "create", "zhao", "--name", "别人", "--role", "admin").stderr
    healthy("user", "disable", "zhao")
    assert healthy("user", "create", "zhao2", "--name", "赵某", "--role", "auditor").exit_code == 0


def test_an_account_is_reset_and_closed(healthy: Run) -> None:
    first = healthy("user", "create", "qian", "--name", "钱某", "--role", "supervisor").stdout
    second = healthy("user", "reset", "qian", "--totp").stdout
    assert second.strip()
    assert second != first
    assert healthy("user", "disable", "qian").exit_code == 0
    for command in ("disable", "reset"):
        refused = healthy("user", command, "qian")
        assert refused.exit_code == 1
        assert "没有这个在用的账号" in refused.stderr
