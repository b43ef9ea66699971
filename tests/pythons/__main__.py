"""The fast tests on each supported Python, in an environment of its own made from the one lock (`.pythons/3.12`).

Looked for on PATH, beside the system's programs and under pyenv. `ARGS` names versions, or the path of one interpreter.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests import ROOT

SUPPORTED = ("3.11", "3.12", "3.13")
_LOCK = ROOT / "requirements.lock"
_HOME = ROOT / ".pythons"
_INSTALL = ("-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-qq")


def main(words: Sequence[str]) -> int:
    """Run on those named, else on all that are found; return 0 when each of them is green."""
    results: dict[str, str] = {}
    for word in words or SUPPORTED:
        interpreter = Path(word) if "/" in word else found(word)
        if interpreter is None:
            results[word] = "red: not found here" if words else "not found here, not tried"
            continue
        began = time.monotonic()
        colour = "green" if _tested(interpreter) == 0 else "red"
        results[_version(interpreter)] = f"{colour} after {time.monotonic() - began:.0f} s"
    for name, result in results.items():
        sys.stdout.write(f"Python {name}: {result}\n")
    said = list(results.values())
    return 1 if any(one.startswith("red") for one in said) or not any(one.startswith("green") for one in said) else 0


def found(version: str) -> Path | None:
    """Return an interpreter of a minor version that runs and can make environments, or None."""
    return next((one for one in _places(version) if _version(one).startswith(f"{version}.") and _whole(one)), None)


def _places(version: str) -> Iterator[Path]:
    name = f"python{version}"
    on_path = shutil.which(name)
    if on_path is not None:
        yield Path(on_path)
    yield Path("/usr/bin") / name
    yield Path("/usr/local/bin") / name
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/{name}"), reverse=True)


def _version(interpreter: Path) -> str:
    """Return what it says it is, as 3.12.1; empty where it does not run."""
    return _said(interpreter, "import platform; print(platform.python_version())")


def _whole(interpreter: Path) -> bool:
    return _said(interpreter, "import ensurepip, venv; print('whole')") == "whole"


def _said(interpreter: Path, program: str) -> str:
    try:
        answer = subprocess.run([interpreter, "-c", program], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _tested(interpreter: Path) -> int:
    python = _environment(interpreter)
    words = ["-m", "pytest", "-q", "-n", "4", "--dist", "loadfile", "-p", "no:cacheprovider"]
    return subprocess.run([python, *words, "-m", "not proof"], cwd=ROOT, check=False).returncode


def _environment(interpreter: Path) -> Path:
    """Return the Python of the version's own environment, made anew where the lock or the interpreter has changed."""
    version = _version(interpreter)
    folder = _HOME / ".".join(version.split(".")[:2])
    made_from = f"{version} {ROOT} {hashlib.sha256(_LOCK.read_bytes()).hexdigest()}"
    ready, python = folder / ".ready", folder / "bin" / "python"
    if not ready.exists() or ready.read_text() != made_from:
        shutil.rmtree(folder, ignore_errors=True)
        commands: list[list[str | Path]] = [
            [interpreter, "-m", "venv", folder],
            [python, *_INSTALL, "--require-hashes", "--only-binary", ":all:", "-r", _LOCK],
            [python, *_INSTALL, "--no-deps", "--no-build-isolation", "--editable", ROOT],
        ]
        for command in commands:
            subprocess.run(command, check=True)
        ready.write_text(made_from)
    return python


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
