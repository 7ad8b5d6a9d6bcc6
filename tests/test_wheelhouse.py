"""The wheelhouse: what each kind of machine needs, gathered by pip itself from a folder of made-up packages, without network."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def _load():
    spec = importlib.util.spec_from_file_location("wheelhouse", ROOT / "tools" / "wheelhouse.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["wheelhouse"] = module
    spec.loader.exec_module(module)
    return module


wheelhouse = _load()
WINDOWS = wheelhouse.Target("win_amd64", "3.12")
LINUX = wheelhouse.Target("manylinux_2_28_x86_64", "3.12")


def make_wheel(folder: Path, name: str, *needs: str, tag: str = "py3-none-any") -> Path:
    """Write a wheel that holds one empty module."""
    info = f"{name}-1.0.dist-info"
    inside = {
        f"{name}.py": "",
        f"{info}/METADATA": "\n".join(
            ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {one}" for one in needs), ""]
        ),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}"
        for path, text in inside.items()
    ]
    inside[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in inside.items():
            archive.writestr(inner, text)
    return path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages as a registry would have them: one compiled for two kinds of machine, one that only Windows needs."""
    folder = tmp_path_factory.mktemp("shop")
    make_wheel(folder, "careshed", "compiled>=1", "bar")
    make_wheel(folder, "compiled", tag="cp312-cp312-win_amd64")
    make_wheel(folder, "compiled", tag="cp312-cp312-manylinux_2_17_x86_64")
    make_wheel(folder, "bar", 'onlywindows; platform_system == "Windows"', 'never; extra == "x"')
    make_wheel(folder, "onlywindows", 'deeper; sys_platform == "win32"')
    make_wheel(folder, "deeper")
    make_wheel(folder, "linuxonly", tag="cp312-cp312-manylinux_2_28_x86_64")
    return folder


@pytest.fixture
def offline(shop: Path, monkeypatch: pytest.MonkeyPatch):
    """pip that finds packages in the folder alone; building our own wheel gives the made-up one."""
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shop))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    def run(arguments):
        if arguments[0] == "wheel":
            make_wheel(Path(arguments[arguments.index("--wheel-dir") + 1]), "careshed", "compiled>=1", "bar")
        else:
            wheelhouse.pip(arguments)

    return run


@pytest.mark.usefixtures("shop")
def test_a_package_without_a_wheel_for_the_machine_is_named(offline, tmp_path: Path):
    own = make_wheel(tmp_path, "careshed", "linuxonly")
    passed, line = wheelhouse.check(WINDOWS, own, offline)
    assert not passed
    assert line.startswith("FAIL win_amd64 CPython 3.12: ")
    assert "linuxonly" in line


def test_a_kind_of_machine_that_all_packages_serve_passes(monkeypatch, tmp_path: Path):
    wheels = [
        wheelhouse.Wheel("a", "1", "a-1-py3-none-any.whl", ()),
        wheelhouse.Wheel("b", "1", "b-1-cp312-cp312-win_amd64.whl", ()),
    ]
    monkeypatch.setattr(wheelhouse, "resolve", lambda *_: wheels)
    assert wheelhouse.check(WINDOWS, tmp_path) == (True, "PASS win_amd64 CPython 3.12: 2 wheels, 1 of them compiled")


def test_the_folder_holds_wheels_sums_and_instructions(offline, tmp_path: Path):
    folder = wheelhouse.gather(WINDOWS, tmp_path, offline)
    assert [path.name for path in tmp_path.iterdir()] == ["win_amd64-cp312"]
    wheels = sorted(path.name for path in (folder / "wheels").iterdir())
    assert "compiled-1.0-cp312-cp312-win_amd64.whl" in wheels
    # onlywindows by its condition, and deeper by that of onlywindows: pip on Linux alone finds neither
    assert [name.split("-")[0] for name in wheels] == ["bar", "careshed", "compiled", "deeper", "onlywindows"]
    sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert sums == {f"wheels/{name}": hashlib.sha256((folder / "wheels" / name).read_bytes()).hexdigest() for name in wheels}
    told = (folder / "INSTALL.txt").read_text(encoding="utf-8-sig")
    assert "双击 install.bat" in told
    assert "double-click install.bat" in told
    script = (folder / "install.bat").read_bytes()
    assert b"--no-index" in script
    assert script.count(b"\n") == script.count(b"\r\n")
    assert b"{" not in script.replace(b"{python}", b"")
    assert b"'%%d.%%d' %% sys.version_info[:2]" in script  # a single % would be eaten by cmd


