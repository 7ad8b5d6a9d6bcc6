"""Turn a document into a PDF with LibreOffice, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "仿宋": ("FangSong", "STFangsong", "FandolFang", "Noto Serif CJK SC", "Source Han Serif SC"),
    "宋体": ("SimSun", "STSong", "Noto Serif CJK SC", "Source Han Serif SC"),
    "楷体": ("KaiTi", "STKaiti", "FandolKai", "AR PL UKai CN", "Noto Serif CJK SC"),
    "黑体": ("SimHei", "STHeiti", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei"),
}
"""Typefaces of the brief -> what stands in for them on machines without them, the likest first."""

PROGRAMS: Final = ("soffice", "libreoffice")
SECONDS: Final = 180


def find_office() -> str | None:
    """Find LibreOffice's command, None where it is not installed."""
    return next((found for name in PROGRAMS if (found := shutil.which(name)) is not None), None)


def need_office() -> str:
    """Find LibreOffice's command.

    Raises
    ------
    FileNotFoundError
        If it is not installed; it says what to do.
    """
    office = find_office()
    if office is None:
        raise FileNotFoundError(
            "PDF 需要 LibreOffice：请安装，或在 Word、WPS 中打开 DOCX 另存为 PDF  a PDF needs LibreOffice: install "
            "it, or open the DOCX in "
            "Word or WPS and save it as PDF"
        )
    return office


def write_pdf(document: str | Path, pdf: str | Path | None = None) -> Path:
    """Write a document as PDF beside it, or where asked, with LibreOffice.

    Raises
    ------
    FileNotFoundError
        If LibreOffice is not installed; it says what to do.
    OSError
        If LibreOffice makes no PDF.
    """
    document = Path(document)
    target = Path(pdf) if pdf is not None else document.with_suffix(".pdf")
    office = need_office()
    with TemporaryDirectory() as folder:
        profile = (Path(folder) / "profile").resolve().as_uri()
        made = Path(folder) / document.with_suffix(".pdf").name
        command = [
            office,
            "--headless",
            f"-env:UserInstallation={profile}",
            "--convert-to",
            "pdf",
            "--outdir",
            folder,
            str(document),
        ]
        fonts = Path(folder) / "fonts.conf"
        fonts.write_text(_stand_ins(), encoding="utf-8")
        around = os.environ | {"FONTCONFIG_FILE": str(fonts)}
        told = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=around)
        if not made.is_file():
            raise OSError(f"LibreOffice 未能生成 PDF  LibreOffice made no PDF: {(told.stderr or told.stdout).strip()[:300]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.part")
        shutil.copyfile(made, aside)
        os.replace(aside, target)
    return target


def _stand_ins() -> str:
    """Say which typefaces stand in for those of Windows, on top of what the system says."""
    listed = {name: "".join(f"<family>{one}</family>" for one in others) for name, others in FAMILIES.items()}
    rules = "".join(
        f"<alias binding='same'><family>{name}</family><accept>{others}</accept></alias>" for name, others in listed.items()
    )
    system = os.environ.get("FONTCONFIG_FILE", "/etc/fonts/fonts.conf")
    return f"<?xml version='1.0'?><fontconfig><include ignore_missing='yes'>{system}</include>{rules}</fontconfig>"
