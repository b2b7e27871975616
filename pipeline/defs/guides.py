"""What the docs say about an asset, to be read where the asset is: its guide opens in the UI, without internet.

A path could only be copied, and the docs have no address that every installation can reach; so the section itself is the guide.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import dagster as dg

from pipeline.settings import PROJECT_ROOT

_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)\n*")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?://)([^)#]*)[^)]*\)")


@cache
def guide(place: str, root: Path = PROJECT_ROOT) -> Mapping[str, dg.MetadataValue]:
    """Metadata ``guide``: the text at ``place``, a file of this project with or without ``#section``.

    Links to other files become their paths, pictures are left out: the UI has neither. The place alone where the file is missing
    (an installation without docs). Raises ValueError for a section that the file does not have.
    """
    name, _, section = place.partition("#")
    file = root / name
    if not file.is_file():
        return {"guide": dg.MetadataValue.path(place)}
    text = file.read_text(encoding="utf-8")
    if section:
        text = _section(text, section, place)
    text = _LINK.sub(lambda found: _words(found, file, root), _IMAGE.sub("", text))
    return {"guide": dg.MetadataValue.md(f"{text.strip()}\n\n*From `{place}`.*")}


def _section(text: str, section: str, place: str) -> str:
    """From the heading whose anchor is ``section`` to the next one that is not below it."""
    # What begins with # in a block of code is a comment.
    code = [found.span() for found in _FENCED.finditer(text)]
    headings = [found for found in _HEADING.finditer(text) if not any(start < found.start() < end for start, end in code)]
    for number, heading in enumerate(headings):
        if anchor(heading[2]) == section:
            ends = (later.start() for later in headings[number + 1 :] if len(later[1]) <= len(heading[1]))
            return text[heading.start() : next(ends, len(text))]
    raise ValueError(f"{place}: no heading has this anchor")


def anchor(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _words(link: re.Match[str], file: Path, root: Path) -> str:
    if not link[2]:
        return link[1]
    target = (file.parent / link[2]).resolve()
    return f"{link[1]} (`{target.relative_to(root)}`)" if target.is_relative_to(root) else link[1]
