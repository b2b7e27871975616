"""Text from outside in Markdown tables: company names, titles, errors. It stays text, whatever it holds.

A title may be `![](https://elsewhere/x.png)`: shown as written, it would have an analyst's browser tell elsewhere that it was read.
"""

from __future__ import annotations

import re

# What begins or ends a cell, a link, a picture, HTML, code (GitHub Flavored Markdown, sections 2.4, 4.10, 6).
_MARKS = re.compile(r"[\\|\[\]<`]")


class Markup(str):
    """Text that is Markdown on purpose, with nothing from outside in it but what its maker vouches for."""

    __slots__ = ()


def cell(text: str, most: int) -> str:
    """``text`` on one line, at most so many characters of it (… stands for the rest), none of them markup unless it is Markup."""
    line = " ".join(text.split())
    if isinstance(text, Markup):
        return line.replace("|", "\\|")
    return _MARKS.sub(r"\\\g<0>", line if len(line) <= most else line[: most - 1] + "…")


def link(url: str) -> Markup:
    """``url`` as a link that ends where it ends; nothing for what is none of http or https."""
    if not re.match(r"https?://", url, re.I):
        return Markup("")
    return Markup("<" + re.sub(r"[\s<>\\]", lambda mark: f"%{ord(mark[0]):02X}", url) + ">")
