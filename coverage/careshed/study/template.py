"""Write the commented study file that a new study starts from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from careshed.intake.tables import stop
from careshed.words import Lang, pick


def init_study(folder: str | Path, *, lang: Lang = "zh") -> Path:
    """Write a commented ``study.toml`` into a folder (made if missing), to be filled in by the planner.

    Raises
    ------
    careshed.schema.InputError
        If the folder already has one: it is never overwritten.

    >>> import tempfile
    >>> init_study(Path(tempfile.mkdtemp()) / "my_town").name
    'study.toml'
    """
    target = Path(folder) / "study.toml"
    if target.exists():
        told = ("研究文件已存在，不覆盖", "the study file exists already and is not overwritten")
        cure = (
            f"请换一个文件夹，或先移走 {target.as_posix()}。",
            f"Choose another folder, or move {target.as_posix()} away first.",
        )
        raise stop(target, "study_exists", told, cure)
    target.parent.mkdir(parents=True, exist_ok=True)
    text = resources.files("careshed.study").joinpath("template.toml").read_text(encoding="utf-8")
    name = pick(lang, "我的研究", "My study")
    filled = text.replace("@NAME@", name).replace("@LANG@", lang)
    with target.open("x", encoding="utf-8", newline="\n") as file:
        file.write(filled)
    return target
