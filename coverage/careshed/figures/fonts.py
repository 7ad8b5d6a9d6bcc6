"""Find the font that a figure's words are set in, and refuse to draw words that no installed font can show."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from careshed.schema import Fault, InputError
from careshed.supply.equity import chinese_font
from careshed.words import Lang

PLAIN: Final = "DejaVu Sans"
"""Ships with matplotlib: for English without a Chinese name, and for signs that a Chinese font lacks."""

CJK_FROM: Final = 0x2E80
"""First code point of the East Asian scripts."""


def typeface(lang: Lang, texts: Iterable[str] = ()) -> list[str]:
    """Name the fonts for a figure, best first; a Chinese one where Chinese is to be read, so that no word shows as boxes.

    English figures of a study with Chinese names need it as well. Where a Chinese font is installed it is used for all words, so
    that Chinese and Latin letters match.

    Parameters
    ----------
    texts
        Words from the data that will be drawn.

    Raises
    ------
    careshed.schema.InputError
        If there is Chinese to draw and no Chinese font is installed; it says what to install.

    >>> typeface("en", ["Heidelberg"])[-1]
    'DejaVu Sans'
    """
    try:
        return [chinese_font(), PLAIN]
    except LookupError as error:
        if lang == "zh" or any(ord(sign) >= CJK_FROM for text in texts for sign in text):
            raise InputError([_missing(lang)]) from error
        return [PLAIN]


def _missing(lang: Lang) -> Fault:
    zh, en = "没有安装中文字体，图上的汉字会变成方框", "no Chinese font is installed: Chinese words would show as boxes"
    cure_zh = (
        "请安装其一：思源黑体（Noto Sans CJK SC；Debian、Ubuntu：apt install fonts-noto-cjk）、微软雅黑、黑体、苹方、文泉驿，"
        "再删除 matplotlib 的字体缓存（matplotlib.get_cachedir()）后重试"
    )
    cure_en = (
        "Install one of Noto Sans CJK SC (Debian, Ubuntu: apt install fonts-noto-cjk), Source Han Sans, Microsoft YaHei, SimHei, "
        "PingFang, WenQuanYi; then delete matplotlib's font cache (matplotlib.get_cachedir()) and run again"
    )
    if lang == "zh":
        cure_zh += "；数据中没有汉字时，也可用 --lang en"
    return Fault("no_chinese_font", "matplotlib", zh, en, cure_zh + "。", cure_en + ".")


def embedding(families: Iterable[str]) -> int:
    """Choose how a PDF holds the fonts: 42, as they are, for TrueType outlines; 3, drawn glyphs, for PostScript ones.

    matplotlib writes a font with PostScript (CFF) outlines, as Noto Sans CJK is, into a PDF as if it had TrueType outlines, which
    strict readers refuse; as type 3 it is right everywhere. Either way only the glyphs used are in the file and the text can be
    searched and copied.
    """
    from matplotlib import font_manager

    first = next(iter(families))
    found = font_manager.findfont(font_manager.FontProperties(family=first))
    return 3 if _outlines(Path(str(found)), int(getattr(found, "face_index", 0) or 0)) == b"OTTO" else 42


def _outlines(path: Path, face: int) -> bytes:
    """Read the tag that tells a font's outlines, in a collection that of one face."""
    with path.open("rb") as file:
        tag = file.read(4)
        if tag != b"ttcf":
            return tag
        file.seek(12 + 4 * face)
        (start,) = struct.unpack(">I", file.read(4))
        file.seek(start)
        return file.read(4)
