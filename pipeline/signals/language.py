"""Which language a text is in, by its function words: good enough to set aside what the rules can't read."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

# The commonest function words of each language, without those that others share (de, a, in, no, on, la as English "LA").
_WORDS = {
    "en": "the and of to for with that is has was by from its will as are this have which their at an it be",
    "de": "der die das und ist von mit für auf den dem ein eine einer hat sich wird nicht auch bei nach über zum zur sind",
    "fr": "le les des et est une dans pour qui sur avec par au aux du cette sont plus ses ces été leur d'une",
    "es": "el los las una y del que para con por su se ha en más al como sus este esta entre millones",
    "pt": "os das dos uma e do que para com por sua seu não em mais ao como pela pelo são foi milhões",
    "it": "il gli della delle di che per con una un è nel del dei alla sono più dal anche ha",
    "nl": "het een en van voor met zijn op te dat niet aan ook wordt door naar heeft uit bij",
    "sv": "och att det som en för av är på med till den har inte om ett från",
    "pl": "i w na z do się nie jest że dla przez oraz od po które",
    "tr": "ve bir bu için ile olarak daha çok olan",
    "id": "yang dan di dengan untuk dari pada ini dalam akan",
}
# Words that headlines of money news have where sentences are too short for function words.
_HEADLINE_WORDS = {
    "de": "millionen mio erhält sichert sammelt finanzierungsrunde angeführt eine einer im zur vom gründer erzielt umsatz gewinn",
    "fr": "lève levé millions d'euros levée fonds boucle auprès mené menée tour table jeune pousse série amorçage une d'un d'une",
    "es": "levanta recauda millones ronda financiación inversión liderada cierra dólares semilla empresa capta",
    "pt": "milhões rodada recebe levanta investimento aporte capta liderada reais startup",
    "it": "milioni raccoglie raccolta chiude finanziamento guidato guidata investimento euro",
    "nl": "miljoen haalt ophaalt investering financiering financieringsronde geleid",
    "sv": "miljoner tar får finansieringsrunda investering kronor ledd",
    "pl": "mln milionów złotych pozyskał pozyskuje rundę inwestycyjnej finansowania",
    "tr": "milyon yatırım aldı turunda liderliğinde dolar",
    "id": "juta pendanaan raih meraih putaran dipimpin dolar",
}
SHORT_WORDS = 30
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("el", re.compile("[\u0370-\u03ff]")),
)
_ANY_SCRIPT = re.compile("|".join(script.pattern for _, script in _SCRIPTS))
_SAMPLE = 1_500
FEWEST_HITS = 3


@cache
def _languages_by_word() -> dict[str, tuple[str, ...]]:
    index: dict[str, tuple[str, ...]] = {}
    for language, words in _WORDS.items():
        for word in words.split():
            index[word] = (*index.get(word, ()), language)
    return index


@cache
def _headline_words() -> dict[str, frozenset[str]]:
    return {language: frozenset(words.split()) for language, words in _HEADLINE_WORDS.items()}


def _of_headline(sample: str, hits: Counter[str]) -> str | None:
    """A short text without English words is in the language of which it has two others, one of them of money news."""
    words = {word.replace("’", "'") for word in re.findall(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*", sample.lower())}
    if len(words) > SHORT_WORDS or hits["en"]:
        return None
    scores = {language: len(words & own) + min(1, hits[language]) for language, own in _headline_words().items() if words & own}
    if not scores:
        return None
    best, count = max(scores.items(), key=lambda item: (item[1], item[0]))
    return best if count >= 2 and list(scores.values()).count(count) == 1 else None


def language_of(text: str) -> str | None:
    """ISO 639-1 code of the language of ``text``, or None where it is too short to tell (most headlines). Total.

    A script of its own decides where at least a fifth of the letters are in it; otherwise function words do, and
    another language than English needs twice as many of them as English has.
    """
    sample = text[:_SAMPLE]
    letters = sum(map(str.isalpha, sample))
    if not letters:
        return None
    if not sample.isascii() and _ANY_SCRIPT.search(sample):
        for code, script in _SCRIPTS:
            if len(script.findall(sample)) * 5 >= letters:
                return code
    hits: Counter[str] = Counter()
    index = _languages_by_word()
    for word in _WORD.findall(sample.lower()):
        if word in index:
            hits.update(index[word])
    if not hits:
        return _of_headline(sample, hits)
    best, count = max(hits.items(), key=lambda item: (item[1], item[0] == "en", item[0]))
    if count < FEWEST_HITS:
        return _of_headline(sample, hits)
    return best if best == "en" or count > 2 * hits["en"] else "en"
