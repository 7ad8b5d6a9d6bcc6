"""Say things in Chinese or English: the words that more than one step prints."""

from __future__ import annotations

from typing import Final, Literal

Lang = Literal["zh", "en"]
"""Language of everything a reader sees; code and logs of developers stay English."""

GROUPS: Final[dict[str, tuple[str, str]]] = {
    "total": ("全部人口", "all residents"),
    "p0_3": ("3岁以下婴幼儿", "children under 3"),
    "p3_6": ("3–6岁儿童", "children aged 3–6"),
    "p60": ("60岁及以上老人", "people aged 60+"),
    "p65": ("65岁及以上老人", "people aged 65+"),
    "p80": ("80岁及以上老人", "people aged 80+"),
}
"""Population group -> (Chinese, English). A study may use further group names; they print as they are."""

LEVELS: Final[dict[str, tuple[str, str]]] = {
    "county": ("县区", "county or district"),
    "street": ("街道", "street (jiedao)"),
    "township": ("乡镇", "township"),
    "community": ("社区", "community"),
    "village": ("村", "village"),
    "compound": ("小区", "compound"),
}
"""Unit level -> (Chinese, English). Streets and townships share a tier, communities and villages too."""


def pick(lang: Lang, zh: str, en: str) -> str:
    """Choose the wording for the reader.

    >>> pick("en", "缺口", "gap")
    'gap'
    """
    return zh if lang == "zh" else en


def group_name(group: str, lang: Lang) -> str:
    """Name a population group for the reader.

    >>> group_name("p60", "zh"), group_name("disabled", "en")
    ('60岁及以上老人', 'disabled')
    """
    return pick(lang, *GROUPS[group]) if group in GROUPS else group


def level_name(level: str, lang: Lang) -> str:
    """Name a level of administrative unit for the reader.

    >>> level_name("street", "zh")
    '街道'
    """
    return pick(lang, *LEVELS[level]) if level in LEVELS else level
