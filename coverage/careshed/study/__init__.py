"""Read a study: one TOML file -> all inputs, read and checked."""

from careshed.settings import Config, Service
from careshed.study.model import Study, UnknownService
from careshed.study.reading import open_study
from careshed.study.template import init_study
from careshed.study.years import UnknownYear

__all__ = ["Config", "Service", "Study", "UnknownService", "UnknownYear", "init_study", "open_study"]
