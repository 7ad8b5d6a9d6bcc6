"""Run the command line as ``python -m careshed``."""

from careshed.cli import main

main()
