"""Put the tests' own helpers on the path; run the demo town once for all tests that look at it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from careshed.run import RunResult


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """The demo town, made and run once."""
    from careshed.demo import make_demo
    from careshed.run import run_study

    root = tmp_path_factory.mktemp("project")
    return run_study(make_demo(root / "data" / "raw" / "demo"), progress=False)
