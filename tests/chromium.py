"""Where a Chromium for the browser tests is. `python -m tests.chromium` installs one if need be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Where Playwright keeps those it downloads: Linux, macOS.
DOWNLOADS = (".cache/ms-playwright", "Library/Caches/ms-playwright")
DOWNLOADED = ("chromium-*/chrome-*/chrome", "chromium-*/chrome-*/*.app/Contents/MacOS/*")


def find() -> Path | None:
    """The browser that CHROMIUM names, else one on the PATH, else one that Playwright downloaded."""
    if named := os.environ.get("CHROMIUM"):
        return Path(named) if _runs(Path(named)) else None
    installed = [Path(found) for name in NAMES if (found := shutil.which(name))]
    folders = [Path.home() / folder for folder in DOWNLOADS]
    if named := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        folders = [Path(named)]
    downloaded = [
        browser
        for folder in folders
        for pattern in DOWNLOADED
        for browser in sorted(folder.glob(pattern), reverse=True)
    ]
    return next((browser for browser in installed + downloaded if _runs(browser)), None)


def _runs(browser: Path) -> bool:
    """A browser may lack its libraries, or be a script that only says how to install one."""
    try:
        answer = subprocess.run([browser, "--version"], capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def install() -> None:
    """Try the ways there are, in turn."""
    ways = [[[sys.executable, "-m", "playwright", "install", "chromium"]]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        ways.insert(0, [["apt-get", "update"], ["apt-get", "install", "-y", "chromium"]])
    for way in ways:
        for command in way:
            sys.stderr.write(" ".join(command) + "\n")
            if subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}).returncode:
                break
        if find():
            return


def main() -> None:
    browser = find()
    if not browser and (named := os.environ.get("CHROMIUM")):
        sys.exit(f"CHROMIUM={named} is not a browser that runs here.")
    if not browser:
        install()
        browser = find()
    if not browser:
        sys.exit(
            "There is no Chromium and none could be installed. Install it (on Debian: apt-get"
            " install chromium), or name one with CHROMIUM=/path/to/chromium."
        )
    sys.stderr.write(f"Browser: {browser}\n")


if __name__ == "__main__":
    main()
