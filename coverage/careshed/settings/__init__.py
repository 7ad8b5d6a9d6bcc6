"""Say what a study file may hold, and check its form."""

from careshed.settings.config import Config, load_config
from careshed.settings.sections import Service

__all__ = ["Config", "Service", "load_config"]
