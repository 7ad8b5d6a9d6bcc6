"""Write a small study whose every name is an attack: markup that would run, cells that a spreadsheet would take for formulas."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
from plan_town import STUDY, write_town

EVIL = "<img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://x","y")'
SIGNS = ("@SUM(1)", "+1+1", "-1+1")
TABBED = "\t=1+1"


def toml_text(text: str) -> str:
    """Write text as a literal of TOML, which no quotes or escapes touch."""
    return f"'''{text}'''"


def write_hostile_town(folder: Path) -> Path:
    """Write the one-street town of the plans with hostile names, operators and files; gives the study file."""
    study = STUDY.replace('name = "小镇"', f"name = {toml_text(FORMULA + EVIL)}")
    study = study.replace('name_zh = "日间照料"', f"name_zh = {toml_text(FORMULA + EVIL)}")
    study = study.replace('name_en = "Day care"', f"name_en = {toml_text('@care' + EVIL)}")
    study = study.replace('file = "stations.csv"', 'file = "stations.csv"\nbad_rows = "leave_out"')
    path = write_town(folder, f'id = "p"\nname_zh = {toml_text("=1+1" + EVIL)}\nservice = "day_care"\nat_most = 1\n', study=study)
    _stations(folder / "stations.csv")
    _candidates(folder / "candidates.csv")
    units = gpd.read_file(folder / "units.gpkg")
    units["name"] = [FORMULA, EVIL, *SIGNS][: len(units)]
    units.to_file(folder / "units.gpkg", driver="GPKG")
    return path


def _stations(file: Path) -> None:
    """Make a row a kind of attack: as name, as operator, as id, as function."""
    row = pd.read_csv(file).iloc[0]
    named = [EVIL, FORMULA, *SIGNS, TABBED]
    rows = [row.to_dict() | {"编号": f"F{at}", "名称": name, "运营性质": name, "服务功能": name} for at, name in enumerate(named)]
    rows.append(row.to_dict() | {"编号": FORMULA, "名称": "id"})
    rows.append(row.to_dict() | {"编号": "F9", "名称": "far", "经度": 100.0, "运营性质": EVIL})
    pd.DataFrame(rows).to_csv(file, index=False)


def _candidates(file: Path) -> None:
    table = pd.read_csv(file)
    table["名称"] = [FORMULA, EVIL, *SIGNS][: len(table)]
    table["类型"] = [EVIL, FORMULA, *SIGNS][: len(table)]
    table.to_csv(file, index=False)
