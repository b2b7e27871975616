"""The tables of the app database, a module for each room: what partners told us, what we owe them, what waits to be worked on.

What belongs here: tables, keys, constraints. What does not: queries (each room has its own). Uniqueness that a promise rests on is
a constraint here, not code. Foreign keys name tables of other modules, so importing one of them declares them all.
"""

from pipeline.store.tables import crm, deliveries, documents, matches, monitors, organizations, partners, subscriptions

__all__ = ["crm", "deliveries", "documents", "matches", "monitors", "organizations", "partners", "subscriptions"]
