"""What Dagster loads as the code location ``fundingscout``; nothing else."""

from pipeline.defs.assembly import build_definitions
from pipeline.installation import Installation
from pipeline.settings import Settings

defs = build_definitions(Installation(Settings()))
