import json

from tests.cli.conftest import Run

from wuye_loop.domain.privacy import api_keys


def test_a_new_key_stands_alone_on_stdout(run: Run) -> None:
    made = run("key", "create", "--role", "admin", "--days", "3")
    assert made.exit_code == 0
    assert made.stdout.endswith("\n")
    assert api_keys.well_formed(made.stdout[:-1])
    assert made.stderr == ""


def test_a_key_is_listed_by_its_beginning_and_revoked_by_it_once(run: Run) -> None:
    key = run("key", "create", "--role", "hotline", "--source", "wx").stdout.strip()
    (listed,) = json.loads(run("key", "list", "--json").stdout)
    assert (listed["prefix"], listed["source"], listed["revoked_at"]) == (api_keys.prefix(key), "wx", None)
    assert api_keys.prefix(key) in run("key", "list").stdout
    assert key not in run("key", "list").stdout
    assert run("key", "revoke", api_keys.prefix(key)).exit_code == 0
    again = run("key", "revoke", key)
    assert again.exit_code == 1
    assert "没有这样的有效密钥" in again.stderr


def test_a_unit_key_needs_a_unit_that_exists(look: Run) -> None:
    refused = look("key", "create", "--role", "unit", "--unit", "nobody")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "没有这个单位" in refused.stderr


def test_a_company_never_reveals_identities_but_a_department_may(healthy: Run) -> None:
    assert "物业企业" in healthy("key", "create", "--role", "unit", "--unit", "company-01", "--reveal").stderr
    healthy("key", "create", "--role", "unit", "--unit", "fire", "--reveal")
    listed, _ = json.loads(healthy("key", "list", "--json").stdout)
    assert listed["scopes"] == ["act", "identity:reveal"]


def test_a_role_that_is_not_given_is_a_mistake_in_usage(look: Run) -> None:
    assert look("key", "create").exit_code == 2
