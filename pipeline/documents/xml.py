"""XML from outside, read without doing what it says: no entities, no network, no DTD, bounded depth."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from pipeline.documents.model import Unreadable

DOCTYPE = re.compile(rb"<!\s*DOCTYPE", re.I)


def parse_xml(body: bytes) -> etree._Element:
    """The root element. Raises Unreadable with empty_body, doctype_refused or not_xml."""
    body = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not body:
        raise Unreadable("empty_body", "no bytes but white space")
    if DOCTYPE.search(body):
        raise Unreadable("doctype_refused", "it declares a document type, which filings and feeds do without")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, dtd_validation=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("not_xml", f"{error}; it begins {body[:60]!r}") from None
    tree: Any = root.getroottree()
    if tree.docinfo.doctype:
        # Reached by encodings in which the word above is spelt with other bytes.
        raise Unreadable("doctype_refused", "it declares a document type, which filings and feeds do without")
    return root
