"""Tell what the points seem to be, how sure that is and what to do about it, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass

from careshed.intake.detection.hypotheses import Hypothesis
from careshed.schema import Fault
from careshed.words import Lang, pick


@dataclass(frozen=True)
class Score:
    """How well the points sit if one hypothesis holds."""

    hypothesis: Hypothesis
    median_m: float
    """Median distance to the nearest street, metres, at most 400; NaN without streets."""
    beside: float
    """Share of the points 5 to 60 m from a street, where buildings stand; NaN without streets."""
    in_units: float
    """Share of the points that lie in the unit they declare (or in any, where none is declared); NaN without units."""
    score: float
    """Sum of the points' log weights and the hypothesis's own; the highest fits best."""


@dataclass(frozen=True)
class DatumVerdict:
    """What the coordinates of a file seem to be. It is only said: nothing is converted without the study's consent."""

    fits: Hypothesis | None
    """The hypothesis that fits, None where it cannot be told."""
    sure: float
    """Share of resamples of the points (bootstrap) in which the best hypothesis beats all others and all random moves, 0 to 1."""
    margin: float
    """Score of the best less that of the second best, in log units."""
    above_moves: float
    """Score of the best less that of the best of the points moved at random, in log units."""
    points: int
    declared: str
    """Datum that the study states, "" for none."""
    scores: tuple[Score, ...]
    """Of all hypotheses, the best first."""
    why_not: tuple[str, str] = ("", "")
    """Why it cannot be told, Chinese and English; empty where it can."""
    hints: tuple[tuple[str, str], ...] = ()
    """What does not go with one datum for all: points of another, or all moved a little; Chinese and English."""

    @property
    def contradicts(self) -> bool:
        """Whether the points speak against the datum that the study states (none stated counts as WGS-84)."""
        stated = "WGS-84" if self.declared in ("", "CGCS2000") else self.declared
        return self.fits is not None and self.fits.id != stated

    def text(self, lang: Lang = "zh") -> str:
        """Tell the verdict, its figures and its cure in one paragraph."""
        if self.fits is None:
            return pick(lang, f"无法判断基准：{self.why_not[0]}。", f"The datum cannot be told: {self.why_not[1]}.")
        best, second = self.scores[0], self.scores[1]
        zh = f"坐标最符合{self.fits.zh}（{self.points} 个点，{self.sure:.1%} 的重抽样支持）。{_figures(best, 'zh')}；"
        en = f"The coordinates fit {self.fits.en} best ({self.points} points, {self.sure:.1%} of resamples agree). "
        zh += f"其次{second.hypothesis.zh}：{_figures(second, 'zh')}。"
        en += f"{_figures(best, 'en')}; next, {second.hypothesis.en}: {_figures(second, 'en')}."
        hints_zh = "".join(f"{hint}。" for hint, _ in self.hints)
        hints_en = "".join(f" But {hint}." for _, hint in self.hints)
        return pick(lang, zh + hints_zh + self._cure("zh"), f"{en}{hints_en} {self._cure('en')}".rstrip())

    def fault(self, file: str) -> Fault:
        """Put the verdict into the table of findings; it stops nothing."""
        code = "datum_unknown" if self.fits is None else "datum_contradicted" if self.contradicts else "datum_confirmed"
        return Fault(code, file, self.text("zh"), self.text("en"), severity="noted")

    def _cure(self, lang: Lang) -> str:
        if self.fits is None or not self.contradicts:
            return ""
        if self.fits.datum is not None:
            return pick(
                lang,
                f'未作改动；如同意，请在研究文件写 datum = "{self.fits.datum}"。',
                f'Nothing is changed; if you agree, write datum = "{self.fits.datum}" in the study.',
            )
        return pick(
            lang,
            "未作改动；请改用转换之前的原始文件。",
            "Nothing is changed; go back to the file from before it was converted.",
        )


def _figures(score: Score, lang: Lang) -> str:
    """Tell the figures of one hypothesis."""
    parts = []
    if score.median_m == score.median_m:
        parts.append(
            pick(
                lang,
                f"距最近道路中位数 {score.median_m:.0f} 米，{score.beside:.0%} 在路旁 5–60 米",
                f"median {score.median_m:.0f} m to the nearest street, {score.beside:.0%} at 5–60 m",
            )
        )
    if score.in_units == score.in_units:
        parts.append(pick(lang, f"{score.in_units:.0%} 在所属单元内", f"{score.in_units:.0%} in their unit"))
    return pick(lang, "，", ", ").join(parts)
