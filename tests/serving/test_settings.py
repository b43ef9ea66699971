import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wuye_loop.settings import Settings, SettingsError, load, shipped


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Give an environment without any setting, which is read afresh."""
    for name in [name for name in os.environ if name.startswith("WUYE_")]:
        monkeypatch.delenv(name)
    load.cache_clear()
    yield monkeypatch
    load.cache_clear()


def test_with_nothing_set_the_program_runs_by_itself_on_this_machine_only() -> None:
    settings = load()
    assert (settings.database_url, settings.host, settings.rehearsal) == (None, "127.0.0.1", False)
    assert settings.keys == Path("var/keys.json")
    assert settings.workflows == (shipped("workflows"),)
    assert (shipped("migrations") / "env.py").is_file()


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        assert len(field.description or "") > 20, name


def test_the_environment_is_read_once(environment: pytest.MonkeyPatch) -> None:
    first = load()
    environment.setenv("WUYE_PORT", "9")
    assert load() is first


def test_a_list_of_folders_is_written_as_in_path(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("WUYE_WORKFLOWS", f"/one{os.pathsep}/two")
    assert load().workflows == (Path("/one"), Path("/two"))


@pytest.mark.parametrize("given", ["postgresql://u@h/d", "postgres://u@h/d", "postgresql+psycopg://u@h/d"])
def test_any_spelling_of_a_postgresql_url_will_do(environment: pytest.MonkeyPatch, given: str) -> None:
    environment.setenv("WUYE_DATABASE_URL", given)
    assert load().database_url == "postgresql+psycopg://u@h/d"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("WUYE_PORT", "99999", r"WUYE_PORT: Input should be less than"),
        ("WUYE_DATABASE_URL", "sqlite:///secret.db", r"WUYE_DATABASE_URL: .*must begin with postgresql://"),
        ("WUYE_DATABSE_URL", "postgresql://u@h/d", r"did you mean WUYE_DATABASE_URL\?"),
    ],
)
def test_a_wrong_setting_is_refused_in_words_that_do_not_repeat_it(
    environment: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=words) as refusal:
        load()
    assert value not in str(refusal.value)


def test_a_strangers_variable_is_left_alone(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("WUYE_SERVICE_ACCOUNT", "not ours")
    assert load().port == 8000


def test_secrets_are_never_printed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("WUYE_MASTER_KEY", "hush")
    environment.setenv("WUYE_DATABASE_URL", "postgresql://u:hush@h/d")
    assert "hush" not in repr(load())
