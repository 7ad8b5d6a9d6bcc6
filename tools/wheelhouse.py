"""Gather everything that careshed needs on a machine without internet: binary wheels, install scripts, check sums.

    python tools/wheelhouse.py                                   # win_amd64 and manylinux_2_28_x86_64, CPython 3.11
    python tools/wheelhouse.py win_amd64 --python 3.11,3.12      # into dist/wheelhouse/win_amd64-cp311, -cp312
    python tools/wheelhouse.py --check win_amd64 manylinux_2_28_x86_64 --python 3.11,3.12,3.13

pip chooses files for the platform asked, but reads conditions such as ``platform_system == "Windows"`` for the machine that it
runs on: on Linux it leaves out what only Windows needs. So the conditions are read here once more, for the target.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
PLATFORMS: Final = ("win_amd64", "manylinux_2_28_x86_64")
"""What is gathered unless asked otherwise: Windows of 64 bits; Linux with glibc 2.28 (Kylin V10 SP1 and openEuler 20.03 on)."""

PYTHON: Final = "3.11"
ROUNDS: Final = 10
"""Times that missing packages are added before giving up; each round adds a generation of them."""

Run = Callable[[Sequence[str]], None]
"""Runs pip with arguments; raises `PipFailed`."""


class PipFailed(RuntimeError):
    """What pip could not do, in its own words."""


@dataclass(frozen=True)
class Target:
    """A kind of machine."""

    platform: str
    """Platform tag, such as ``win_amd64``."""
    python: str
    """Version of CPython, such as ``3.11``."""

    @property
    def folder(self) -> str:
        """Name of the folder of its wheels.

        >>> Target("win_amd64", "3.11").folder
        'win_amd64-cp311'
        """
        return f"{self.platform}-cp{self.python.replace('.', '')}"

    @property
    def windows(self) -> bool:
        """Whether it runs Windows."""
        return self.platform.startswith("win")

    @property
    def tags(self) -> tuple[str, ...]:
        """Platform tags of wheels that run on it, the newest first.

        >>> Target("manylinux_2_18_x86_64", "3.11").tags[:3]
        ('manylinux_2_18_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64')
        """
        found = re.fullmatch(r"manylinux_2_(\d+)_(\w+)", self.platform)
        if found is None:
            return (self.platform,)
        newest, machine = int(found[1]), found[2]
        old = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
        tags = []
        for minor in range(newest, 4, -1):
            tags.append(f"manylinux_2_{minor}_{machine}")
            tags += [f"{old[minor]}_{machine}"] if minor in old else []
        return tuple(tags)

    @property
    def markers(self) -> dict[str, str]:
        """What conditions of requirements compare with on such a machine."""
        names = ("win32", "nt", "Windows", "AMD64") if self.windows else ("linux", "posix", "Linux", "x86_64")
        return {
            **dict(zip(("sys_platform", "os_name", "platform_system", "platform_machine"), names, strict=True)),
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "implementation_version": f"{self.python}.0",
            "platform_release": "",
            "platform_version": "",
            "extra": "",
        }


@dataclass(frozen=True)
class Wheel:
    """One package as resolved for a machine."""

    name: str
    version: str
    file: str
    needs: tuple[str, ...]
    """Its requirements, as its own metadata state them."""


def pip(arguments: Sequence[str]) -> None:
    """Run pip of this interpreter."""
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PipFailed("\n".join(line for line in done.stderr.splitlines() if line.startswith("ERROR"))[:2000] or done.stderr)


def build_own(folder: Path, run: Run = pip) -> Path:
    """Build the wheel of careshed itself, which holds no compiled code."""
    run(["wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)])
    return next(iter(sorted(folder.glob("careshed-*.whl"))))


def resolve(target: Target, own: Path, run: Run = pip) -> list[Wheel]:
    """Choose a wheel for every package that the machine needs, without downloading them all; sorted by name.

    Raises
    ------
    PipFailed
        Where a package has no binary wheel for the machine, or what only that machine needs cannot be had.
    """
    asked = [str(own)]
    for _ in range(ROUNDS):
        wheels = _report(target, asked, run)
        missing = missing_needs(wheels, target.markers)
        if not missing:
            return wheels
        asked += missing
    raise PipFailed(f"still missing after {ROUNDS} rounds: {', '.join(missing)}")


def _report(target: Target, asked: Sequence[str], run: Run) -> list[Wheel]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        choice = ["--only-binary=:all:", "--implementation", "cp", "--python-version", target.python]
        choice += [part for tag in target.tags for part in ("--platform", tag)]
        where = ["--target", str(Path(folder) / "nowhere"), "--report", str(report)]
        run(["install", "--quiet", "--dry-run", "--ignore-installed", *choice, *where, *asked])
        told = json.loads(report.read_text(encoding="utf-8"))
    return sorted((_wheel(one) for one in told["install"]), key=lambda wheel: wheel.name)


def _wheel(one: Mapping[str, Any]) -> Wheel:
    data, file = one["metadata"], str(one["download_info"]["url"]).rsplit("/", 1)[-1]
    return Wheel(canonicalize_name(data["name"]), data["version"], file, tuple(data.get("requires_dist", ())))


def missing_needs(wheels: Sequence[Wheel], markers: Mapping[str, str]) -> list[str]:
    """List the requirements that hold on the machine and that no wheel meets, sorted.

    >>> tqdm = Wheel("tqdm", "4.67", "tqdm-4.67-py3-none-any.whl", ('colorama; platform_system == "Windows"', 'x; extra == "x"'))
    >>> missing_needs([tqdm], Target("win_amd64", "3.11").markers), missing_needs([tqdm], Target("linux_x86_64", "3.11").markers)
    (['colorama'], [])
    """
    here = {wheel.name for wheel in wheels}
    found = set()
    for text in (need for wheel in wheels for need in wheel.needs):
        need = Requirement(text)
        if canonicalize_name(need.name) not in here and (need.marker is None or need.marker.evaluate(dict(markers))):
            found.add(f"{need.name}{need.specifier}")
    return sorted(found)


def download(target: Target, wheels: Sequence[Wheel], own: Path, folder: Path, run: Run = pip) -> None:
    """Fetch the wheels that were chosen, and no others."""
    pins = [f"{wheel.name}=={wheel.version}" for wheel in wheels if wheel.name != "careshed"]
    choice = ["--only-binary=:all:", "--implementation", "cp", "--python-version", target.python]
    choice += [part for tag in target.tags for part in ("--platform", tag)]
    run(["download", "--quiet", "--no-deps", *choice, "--dest", str(folder), *pins])
    shutil.copy2(own, folder / own.name)


def gather(target: Target, home: Path, run: Run = pip) -> Path:
    """Make the folder that is carried to the machine: wheels, their check sums, install scripts; whole or not at all."""
    ready, aside = home / target.folder, home / f".{target.folder}.part"
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "wheels").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as built:
        own = build_own(Path(built), run)
        download(target, resolve(target, own, run), own, aside / "wheels", run)
    files = sorted((aside / "wheels").glob("*.whl"))
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  wheels/{file.name}\n" for file in files)
    (aside / "SHA256SUMS").write_text(sums, encoding="ascii", newline="\n")
    write_scripts(aside, target)
    shutil.rmtree(ready, ignore_errors=True)
    aside.rename(ready)
    return ready


def write_scripts(folder: Path, target: Target) -> None:
    """Write the script that installs without internet, and what to do in Chinese and English."""
    if target.windows:
        _write(folder / "install.bat", INSTALL_BAT.format(python=target.python).replace("\n", "\r\n"), "ascii")
    else:
        _write(folder / "install.sh", INSTALL_SH.format(python=target.python), "ascii")
        (folder / "install.sh").chmod(0o755)
    run_zh, run_en, check = (
        ("双击 install.bat", "double-click install.bat", "certutil -hashfile wheels\\<file> SHA256")
        if target.windows
        else ("运行 sh install.sh", "run sh install.sh", "sha256sum -c SHA256SUMS")
    )
    told = INSTALL_TXT.format(python=target.python, platform=target.platform, zh=run_zh, en=run_en, check=check)
    _write(folder / "INSTALL.txt", told.replace("\n", "\r\n"), "utf-8-sig")


def _write(path: Path, content: str, encoding: str) -> None:
    path.write_bytes(content.encode(encoding))


INSTALL_BAT: Final = """@echo off
rem Installs careshed from this folder alone; nothing is fetched from anywhere.
setlocal
cd /d "%~dp0"
set "HOME_ENV=%~1"
if "%HOME_ENV%"=="" set "HOME_ENV=%USERPROFILE%\\careshed-env"
set "PY=py -{python}"
%PY% -c "" >nul 2>nul || set "PY=python"
%PY% -c "import sys; sys.exit('%%d.%%d' %% sys.version_info[:2] != '{python}' or sys.maxsize < 2**32)" || (
  echo Python {python}, 64 bit, is needed. Install it first, then run this again.
  pause
  exit /b 1
)
%PY% -m venv "%HOME_ENV%" || exit /b 1
"%HOME_ENV%\\Scripts\\python" -m pip install --no-index --find-links wheels careshed || (
  pause
  exit /b 1
)
"%HOME_ENV%\\Scripts\\careshed" warm-up
echo Done. Start it with: "%HOME_ENV%\\Scripts\\careshed" demo
pause
"""

INSTALL_SH: Final = """#!/bin/sh
# Installs careshed from this folder alone; nothing is fetched from anywhere.
set -eu
cd "$(dirname "$0")"
home_env="${{1:-$HOME/careshed-env}}"
py="${{PYTHON:-python{python}}}"
"$py" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '{python}')" || {{
  echo "Python {python} is needed; name it: PYTHON=/path/to/python{python} sh install.sh" >&2
  exit 1
}}
sha256sum -c --quiet SHA256SUMS
"$py" -m venv "$home_env"
"$home_env/bin/python" -m pip install --no-index --find-links wheels careshed
"$home_env/bin/careshed" warm-up
echo "Done. Start it with: $home_env/bin/careshed demo"
"""

INSTALL_TXT: Final = """careshed：离线安装（{platform}，Python {python}）

