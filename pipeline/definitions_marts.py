"""What Dagster loads as the code location ``marts``; nothing else."""

from pipeline.defs.marts import build_marts_definitions
from pipeline.installation import Installation
from pipeline.settings import Settings

defs = build_marts_definitions(Installation(Settings()))
