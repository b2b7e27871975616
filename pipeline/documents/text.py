"""Bytes to text, HTML to text.

What belongs here: character encodings as they are found in the wild, and plain text with paragraphs out of HTML.
What does not: which part of a page is the article (articles), what a feed entry is (feeds).
"""

from __future__ import annotations

import codecs
import html
import re

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

BOMS = [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")]
XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?\bcharset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.I)
HEADER_CHARSET = re.compile(r"""\bcharset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.I)
# What neither XML nor a reader can use; tab, newline and carriage return stay.
UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.S)
BREAKS = {
    *("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "figcaption", "figure"),
    *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre"),
    *("section", "table", "td", "th", "tr", "ul"),
}
SILENT = {"script", "style", "noscript", "template", "head", "iframe", "object", "svg", "title"}


def decode(body: bytes, content_type: str | None = None) -> str:
    """``body`` as text, without control characters. Total: what can't be decoded becomes U+FFFD.

    Bytes that are (nearly all) valid UTF-8 are UTF-8, whatever is declared: servers' defaults are wrong more often than that is
    chance. Then the document's own declaration counts, then the HTTP header, then windows-1252 (as the WHATWG
    encoding standard reads Latin-1).
    """
    for mark, encoding in BOMS:
        if body.startswith(mark):
            return UNUSABLE.sub("", body.decode(encoding, errors="replace").lstrip("\ufeff"))
    text = body.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    # One broken byte in a text full of UTF-8 is a broken byte, not another encoding.
    if broken and sum(character > "\x7f" for character in text) < 4 * broken:
        text = body.decode(_declared(body, content_type), errors="replace")
    return UNUSABLE.sub("", text)


def looks_like_html(text: str) -> bool:
    """Whether ``text`` is a web page and not a feed or other XML."""
    start = text.lstrip("\ufeff \t\r\n")[:1000].lower()
    return start.startswith(("<!doctype html", "<html", "<head", "<body")) or (
        start.startswith("<?xml") and "<html" in start and "<rss" not in start and "<feed" not in start
    )


def one_line(markup: str) -> str:
    """A title as plain text on one line: tags gone, character references resolved, white space collapsed."""
    return " ".join(html.unescape(TAG.sub(" ", html.unescape(markup))).split())


def html_to_text(markup: str) -> str:
    """``markup`` as plain text, a line per block, no empty lines. Text without tags is only unescaped. Total."""
    if "<" not in markup:
        return _lines(html.unescape(markup))
    parser = HTMLParser(huge_tree=False, no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        root = document_fromstring(UNUSABLE.sub("", markup).encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return _lines(html.unescape(TAG.sub(" ", markup)))
    parts: list[str] = []
    _collect(root, parts)
    return _lines("".join(parts))


def _collect(root: HtmlElement, parts: list[str]) -> None:
    # By events and not by recursion: pages nest deeper than Python's stack.
    silent = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        name = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            silent += name in SILENT
            if name in BREAKS:
                parts.append("\n")
            if not silent and element.text:
                parts.append(_flat(element.text))
        else:
            silent -= name in SILENT
            if name in BREAKS:
                parts.append("\n")
            if not silent and element.tail:
                parts.append(_flat(element.tail))


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _lines(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _declared(body: bytes, content_type: str | None) -> str:
    names = [match[1].decode("ascii") for match in (XML_ENCODING.search(body[:400]), META_CHARSET.search(body[:4096])) if match]
    header = HEADER_CHARSET.search(content_type or "")
    if header:
        names.append(header[1])
    for name in names:
        try:
            known = codecs.lookup(name).name
        except LookupError:
            continue
        if known in {"utf-8", "ascii", "iso8859-1"} or not _is_text_codec(known):
            continue
        return known
    return "windows-1252"


def _is_text_codec(name: str) -> bool:
    try:
        return isinstance(b"a".decode(name), str)
    except (LookupError, UnicodeError):
        return name.startswith("utf-16") or name.startswith("utf-32")
