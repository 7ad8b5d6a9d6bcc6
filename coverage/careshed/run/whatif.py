"""Write the what-if page of a service in a run; a page that would be too large is told, not written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from careshed.maps.whatif import TooLarge, write_whatif
from careshed.schema import Fault

if TYPE_CHECKING:
    from careshed.run.results import ServiceResult
    from careshed.study import Study
    from careshed.words import Lang


def whatif_page(folder: Path, study: Study, one: ServiceResult, lang: Lang) -> tuple[tuple[Path, ...], tuple[Fault, ...]]:
    """Write the page in which a committee tries its own sites, where a service has candidates; else nothing."""
    if not len(one.options.facilities):
        return (), ()
    path = folder / f"{one.service.id}_whatif.html"
    try:
        page = write_whatif(path, study, service=one.service.id, times=one.times, options=one.options, plan=one.plan, lang=lang)
    except TooLarge as error:
        path.unlink(missing_ok=True)  # one of an earlier run would show other data
        return (), (Fault("whatif_too_large", path.name, error.zh, error.en, severity="noted"),)
    return (page,), ()
