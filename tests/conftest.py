"""Put the tests' own helpers on the path; make and run the demo town once for all tests that look at it."""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from careshed.run import RunResult

PATIENCE_S = 600
"""How long a worker waits for what another one makes."""


def made_once(folder: Path, name: str, make: Callable[[], object]) -> None:
    """Make something once for all workers of a session: the first that comes makes it, the others wait for it."""
    taken, done, failed = (folder / f"{name}.{state}" for state in ("taken", "done", "failed"))
    try:
        taken.mkdir()
    except FileExistsError:
        last = time.monotonic() + PATIENCE_S
        while not done.exists():
            if failed.exists() or time.monotonic() > last:
                pytest.fail(f"another worker could not make {name}")
            time.sleep(0.2)
        return
    try:
        make()
    except BaseException:
        failed.touch()
        raise
    done.touch()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of a session see."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def made_demo(shared: Path) -> Path:
    """The demo town's study file, made once; nobody may write beside it (`shutil.copytree` its folder to do so)."""
    from careshed.demo import make_demo

    folder = shared / "project" / "data" / "raw" / "demo"
    made_once(shared, "town", lambda: make_demo(folder))
    return folder / "study.toml"


@pytest.fixture(scope="session")
def demo(shared: Path, made_demo: Path) -> RunResult:
    """The demo town, made and run once."""
    kept = shared / "demo.pickle"

    def make() -> None:
        from careshed.run import run_study

        kept.write_bytes(pickle.dumps(run_study(made_demo, progress=False)))

    made_once(shared, "run", make)
    found: RunResult = pickle.loads(kept.read_bytes())
    return found
