"""The documentation site: built whole and without warnings, every public name in it, nothing asked of another machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

import careshed

ROOT = Path(__file__).parents[1]
LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?([^\"' >]+)"
    r"|<link\b[^>]*\brel=[\"']?(?:stylesheet|preload|preconnect|icon)[\"']?[^>]*\bhref=[\"']?([^\"' >]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "-d", str(folder)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    built = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-3000:]
    return folder


def test_every_public_name_is_in_the_reference_once():
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))
    listed = re.findall(r"^::: careshed\.(\w+)$", pages, re.MULTILINE)
    assert sorted(listed) == sorted(name for name in careshed.__all__ if not name.startswith("_"))


def test_no_page_loads_anything_from_another_machine(site: Path):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 10
    loaded = {(page.name, found[0] or found[1]) for page in pages for found in LOADED.findall(page.read_text(encoding="utf-8"))}
    assert {one for one in loaded if re.match(r"(?:https?:)?//", one[1])} == set()


def blocks(language: str) -> list[tuple[str, str]]:
    """Fenced blocks of a language in all guides, each with the name of its page."""
    pages = sorted((ROOT / "docs").rglob("*.md"))
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [(page.name, block) for page in pages for block in pattern.findall(page.read_text(encoding="utf-8"))]


def test_every_study_section_in_the_guides_has_keys_that_a_study_file_knows():
    # What a block leaves out cannot be judged here; what it names must be known to the study file.
    from careshed.settings.config import Config

    shown = blocks("toml")
    assert len(shown) > 10
    wrong = []
    for page, block in shown:
        try:
            Config.model_validate(tomllib.loads(block))
        except ValidationError as error:
            wrong += [(page, fault["loc"]) for fault in error.errors() if fault["type"] == "extra_forbidden"]
    assert wrong == []


def test_the_python_in_the_guides_is_python_and_uses_public_names():
    shown = blocks("python")
    used = {name for _, block in shown for name in re.findall(r"\bcs\.(\w+)", block)}
    for page, block in shown:
        compile(block, page, "exec")
    assert used
    assert used <= set(careshed.__all__)


def test_every_command_named_in_the_guides_exists():
    from typer.main import get_command

    from careshed.cli import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    guides = [ROOT / "README.md", ROOT / "README.zh-CN.md", *(ROOT / "docs").rglob("*.md")]
    named = {
        (guide.name, command)
        for guide in guides
        for command in re.findall(r"(?:^|`)careshed ([a-z][a-z-]+) ", guide.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named
    assert {(guide, command) for guide, command in named if command not in known} == set()
