"""The layout that must not drift: one source root, imports that follow the data, names that do not clash."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import careshed

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "coverage" / "careshed"

ORDER = [
    "words", "display", "schema", "modes", "datum", "intake", "settings", "network", "_kernels", "reach", "isochrones", "demand",
    "study", "access", "streetcheck", "supply", "policy", "check", "siting", "maps", "figures", "report", "run", "demo", "cli",
]  # fmt: skip


def modules() -> dict[str, list[Path]]:
    """Top-level modules and packages with their files."""
    found = {path.stem: [path] for path in SOURCE.glob("*.py") if path.stem not in ("__init__", "__main__")}
    return found | {path.parent.name: sorted(path.parent.rglob("*.py")) for path in SOURCE.glob("*/__init__.py")}


def imported(path: Path) -> set[str]:
    """Modules of careshed that a file imports at any depth, type-checking imports aside."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(node)
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and isinstance(guard.test, ast.Name) and guard.test.id == "TYPE_CHECKING"
        for node in ast.walk(guard)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "careshed":
            parts = node.module.split(".")
            names |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("careshed.")}
    return names


def test_every_module_has_its_place_in_the_order():
    assert set(modules()) == set(ORDER)


@pytest.mark.parametrize("module", ORDER)
def test_a_module_imports_only_from_modules_above_it(module):
    # _kernels is the engine room of the modules around it: they import it where a loop is first needed.
    above = {*ORDER[: ORDER.index(module)], "_kernels", module}
    wrong = {path.name: sorted(imported(path) - above) for path in modules()[module]}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_the_source_root_is_not_a_package():
    assert not (ROOT / "coverage" / "__init__.py").exists()
    assert [path.name for path in (ROOT / "coverage").iterdir() if path.name != "__pycache__"] == ["careshed"]


def test_coverage_py_is_a_declared_dependency_and_is_what_imports_at_the_repository_root():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert any(need.startswith("coverage>") for need in project["project"]["dependencies"])
    told = subprocess.run(
        [sys.executable, "-c", "import numba, coverage; print(coverage.Coverage.__module__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip().startswith("coverage.")


def test_git_ignores_no_source():
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert not {"coverage", "coverage/", "/coverage", "/coverage/"} & set(lines)
    told = subprocess.run(
        ["git", "check-ignore", "coverage/careshed/reach.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1


def test_settings_name_the_source_root():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["coverage/careshed"]
    assert project["tool"]["ruff"]["src"] == ["coverage"]
    assert project["tool"]["coverage"]["run"]["source"] == ["coverage/careshed"]


def test_every_public_name_can_be_had_and_is_documented():
    for name in careshed.__all__:
        value = getattr(careshed, name)
        assert name.isupper() or value.__doc__, name
    assert set(careshed.__all__) <= set(dir(careshed))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        careshed.nothing  # noqa: B018


def test_importing_careshed_loads_nothing_heavy():
    heavy = {"numba", "folium", "rasterio", "highspy", "osmnx", "pandera"}
    code = f"import sys, careshed, careshed.cli; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
