"""Links that a feed gives to entries of different titles: they name a page, not a document.

What belongs here: which links are shared, and remembering them (table ``shared_links``). What does not: the ids that
follow from it (identity).

A feed whose every entry links to the same page may hold just one entry in some poll. Judged by that poll alone, the entry would
get another id than beside its neighbours, and the next one would pass for its new text. So a link that was once seen
shared stays shared in its source. The same link twice under the same title is no sharing: it is one document, listed
twice. What no memory can heal: an entry that came alone before its link was first seen shared has then a second document.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from pipeline.documents.identity import is_page, link_id, title_key
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.documents import SharedLink

# Feeds share one link or a handful; those of the body at hand are seen without being remembered.
MOST_PER_SOURCE = 200


def shared_links(entries: Iterable[tuple[str, str]], shared_before: Collection[str] = ()) -> set[str]:
    """Of entries given as (canonical link, title), the links that are shared now or, by their ids, were before."""
    titles: defaultdict[str, set[str]] = defaultdict(set)
    for link, title in entries:
        if is_page(link):
            titles[link].add(title_key(title))
    return {link for link, of_link in titles.items() if len(of_link) > 1 or link_id(link) in shared_before}


def known(database: AppDatabase, source_ids: Collection[str]) -> dict[str, set[str]]:
    """The ids of the links remembered as shared, by source."""
    links: dict[str, set[str]] = {source_id: set() for source_id in source_ids}
    if links:
        with database.read() as session:
            query = select(SharedLink.source_id, SharedLink.link_id).where(SharedLink.source_id.in_(sorted(links)))
            for source_id, identifier in session.execute(query):
                links[source_id].add(identifier)
    return links


def remember(database: AppDatabase, session: Session, met: Mapping[str, Mapping[str, int]]) -> None:
    """Keep shared links, given by source and id with the newest landing that held them; per source the newest 200."""
    rows = [
        {"source_id": source_id, "link_id": identifier, "last_landing_id": landing_id}
        for source_id, links in sorted(met.items())
        for identifier, landing_id in sorted(links.items())
    ]
    if not rows:
        return
    statement = database.insert(SharedLink)
    newest = {"last_landing_id": statement.excluded.last_landing_id}
    session.execute(statement.on_conflict_do_update(index_elements=["source_id", "link_id"], set_=newest), rows)
    rank = func.row_number().over(
        partition_by=SharedLink.source_id, order_by=(SharedLink.last_landing_id.desc(), SharedLink.link_id)
    )
    ranked = (
        select(SharedLink.source_id, SharedLink.link_id, rank.label("rank"))
        .where(SharedLink.source_id.in_(sorted(met)))
        .subquery()
    )
    surplus = select(ranked.c.source_id, ranked.c.link_id).where(ranked.c.rank > MOST_PER_SOURCE)
    for source_id, identifier in session.execute(surplus).all():
        session.execute(delete(SharedLink).where(SharedLink.source_id == source_id, SharedLink.link_id == identifier))
