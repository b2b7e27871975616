"""German, French and Spanish headlines that say plainly who raised how much. Anything less plain is set aside with its language.

What belongs here: whole headlines of one form per language. What does not: bodies, and telling the language (language).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from pipeline.signals.headline_names import whole_name


@dataclass(frozen=True, slots=True)
class ForeignRound:
    """What the headline says; ``amount`` in plain units of ``currency``, ``lead`` and ``funding_type`` where it names them."""

    company: str
    amount: Decimal
    currency: str
    funding_type: str | None
    lead: str | None


def read_foreign(title: str, language: str) -> ForeignRound | None:
    """The round that ``title`` reports in ``language`` (de, fr, es), or None. Total."""
    patterns = _HEADLINES.get(language)
    if patterns is None or len(title) > 220 or _NO_ROUND[language].search(title):
        return None
    match = next((found for pattern in patterns if (found := pattern.search(title))), None)
    if match is None:
        return None
    company = whole_name(_DESCRIBED[language].sub("", match["company"].strip(" :,–—-")))
    if not company or len(company.split()) > 4 or not (company[0].isupper() or company[0].isdigit()):
        return None
    scale = _SCALES[match["scale"].lower().rstrip(".")]
    currency = _CURRENCIES[match["currency"].lower().split("-")[0]]
    amount = Decimal(match["number"].replace(".", "").replace(",", ".") if "," in match["number"] else match["number"]) * scale
    behind = title[match.end() :]
    kind, lead = _TYPE.search(title), _LEADS[language].search(behind)
    if not (kind or lead or _SAYS_ROUND.search(title)):
        return None
    return ForeignRound(
        company,
        amount,
        currency,
        _slug(kind) if kind else None,
        whole_name(lead["lead"]) if lead else None,
    )


def _slug(match: re.Match[str]) -> str:
    letter = match["letter"]
    if letter:
        return f"{'pre-' if match['pre'] else ''}series-{letter.lower()}"
    return "pre-seed" if match["pre"] else "seed"


_SCALES = {
    name: Decimal(size)
    for size, names in (
        (10**6, "mio million millionen millions m millones millón mill"),
        (10**9, "mrd milliarde milliarden milliard milliards"),
        (10**3, "tausend mille mil k"),
    )
    for name in names.split()
}
_CURRENCIES = {
    "euro": "EUR", "euros": "EUR", "€": "EUR", "dollar": "USD", "dollars": "USD", "us": "USD",
    "dólares": "USD", "usd": "USD", "$": "USD",
    "franken": "CHF", "chf": "CHF", "pfund": "GBP", "libras": "GBP", "livres": "GBP",
}  # fmt: skip
_MONEY = (
    r"(?P<number>\d{1,3}(?:[.,]\d{1,2})?)\s?(?P<scale>Mio\.?|Millionen|Million|Mrd\.?|Milliarden|millions?"
    r"|milliards?|millones|millón|M|k)\s?"
    r"(?:de\s|d['’]\s?)?(?P<currency>US-Dollar|Dollars?|Euros?|€|\$|dólares|Franken|CHF|Pfund|libras|livres)"
)
_COMPANY = r"(?P<company>[^:;,]{2,60}?)"
_ABOUT = r"(?:(?:rund|etwa|über|weitere|knapp|mehr als|près de|plus de|environ|casi|más de|unos|otros)\s)*"
_HEADLINES = {
    "de": (
        re.compile(
            rf"^{_COMPANY}\s(?:erhält|sichert sich|bekommt|sammelt|holt sich|holt|nimmt|schließt|erzielt)\s"
            rf"(?:(?:eine[rn]?\s)?(?:[\w\-]+\s){{0,3}}?[\w\-]*(?:Finanzierungsrunde|Finanzierung|Runde)\s(?:über"
            rf"|von|in Höhe von)\s)?{_ABOUT}{_MONEY}",
            re.I,
        ),
    ),
    "fr": (
        re.compile(
            rf"^{_COMPANY}\s(?:a\s)?(?:lève|levé|boucle|réalise|annonce|sécurise|finalise)\s"
            rf"(?:(?:une?|son|sa)\s(?:[\wéèê\-]+\s){{0,3}}?(?:levée de fonds|tour de table|tour"
            rf"|levée)\s(?:[\wéè\-]+\s){{0,2}}?(?:de\s|d['’]))?{_ABOUT}{_MONEY}",
            re.I,
        ),
    ),
    "es": (
        re.compile(
            rf"^{_COMPANY}\s(?:levanta|recauda|cierra|capta|obtiene|consigue|logra)\s"
            rf"(?:una\s(?:[\wáéíóúñ\-]+\s){{0,3}}?(?:ronda|inversión"
            rf"|financiación)\s(?:[\wáéíóúñ\-]+\s){{0,3}}?(?:de|por)\s)?{_ABOUT}{_MONEY}",
            re.I,
        ),
    ),
}
_LEADS = {
    "de": re.compile(
        r"\b(?:angeführt von|unter Führung von|geführt von)\s(?P<lead>[A-Z0-9][\w.&\- ]{1,40}?)(?=$"
        r"|,|\sund\s|\s[–-])"
    ),
    "fr": re.compile(
        r"\b(?:mené[e]? par|auprès de|dirigé[e]? par)\s(?P<lead>[A-Z0-9][\w.&\-éè ]{1,40}?)(?=$|,"
        r"|\set\s|\spour\s|\s[–-])"
    ),
    "es": re.compile(
        r"\b(?:liderad[ao] por|encabezad[ao] por)\s(?P<lead>[A-Z0-9][\w.&\-áéíóúñ ]{1,40}?)(?=$|,"
        r"|\sy\s|\spara\s|\s[–-])"
    ),
}
# Verbs and nouns that mean a round; "erhält", "obtient", "obtiene" alone may be a grant.
_SAYS_ROUND = re.compile(
    r"runde\b|finanzierung\b|\bsammelt\b|\bl[eè]v(?:e|é)\b|levée de fonds|tour de table|\blevanta\b|\brecauda\b"
    r"|\bronda\b|\binvestoren\b"
    r"|\binvestisseurs\b|\binversores\b",
    re.I,
)
_TYPE = re.compile(
    r"\b(?P<pre>pre-?\s?)?(?:s[eé]rie[s]?[- ](?P<letter>[A-H])\b|seed\b|semilla\b|amor[cç]age\b)", re.I
)  # fmt: skip
# Loans, grants, funds, plans and companies on the exchange: in German, French, Spanish.
_NO_ROUND = {
    "de": re.compile(
        r"kredit|darlehen|anleihe|förder|fonds|zuschuss|börse|IPO|plan[te]|könnte|soll|will\b|gewinn|umsatz"
        r"|verlust|auftrag|spende|übern[ai]hm"
        r"|strafe|\bMinister|\bBund\b|\bStadt\b|\bLand\b|Universität|Verein|\bAG\b|\?$",
        re.I,
    ),
    "fr": re.compile(
        r"\bprêt|dette|obligat|subvention|\bfonds d|\bfonds\s[A-Z]|bourse|pourrait|souhaite|veut\b|prévoit"
        r"|chiffre d|amende|\bdons?\b|rachat|acqui"
        r"|\bÉtat\b|\bville\b|université|association|contrat|\?$",
        re.I,
    ),
    "es": re.compile(
        r"préstamo|crédito|deuda|bonos|subvenci|\bfondo\b|bolsa|podría|quiere|planea|busca|multa|ingresos|ventas"
        r"|benefici|donaci|adquisici|compra"
        r"|\bgobierno\b|ministerio|ayuntamiento|universidad|contrato|pérdidas|\?$",
        re.I,
    ),
}
_DESCRIBED = {
    "de": re.compile(
        r"^(?:(?:das|der|die)\s)?(?:[\w\-]+\s)?(?:\w*-?(?:Start-?up|Unternehmen|Plattform|Firma"
        r"|Anbieter))\s(?:aus\s\w+\s)?",
        re.I,
    ),
    "fr": re.compile(
        r"^(?:(?:la|le|l['’])\s?)?(?:\w+\s)?(?:start-?up|jeune pousse|fintech|entreprise|société"
        r"|plateforme)\s(?:[a-zéè\-]+\s)*",
        re.I,
    ),
    "es": re.compile(r"^(?:(?:la|el)\s)?(?:startup|empresa|fintech|compañía|plataforma)\s(?:[a-záéíóúñ\-]+\s)*", re.I),
}
