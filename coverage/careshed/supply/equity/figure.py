"""Draw the Lorenz curve, in Chinese or English, with a title that says what to see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CHINESE_FONTS: Final = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "SimHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Sans CJK JP",
    "Noto Serif CJK SC",
    "SimSun",
)
"""Fonts with simplified Chinese, best first. Of a font collection matplotlib may know only the first face (CJK JP)."""

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito (2008): told apart by colour-blind readers."""

STYLES: Final = ("-", "--", "-.", ":")


def chinese_font() -> str:
    """Name an installed font that has Chinese characters.

    Raises
    ------
    LookupError
        If none is installed, with what to install.
    """
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    for name in CHINESE_FONTS:
        if name in installed:
            return name
    raise LookupError(
        "no Chinese font installed, install one such as Noto Sans CJK SC (Debian, Ubuntu: apt install fonts-noto-cjk) or ask for "
        "lang='en' with names in Latin letters / 未安装中文字体，请安装“思源黑体”（Noto Sans CJK SC）"
    )


def draw_lorenz(
    curves: Mapping[str, pd.DataFrame],
    *,
    lang: Lang = "zh",
    value_zh: str = "步行时间",
    value_en: str = "walking time",
    title: str | None = None,
) -> Figure:
    """Draw Lorenz curves against the line of equality; the title says what the tenth with the most have.

    Parameters
    ----------
    curves
        Label -> curve as `lorenz` gives it; the title speaks of the first.
    value_zh, value_en
        What is shared out: walking time, places …
    title
        Replaces the title.

    Returns
    -------
    matplotlib.figure.Figure
        Not shown and not written; ``figure.savefig(…)`` writes it. Contains no clock.

    Raises
    ------
    LookupError
        If Chinese is to be written and no Chinese font is installed.
    ValueError
        If there is no curve.
    """
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    if not curves:
        raise ValueError("give at least one curve to draw")
    value = pick(lang, value_zh, value_en)
    told = [*curves, value, title or ""]
    family = chinese_font() if lang == "zh" or any(_is_wide(text) for text in told) else "DejaVu Sans"
    font = FontProperties(family=family)
    figure = Figure(figsize=(6, 6), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=1, label=pick(lang, "完全均等", "all equal"))
    for number, (label, curve) in enumerate(curves.items()):
        x, y = curve["people_share"].to_numpy(), curve["value_share"].to_numpy()
        style = STYLES[number % len(STYLES)]
        named = pick(lang, f"{label}（基尼系数 {curve_gini(curve):.2f}）", f"{label} (Gini {curve_gini(curve):.2f})")
        axes.plot(x, y, style, color=COLOURS[number % len(COLOURS)], linewidth=2, label=_plain(named))
    people = pick(lang, f"人口累计占比（按{value}由少到多）", f"share of people, from least to most {value}")
    axes.set_xlabel(_plain(people), fontproperties=font)
    axes.set_ylabel(_plain(pick(lang, f"{value}累计占比", f"share of all {value}")), fontproperties=font)
    axes.set_title(_plain(title or _title(next(iter(curves.values())), value, lang)), fontproperties=font)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(loc="upper left", frameon=False, prop=font)
    return figure


def curve_gini(curve: pd.DataFrame) -> float:
    """Read the Gini coefficient off a Lorenz curve: one minus twice the area under it; NaN for the curve of nobody."""
    x, y = curve["people_share"].to_numpy(), curve["value_share"].to_numpy()
    return 1.0 - float(np.diff(x) @ (y[1:] + y[:-1])) if len(x) > 1 else float("nan")


def _title(curve: pd.DataFrame, value: str, lang: Lang) -> str:
    if len(curve) < 2:
        return pick(lang, f"没有可比较的{value}", f"No {value} to compare")
    below = float(np.interp(0.9, curve["people_share"], curve["value_share"]))
    return pick(
        lang, f"{value}最多的 10% 人群占全部的 {1 - below:.0%}", f"The 10 % with most {value} have {1 - below:.0%} of it all"
    )


def _plain(text: str) -> str:
    """Keep names from data from being read as formulas."""
    return text.replace("$", r"\$")


def _is_wide(text: str) -> bool:
    """Whether a text has Chinese characters or punctuation."""
    return any(ord(character) >= 0x2E80 for character in text)
