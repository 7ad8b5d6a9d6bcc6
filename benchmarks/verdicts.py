"""Say PASS or FAIL of every limit, one line each, and read how much memory a process holds."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

MB = 1e6


@dataclass
class Verdicts:
    """The limits checked so far."""

    failed: list[str] = field(default_factory=list)
    """Names of the limits that were not kept."""

    def at_most(self, name: str, value: float, limit: float, unit: str = "") -> bool:
        """Check that a measured value keeps within a limit (≤), and print the line."""
        return self._told(name, value <= limit, f"{value:.4g}", f"<= {limit:.4g}", unit)

    def at_least(self, name: str, value: float, limit: float, unit: str = "") -> bool:
        """Check that a measured value reaches a limit (≥), and print the line."""
        return self._told(name, value >= limit, f"{value:.4g}", f">= {limit:.4g}", unit)

    def equal(self, name: str, value: object, expected: object) -> bool:
        """Check that two ways of computing the same thing agree, and print the line."""
        return self._told(name, value == expected, str(value), f"== {expected}", "")

    def _told(self, name: str, passed: bool, value: str, limit: str, unit: str) -> bool:
        if not passed:
            self.failed.append(name)
        print(f"{'PASS' if passed else 'FAIL'} {name}: {value} {limit}{' ' + unit if unit else ''}", flush=True)
        return passed

    def exit_code(self) -> int:
        """Tell the shell: 0 if every limit was kept, else 1."""
        if self.failed:
            print(f"{len(self.failed)} limit(s) not kept: {'; '.join(self.failed)}")
        return 1 if self.failed else 0


def data_folder(name: str) -> Path | None:
    """Find a folder of the real data, None where it is absent: ``$CARESHED_DATA``, else ``../shared/data``."""
    home = Path(os.environ.get("CARESHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    return home / name if (home / name).is_dir() else None


def skip(what: str, why: str) -> None:
    """Say that something is not measured here, and why."""
    print(f"SKIP {what}: {why}", flush=True)


def resident_bytes() -> int:
    """Memory that this process holds now, bytes."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def forget_peak() -> None:
    """Start the peak afresh where the system can (Linux); on Windows and macOS it stays that of the whole process."""
    if sys.platform == "linux" and os.access("/proc/self/clear_refs", os.W_OK):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_bytes() -> int:
    """Most memory that this process has held since `forget_peak`, bytes."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
