"""The README's own words: its Python runs as printed, its commands exist, both languages show the same."""

import re
import shutil
from pathlib import Path

from careshed import cli

ROOT = Path(__file__).parents[1]


def python_of(page: str) -> str:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)[0]


def test_the_dozen_lines_run_as_printed(made_demo, tmp_path, monkeypatch):
    shutil.copytree(made_demo.parent, tmp_path / "data" / "raw" / "demo")
    monkeypatch.chdir(tmp_path)
    exec(compile(python_of("README.md"), "README.md", "exec"), {})
    assert (tmp_path / "maps" / "day_care.html").stat().st_size > 100_000
    assert (tmp_path / "maps" / "day_care_sites.xlsx").stat().st_size > 1000


def test_the_architecture_prints_the_same_dozen_lines():
    said = [[line.split("  #")[0] for line in python_of(page).splitlines()] for page in ("README.md", "docs/architecture.md")]
    assert said[0] == said[1]


def test_the_commands_it_names_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = {command.name or command.callback.__name__ for command in cli.app.registered_commands}
    assert set(re.findall(r"^careshed ([a-z-]+)", text, re.MULTILINE)) <= commands
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)  ", text)) <= targets


def test_both_languages_give_the_same_commands():
    blocks = [re.findall(r"^(?:make|careshed|pip) [^#\n]*", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE) for page in
              ("README.md", "README.zh-CN.md")]  # fmt: skip
    assert [line.strip() for line in blocks[0]] == [line.strip() for line in blocks[1]]
