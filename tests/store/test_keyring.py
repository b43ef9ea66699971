import base64
import hmac
import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from wuye_loop.domain.errors import KeyRingBroken
from wuye_loop.store.keys import keyring

HERE = UUID(int=1)
MASTER = base64.b64encode(b"m" * 32).decode()
OLDER = base64.urlsafe_b64encode(b"o" * 32).decode().rstrip("=")


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "keys.json"
    first, second = keyring.load(path), keyring.load(path)
    assert first == second
    assert path.stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_share_one_ring(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from wuye_loop.store.keys import keyring; print(keyring.load(Path(sys.argv[1])).active)"
    command = [sys.executable, "-c", program, str(tmp_path / "keys.json")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate(timeout=30)[0] for process in started}) == 1


def test_rotation_adds_a_key_and_still_opens_the_old(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    before = keyring.load(path)
    sealed = before.new_key(HERE).seal("identity", b"x")
    after = keyring.activate(path, keyring.add(path))
    assert after.active != before.active
    assert keyring.load(path).open(HERE, "identity", sealed) == b"x"
    assert before.blind("1") in keyring.load(path).blinds("1")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_from_before_chains_still_serves(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key, index = (base64.urlsafe_b64encode(byte * 32).decode() for byte in (b"k", b"i"))
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, json.dumps({"format": 1, "active": "k1", "keys": {"k1": key}, "index": index}).encode())
    os.close(descriptor)
    ring = keyring.load(path)
    assert hmac.digest(b"i" * 32, b"x", "sha256") in ring.index.every(b"x")
    assert keyring.load(path).chain == ring.chain


def test_retired_keys_no_longer_open_anything_but_still_verify(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    before = keyring.load(path)
    row = before.chain.mac(b"row")
    keyring.activate(path, keyring.add(path))
    assert keyring.retire(path) == [before.active]
    after = keyring.load(path)
    assert before.active not in after.keys
    assert after.chain.made(b"row", row)
    assert before.blind("1") in after.blinds("1")


def test_another_process_reads_a_changed_file_again(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    rings = keyring.Rings(lambda: keyring.load(path), path, look_seconds=0)
    first = rings.ring
    assert rings.ring is first
    changed = keyring.activate(path, keyring.add(path))
    assert rings.ring.active == changed.active


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keyring.load(path)
    path.chmod(0o640)
    with pytest.raises(KeyRingBroken, match="权限"):
        keyring.load(path)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"nonsense", b'{"format":1,"active":"k","keys":{"k":"AAAA"},"index":"A"}']
)
def test_a_damaged_file_is_refused_and_never_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys.json"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, content)
    os.close(descriptor)
    with pytest.raises(KeyRingBroken):
        keyring.load(path)
    with pytest.raises(KeyRingBroken):
        keyring.add(path)
    assert path.read_bytes() == content


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keyring.load(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 3}))
    with pytest.raises(KeyRingBroken, match="版本"):
        keyring.load(path)


def test_a_master_key_gives_the_same_ring_everywhere_and_touches_no_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    one, two = keyring.load(path, MASTER), keyring.load(path, MASTER)
    assert two.open(HERE, "f", one.new_key(HERE).seal("f", b"x")) == b"x"
    assert one.blind("1") == two.blind("1")
    assert not path.exists()
    assert b"m" * 32 not in (*one.keys.values(), *one.index.keys.values(), *one.chain.keys.values())


def test_a_newer_master_key_before_the_old_one_is_a_rotation() -> None:
    old = keyring.from_master(OLDER)
    both = keyring.from_master(f"{MASTER}, {OLDER}")
    assert both.open(HERE, "f", old.new_key(HERE).seal("f", b"x")) == b"x"
    assert both.active == keyring.from_master(MASTER).active
    assert old.blind("1") in both.blinds("1")


@pytest.mark.parametrize("master", ["", "short", "!!!!", MASTER + ",", base64.b64encode(b"m" * 31).decode()])
def test_a_malformed_master_key_is_refused_without_being_repeated(master: str) -> None:
    with pytest.raises(KeyRingBroken) as caught:
        keyring.from_master(master)
    assert not master or master not in str(caught.value)
