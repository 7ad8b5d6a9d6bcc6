"""The brief's sentence on how people travel: modes with the source of their speed, imported times with their table."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from careshed.report.brief import sections
from careshed.words import Lang

NOTES = {
    ("walk", "zh"): [("出行方式", "老年人步行"), ("速度依据", "1.0 米/秒"), ("方向", "到设施")],
    ("table", "zh"): [("速度依据", "出行时间取自 a.csv")],
    ("walk", "en"): [("Mode", "on foot"), ("Source of speed", "1.0 m/s")],
    ("table", "en"): [("Source of speed", "travel times taken from a.csv")],
}
TOLD = {
    "zh": "日托、食堂按老年人步行；速度依据：1.0 米/秒。导入：出行时间取自 a.csv。",
    "en": "日托, 食堂: on foot; source: 1.0 m/s. 导入: travel times taken from a.csv.",
}


def service(name: str, kind: str) -> Any:
    return SimpleNamespace(service=SimpleNamespace(id=name, name=lambda _: name), times=kind, covered=None)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_service_of_imported_times_names_its_table_and_no_mode(lang: Lang, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "scope_of", lambda *_, **told: told["lang"])
    monkeypatch.setattr(sections, "assumptions", lambda _, scope, times: NOTES[times, scope])
    result: Any = SimpleNamespace(
        study=None, services=[service("日托", "walk"), service("导入", "table"), service("食堂", "walk")]
    )
    assert sections._modes(result, lang) == TOLD[lang]
