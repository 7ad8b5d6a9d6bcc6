"""The data guides hold every header, word and unit that the readers know."""

from __future__ import annotations

from pathlib import Path

import pytest

from careshed.datum import DATUMS
from careshed.demand.ages import FORMS
from careshed.intake.facilities import STATUS_WORDS
from careshed.intake.units import LEVEL_WORDS, SETTING_WORDS
from careshed.intake.vocabulary import FACTORS, NAMES, SECTIONS

DOCS = Path(__file__).parents[1] / "docs"
GUIDES = {"data_guide.zh-CN.md": "、", "data_guide.md": ", "}


def part(name: str, section: str) -> str:
    """The text from where a section of the study is named to the next heading."""
    text = (DOCS / name).read_text(encoding="utf-8")
    return text.split(f"[{section}]`{'。' if name.endswith('CN.md') else '.'}", 1)[1].split("\n#", 1)[0]


@pytest.mark.parametrize("guide", GUIDES)
@pytest.mark.parametrize("kind", NAMES)
def test_every_header_of_a_table_is_in_its_own_part_of_the_guide(guide: str, kind: str) -> None:
    rows = [line for line in part(guide, SECTIONS[kind]).splitlines() if line.startswith("| `")]  # type: ignore[index]
    assert rows == [f"| `{name}` | {GUIDES[guide].join(words)} |" for name, words in NAMES[kind].items()]  # type: ignore[index]


def test_the_chinese_guide_holds_every_word_unit_and_form_of_age() -> None:
    text = (DOCS / "data_guide.zh-CN.md").read_text(encoding="utf-8")
    for name, words in (STATUS_WORDS | LEVEL_WORDS | SETTING_WORDS | FACTORS).items():
        assert f"| `{name}` | {'、'.join(words)} |" in text
    assert FORMS[0] in text
    assert all(datum in text for datum in DATUMS)


def test_the_english_guide_holds_every_form_of_age_and_datum() -> None:
    text = (DOCS / "data_guide.md").read_text(encoding="utf-8")
    assert FORMS[1] in text
    assert all(datum in text for datum in DATUMS)
