"""What it takes to look: Chromium and Chinese letters from the distribution, Playwright and axe from our own lock."""

import os
import shutil
import subprocess
import sys

from tests import ROOT

_PACKAGES = ("chromium", "fonts-noto-cjk")
_NEEDED = f"请先安装：apt-get install {' '.join(_PACKAGES)} / please install them first"


def main() -> None:
    """Install what is missing; end with the line that says how where only root may."""
    if not (shutil.which("chromium") or shutil.which("chromium-browser")) or not _chinese():
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            sys.exit(_NEEDED)
        for step in (["update", "-qq"], ["install", "-y", "-qq", *_PACKAGES]):
            subprocess.run(["apt-get", *step], check=True, stdout=subprocess.DEVNULL)
    lock = ROOT / "requirements-browser.lock"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-qq"]
    subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(lock)], check=True)


def _chinese() -> bool:
    if not shutil.which("fc-list"):
        return False
    found = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=True)
    return bool(found.stdout.strip())


if __name__ == "__main__":
    main()
