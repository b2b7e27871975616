"""What a reader sees of a document: clean title and body, sentences, links. No meaning is read here.

What belongs here: markup, entities, page furniture, sentence ends. What does not: any claim about a company.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cached_property

from pipeline.signals.words import word_list

# Longer bodies are lists, transcripts and filings; a round is announced long before this.
LONGEST_BODY = 40_000
LEAD_SENTENCES = 4


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the body: the words it stands under and where it leads."""

    text: str
    url: str


@dataclass(frozen=True)
class Text:
    """A document as read: one line of title, body paragraphs divided by newlines, links in order."""

    title: str
    body: str
    links: tuple[Link, ...] = ()

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Sentences of the whole body, in order; a paragraph's end is always a sentence's end."""
        return split_sentences(self.body)

    @cached_property
    def news(self) -> tuple[str, ...]:
        """Sentences before the boilerplate (About …, contacts, disclaimers) begins."""
        return split_sentences(self.body[: self.news_end])

    @cached_property
    def news_end(self) -> int:
        """Offset in ``body`` at which the boilerplate begins. The first fifth of a text is never boilerplate."""
        for found in _BOILERPLATE.finditer(self.body):
            if found.start() >= max(200, len(self.body) // 5):
                return found.start()
        return len(self.body)

    @cached_property
    def lead(self) -> str:
        """The first sentences, where news says what it is about."""
        return " ".join(self.news[:LEAD_SENTENCES])


def read(title: str | None, body: str | None) -> Text:
    """The clean Text of a title and a body that may hold HTML, Markdown, entities and widget debris."""
    raw = (body or "")[:LONGEST_BODY]
    links = tuple(_links(raw))
    headline = clean_line(title)
    return Text(headline, _without_title(clean_body(raw), headline), links)


def clean_line(text: str | None) -> str:
    """``text`` on one line, without tags, entities, invisible characters and doubled spaces. Total, idempotent."""
    return " ".join(_plain(text or "").split())


def clean_body(text: str | None) -> str:
    """Paragraphs of ``text``, one a line, without markup and page furniture. Total."""
    plain = _MARKDOWN_LINK.sub(r"\1", _MARKDOWN_IMAGE.sub("\n", text or ""))
    plain = _BLOCK_TAG.sub("\n", plain)
    plain = _MARKDOWN_MARK.sub("", _plain(plain))
    lines = (" ".join(line.split()) for line in plain.splitlines())
    return "\n".join(line for line in lines if line and not _FURNITURE.fullmatch(line))


def split_sentences(text: str) -> tuple[str, ...]:
    """Sentences of ``text``, stripped and never empty. Common abbreviations and initials end none."""
    found: list[str] = []
    for paragraph in text.split("\n"):
        start = 0
        for end in _SENTENCE_END.finditer(paragraph):
            if _ends_in_abbreviation(paragraph, start, end.start()):
                continue
            found.append(paragraph[start : end.end()].strip())
            start = end.end()
        found.append(paragraph[start:].strip())
    return tuple(sentence for sentence in found if sentence)


def _plain(text: str) -> str:
    # Feeds escape entities once more than their pages do.
    plain = text
    for _ in range(3):
        unescaped = html.unescape(plain)
        if unescaped == plain:
            break
        plain = unescaped
    previous = None
    while previous != plain:  # what a removed tag leaves may be a tag again
        previous, plain = plain, _TAG.sub(" ", plain)
    return _INVISIBLE.sub("", plain).replace("\u00a0", " ").replace("\u202f", " ")


def _without_title(body: str, title: str) -> str:
    """Pages repeat their headline above the text; read twice it would count twice."""
    first, _, rest = body.partition("\n")
    return rest if title and first.casefold() == title.casefold() else body


def _links(raw: str) -> list[Link]:
    unescaped = html.unescape(raw) if "&" in raw else raw
    found = [Link(clean_line(text), url) for text, url in _MARKDOWN_LINK_PARTS.findall(unescaped)]
    found += [Link(clean_line(text), url) for url, text in _HTML_LINK.findall(unescaped)]
    return found


def _ends_in_abbreviation(paragraph: str, start: int, dot: int) -> bool:
    if paragraph[dot] != ".":
        return False
    *before, word = paragraph[max(start, dot - 24) : dot].split(" ")
    word = word.lstrip("(“\"'")
    if before and before[-1].lower() in ("series", "class", "plan", "grade", "tier", "vitamin"):
        return False
    return word.lower() in word_list("abbreviations") or bool(_INITIAL.fullmatch(word))


_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060\ufeff\x00-\x08\x0b\x0c\x0e-\x1f]")
_TAG = re.compile(r"<(?:/?[a-zA-Z][^<>]{0,2000}|!--.{0,2000}?--)>", re.S)
_BLOCK_TAG = re.compile(r"</?(?:p|div|br|li|ul|ol|h[1-6]|tr|table|blockquote|figure|figcaption|section|article)\b[^<>]*>", re.I)
_MARKDOWN_IMAGE = re.compile(r"!\[[^\]]{0,500}\]\([^()\s]{0,1000}(?:\([^()]*\)[^()\s]*)?\)")
_MARKDOWN_LINK = re.compile(r"\[([^\[\]]{0,500})\]\((?:[^()\s]|\([^()\s]*\)){1,1000}(?:\s+\"[^\"]*\")?\)")
_MARKDOWN_LINK_PARTS = re.compile(r"(?<!!)\[([^\[\]]{1,300})\]\(((?:https?://|www\.)[^()\s]{1,1000})")
_HTML_LINK = re.compile(
    r"<a\b[^<>]{0,500}?\bhref\s*=\s*[\"'](https?://[^\"'<>\s]{1,1000})[\"'][^<>]{0,500}>([^<]{0,300})", re.I
)
_MARKDOWN_MARK = re.compile(r"(?m)^\s{0,3}(?:#{1,6}\s+|>\s+|[*\-•]\s+)|\*\*|__|`")
_SENTENCE_END = re.compile(r"[.!?…][\"”’')\]]{0,2}(?=\s+[\"“‘'(\[]?[A-Z0-9€£$₹¥À-Þ])")
_INITIAL = re.compile(r"(?:[A-Za-z]\.)*[A-Z]")
_FURNITURE = re.compile(
    r"\(opens in a new window\)|link copied!?|comments?|share(?: this.*)?|advertisement|sponsored|image credits?:?.*|photo:.*"
    r"|read more.*|related:.*|subscribe.*|sign up.*newsletter.*|follow us.*|posted (?:on|by).*|loading\.{0,3}|\W*"
    r"|(?:--|/)\s?[\w.\- ]{3,40}\s?(?:--|/)"  # a wire's mark on a line of its own: no sentence of the news
    r"|the post .{1,300} appeared first on .*|view source version.*|we use cookies.*|click here.*|tags?:.*",
    re.I,
)
_BOILERPLATE = re.compile(
    r"(?im)^(?:about\s+(?!(?:a|an|one|two|three|half|\d+)\b)\S.{0,80}$|about\s+(?-i:[A-Z]).{0,60}?[:\-–]"
    r"|(?:media|press|pr|investor)\s*(?:relations\s*)?(?:contacts?|inquiries|enquiries)\b"
    r"|contacts?(?: details| info(?:rmation)?)?\s*:?|contact details.*|disclaimer\b|forward[- ]looking statements?\b"
    r"|cautionary|safe harbor|notes? to editors?|source:|###|-end-|-ends-|for (?:media|press) inquiries"
    r"|disclosures?:|distributed by)"
)