1. 先安装 Python {python}（64 位）。本文件夹不含 Python 本身。
2. 把整个文件夹复制到该电脑，{zh}。不需要联网，也不需要管理员权限。
3. 校验文件（可选）：{check}，与 SHA256SUMS 对照。
4. 安装完成后按屏幕提示运行 careshed demo，会生成虚构示例并打开地图所在文件夹的路径。
卸载：删除用户目录下的 careshed-env 文件夹。

careshed: installing without internet ({platform}, Python {python})

1. Install Python {python} (64 bit) first. Python itself is not in this folder.
2. Copy the whole folder to the machine and {en}. No internet and no administrator rights are needed.
3. To check the files (optional): {check}, and compare with SHA256SUMS.
4. Then run careshed demo as the screen says: it makes a made-up town and prints where its maps lie.
To remove it: delete the folder careshed-env in your home folder.
"""


def check(target: Target, own: Path, run: Run = pip) -> tuple[bool, str]:
    """Say in one line whether every package has a binary wheel for the machine."""
    try:
        wheels = resolve(target, own, run)
    except PipFailed as error:
        return False, f"FAIL {target.platform} CPython {target.python}: {' '.join(str(error).split())[:400]}"
    compiled = sum("none-any" not in wheel.file for wheel in wheels)
    return True, f"PASS {target.platform} CPython {target.python}: {len(wheels)} wheels, {compiled} of them compiled"


def main(arguments: Sequence[str] | None = None) -> int:
    """Gather, or only check; the exit code is 1 where anything failed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    options.add_argument("platforms", nargs="*", default=[], help=f"platform tags; {' '.join(PLATFORMS)} if left out")
    options.add_argument("--python", default=PYTHON, help=f"versions of CPython, such as 3.11,3.12; {PYTHON} if left out")
    options.add_argument("--out", type=Path, default=ROOT / "dist" / "wheelhouse", help="folder to write to")
    options.add_argument("--check", action="store_true", help="only say whether every package has a wheel")
    given = options.parse_args(arguments)
    targets = [Target(platform, python) for platform in given.platforms or PLATFORMS for python in given.python.split(",")]
    if given.check:
        return _check_all(targets)
    for target in targets:
        folder = gather(target, given.out)
        files = list((folder / "wheels").iterdir())
        size = sum(file.stat().st_size for file in files) / 1e6
        print(f"{folder}: {len(files)} wheels, {size:.0f} MB")
    return 0


def _check_all(targets: Sequence[Target]) -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        own = build_own(Path(folder))
        for target in targets:
            passed, line = check(target, own)
            print(line, flush=True)
            failed += not passed
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