STUB = """#!/bin/sh
# Stands for Python: notes what it was asked, and makes an environment that holds itself.
echo "$@" >> {log}
case "$*" in *"-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/careshed";; esac
"""


def test_the_linux_script_installs_with_the_index_switched_off_and_refuses_spoilt_files(tmp_path: Path):
    folder, log, stub = tmp_path / "house", tmp_path / "log", tmp_path / "python"
    (folder / "wheels").mkdir(parents=True)
    wheel = make_wheel(folder / "wheels", "careshed")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  wheels/{wheel.name}\n")
    wheelhouse.write_scripts(folder, LINUX)
    stub.write_text(STUB.format(log=log))
    stub.chmod(0o755)

    def install() -> int:
        log.write_text("")
        script = ["sh", str(folder / "install.sh"), str(tmp_path / "my env")]
        return subprocess.run(script, capture_output=True, check=False, env={**os.environ, "PYTHON": str(stub)}).returncode

    assert install() == 0
    asked = log.read_text().splitlines()
    assert "'3.12'" in asked[0]
    assert asked[1:] == [f"-m venv {tmp_path / 'my env'}", "-m pip install --no-index --find-links wheels careshed", "warm-up"]
    wheel.write_bytes(b"spoilt")
    assert install() != 0
    assert len(log.read_text().splitlines()) == 1  # the version was asked, nothing was installed


def test_requirements_that_never_end_are_given_up(tmp_path: Path):
    def run(arguments):
        report = Path(arguments[arguments.index("--report") + 1])
        data = (
            '{"metadata": {"name": "a", "version": "1", "requires_dist": ["b>=2"]}, "download_info": {"url": "file:///a-1.whl"}}'
        )
        report.write_text(f'{{"install": [{data}]}}')

    with pytest.raises(wheelhouse.PipFailed, match=r"still missing after 10 rounds: b>=2"):
        wheelhouse.resolve(LINUX, tmp_path / "a.whl", run)


def test_the_command_checks_or_gathers_each_platform_and_version(monkeypatch, capsys, tmp_path: Path):
    asked = []
    monkeypatch.setattr(wheelhouse, "build_own", lambda folder: folder)

    def check(target, _own):
        asked.append(target.folder)
        return target.windows, "line"

    monkeypatch.setattr(wheelhouse, "check", check)
    assert wheelhouse.main(["--check", "win_amd64", "manylinux_2_28_x86_64", "--python", "3.11,3.12"]) == 1
    assert asked == ["win_amd64-cp311", "win_amd64-cp312", "manylinux_2_28_x86_64-cp311", "manylinux_2_28_x86_64-cp312"]
    assert wheelhouse.main(["--check", "win_amd64"]) == 0

    def gather(target, home):
        (home / target.folder / "wheels").mkdir(parents=True)
        make_wheel(home / target.folder / "wheels", "careshed")
        return home / target.folder

    monkeypatch.setattr(wheelhouse, "gather", gather)
    capsys.readouterr()
    assert wheelhouse.main(["win_amd64", "--out", str(tmp_path)]) == 0
    assert "win_amd64-cp311: 1 wheels, 0 MB" in capsys.readouterr().out


def test_no_registry_is_named_in_what_is_committed():
    for path in (ROOT / "tools" / "wheelhouse.py", *(ROOT / "docs").glob("offline_install*.md")):
        text = path.read_text(encoding="utf-8").lower()
        assert "pypi" not in text
        assert "index-url" not in text
