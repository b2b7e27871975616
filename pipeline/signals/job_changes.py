"""Job changes: which person takes which role at which company. From the headline; a role it leaves out from the text.

Precision first: awards, partnerships and firms that "join" something name no person in a role.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.signals.gated import gated
from pipeline.signals.headline_names import whole_name
from pipeline.signals.investors import looks_like_person
from pipeline.signals.text import Text

NEAREST_SENTENCES = 6


@dataclass(frozen=True, slots=True)
class JobChange:
    """``person`` becomes ``role`` at ``company``; ``role_text`` is the sentence that names the role."""

    person: str
    role: str
    company: str
    role_text: str


def find_job_change(title: str, text: Text) -> JobChange | None:
    """The job change that ``title`` (without tags and tickers) reports, or None. Total."""
    if _NO_JOB.search(title) or _PUBLIC_ROLE.search(title):
        return None
    lowered = title.lower()
    for pattern in _HEADLINES:
        match = pattern.compiled.search(title) if pattern.may_match_lowered(lowered) else None
        if not match:
            continue
        groups = match.groupdict()
        person, company = _person(match["person"]), whole_name(_LEADING.sub("", match["company"]))
        if not person or not company or _NO_EMPLOYER.search(company):
            continue
        if "task" in groups and not looks_like_person(person):
            continue  # "Acme taps Big Cloud to lead its move": without a role the name must be a person's
        is_stated = bool("task" in groups or _STRONG_VERB.search(title) or _TITLES.match(match["person"]))
        if not is_stated and not _is_a_person(person, text):
            continue
        # "Associate Attorney Aiden Lorentzen joins …": what is said before the name is the role, if nothing else is.
        said_before = match["person"][: max(0, match["person"].find(person))]
        role, where = groups.get("task") or _role(groups.get("role") or "") or _role(said_before), title
        if not role:
            role, where = _role_in_body(person, text)
        if role:
            return JobChange(person, role, company, where)
    return None


def _person(phrase: str) -> str | None:
    """The name alone, without what is said of the person before it ("Telecom Veteran", "Dr.")."""
    name = _TITLES.sub("", _FORMER_FIRM.sub("", _DESCRIPTION.sub("", phrase.strip(" ,")))).strip(" ,")
    words = name.split()
    if not 2 <= len(words) <= 5 or _FIRM_WORD.search(name) or any(word.isdigit() for word in words):
        return None
    return name if all(word[0].isupper() or word.lower() in _PARTICLES for word in words) else None


def _is_a_person(name: str, text: Text) -> bool:
    """Whether the text speaks of the name as of a person: by the last name alone, or with a title. A bare headline can't tell."""
    if len(text.body) < 300:
        return True
    last = re.escape(next(word for word in reversed(name.split()) if word.strip(".,").lower() not in _SUFFIXES))
    first = re.escape(name.split()[0])
    alone = re.compile(
        rf"(?<!{first} )(?<!\b[A-Z]\. )(?<![\w\-])(?:(?:Mr|Mrs|Ms|Dr|Prof)\.?\s)?(?i:{last})(?:’s|'s)?(?![\w\-])"
    )
    if alone.search(text.body[:6000]) or re.search(rf"{first}(?:’s|'s)?\s(?!{last})[a-z]", text.body[:6000]):
        return True
    return (
        re.search(
            rf"{last}(?:,|\s(?:as|has|will|is|was|brings|joins|said|served))\b.{{0,200}}?\b(?:he|she|his|her)\b", text.body
        )
        is not None
    )


def _role_in_body(person: str, text: Text) -> tuple[str, str]:
    last = re.escape(person.split()[-1])
    pattern = re.compile(
        rf"\b{last}\b[^.;]{{0,80}}?\b(?:as|to the (?:role|position) of|role of|appointed|named)\s(?P<role>[^.;]{{3,120}})"
    )
    for sentence in text.news[:NEAREST_SENTENCES]:
        match = pattern.search(sentence)
        if match and (role := _role(match["role"])):
            return role, sentence
    return "", ""


def _role(phrase: str) -> str:
    """The role without what follows it; empty where it is none."""
    phrase = _BEFORE_ROLE.sub("", phrase.strip(" ,"))
    role = _AFTER_ROLE.split(phrase, maxsplit=1)[0].strip(" ,.")
    head, *segments = role.split(", ")
    kept = [head]
    for segment in segments:
        # "Executive Vice President, Law and Business Affairs", but not ", Bringing …"
        if not _DEPARTMENT.fullmatch(segment):
            break
        kept.append(segment)
    role = re.sub(r"\s(?:role|position)$", "", ", ".join(kept), flags=re.I)
    return role if _ROLE.search(role) and len(role.split()) <= 14 else ""


_NAME = (
    r"(?:[A-Z][\w.'’\-]*|[a-z]{2,3}(?=\s[A-Z]))(?:,?\s(?:[A-Z][\w.'’\-]*|(?:de|da|di|del|van|von|der|la|le"
    r"|bin|al)\b|III?\b)){1,9}?"
)
_C = r"(?P<company>[\w][^:;]{1,70}?)"
_BY = (
    r"(?i:appoints|names|hires|promotes|taps|welcomes|selects|elevates|adds|recruits|elects|brings (?:on|in|aboard)|lures"
    r"|poaches|nabs"
    r"|announces(?: the)?(?: appointment"
    r"| promotion| hiring)? of|announces|unveils|installs)"
)
# With the role behind it, catching and choosing say it too.
_BY_AS = rf"(?:{_BY}|(?i:lands|picks|chooses|secures|snags|brings back|signs))"
_FROM = r"(?:from\s[A-Z][\w.&’'\-]*(?:\s[A-Z][\w.&’'\-]*){0,3}\s)?"
_TEAM = (
    r"(?:to (?:its |the |their )?(?:(?:executive|senior|global|leadership|management|founding)\s){1,2}team\s"
    r"|to succeed [^,;:]{2,40}?\s)?"
)
_TO = rf"{_FROM}{_TEAM}(?i:as|to be|to(?: the (?:role|position) of| serve as| become)?|for the role of)"
_NEW = r"(?:(?i:company['’]s|newly created|its|the|new|their|an?|our|first|first-ever|next|us|interim)\s)*"
_SAID = (
    r"(?:(?:[A-Z]|former\s|ex-|longtime\s)(?:(?!\s(?:as|to)\s)[^;:,]){1,70}?\s(?i:veteran|expert|leader|investor|exec"
    r"|executive|boss|alum"
    r"|pioneer|entrepreneur|founder"
    r"|visionary|specialist|attorney|cpa|ceo|cfo|cto|coo|officer|producer|designer|geologist|engineer|president|vp|lead|manager"
    r"|director|head|chief|alumn\w+|analyst|scientist|banker|operator|co-founder)\s)?"
)
_CHIEF = (
    r"(?i:(?:(?:global|group|deputy|co-?)\s?)?(?:chief(?:\s(?:[\w&]+\s){0,3}(?:officer|executive|scientist|economist))?"
    r"|C[A-Z]{1,3}O"
    r"|president|chair(?:man|woman|person)?|general counsel|managing director|(?:senior |executive )?vice president|head)"
    r"(?:\sof\s(?:[\w&]+\s?){1,3}?)?(?:\sand\s(?:C[A-Z]{1,3}O|president|chair\w*))?)"
)
_BOARD = (
    r"(?i:(?:(?:scientific|medical|strategic|clinical|technical|supervisory|corporate|global)\s)*(?:advisory\s)?board"
    r"(?:\sof\s(?:directors|advisors|advisers|trustees|managers)(?:\sas\s\w+)?)?)(?=$|[,;:–—]|\s(?:to|as|amid|after"
    r"|following|ahead|and)\s)"
)
# What somebody is to do who is given no title.
_TASK = r"(?i:lead|head(?: up)?|run|oversee|spearhead|build out)"
_END = r"(?:$|[;:–—]|\s-\s)"
_HEADLINES = (
    gated(rf"^{_SAID}(?P<person>{_NAME})\s(?i:joins|appointed to|named to"
               rf"|elected to)\s(?i:the\s)?(?P<company>[^:;,]{{2,60}}?)(?:’s|'s)?\s"
               r"(?P<role>(?i:(?:Scientific |Medical |Strategic )?(?:Advisory )?Board)(?: of (?:Directors|Advisors|Trustees))?)\b"),
    gated(rf"^(?P<company>.{{2,60}}?)\s(?i:announces|completes|expands|launches|reports"
               rf"|strengthens)\b.{{3,110}}?(?:\sand|,)\s"
               rf"(?i:appoints|names|hires)\s{_SAID}(?P<person>{_NAME})\s(?:{_TO}\s)?{_NEW}(?P<role>(?:[A-Z]|chief|president"
               rf"|head|vice|senior|managing|general|director|partner|executive|chair)[^;:–—]{{0,90}})"),
    gated(rf"^(?P<company>[^:;,]{{2,40}}?)(?:’s|'s)\s(?P<person>{_NAME})\s(?i:is\s|was\s)?(?i:promoted to"
               rf"|named|appointed)\s(?i:as\s)?{_NEW}"
               r"(?P<role>(?:[A-Z]|chief|president|head|vice|senior|managing|general|director|partner|executive"
               r"|chair)[^;:–—]{0,90})"),
    # "Acme appoints Jane Doe to its board"
    gated(rf"^{_C}\s{_BY}\s{_SAID}(?P<person>{_NAME})\s(?i:to)\s(?i:(?:its|the|their|our|company['’]s)\s)?(?P<role>{_BOARD})"),
    # "Acme hires first CFO, Jane Doe", "Acme appoints new CEO Jane Doe", "Acme's new CEO is Jane Doe"
    gated(rf"^{_C}\s{_BY_AS}\s(?i:(?:an?|its|the)\s)?(?i:first|first-ever|new|next|permanent|interim)\s(?P<role>{_CHIEF})[,:]?\s"
          rf"(?P<person>{_NAME})(?=$|[,;:–—]|\sfrom\s)"),
    gated(rf"^{_C}(?:’s|'s|s’|s')\s(?i:new|next|first|interim)\s(?P<role>{_CHIEF})\s(?i:is"
          rf"|will be)\s{_SAID}(?P<person>{_NAME}){_END}"),
    gated(rf"^{_SAID}(?P<person>{_NAME})\s(?i:is|named)\s(?i:the\s)?(?i:new|next|first|interim)\s(?P<role>{_CHIEF})\s(?i:of|at)\s"
          r"(?P<company>[A-Z0-9][^,:;]{1,50})$"),
    # "Acme taps Jane Doe to lead its business in Asia"
    gated(rf"^{_C}\s{_BY_AS}\s{_SAID}(?P<person>{_NAME})\s(?i:to\s|as it\s)(?P<task>{_TASK}\s[^,;:–—]{{3,60}}?)(?=$|[,;:–—]"
          r"|\s(?:after|amid|ahead|following|from|as)\s)"),
    # "Globex veteran Jane Doe to head Acme's London office"
    gated(rf"^{_SAID}(?P<person>{_NAME})\s(?i:to|will)\s(?P<task>{_TASK}\s(?P<company>[A-Z0-9][^,:;’']{{1,40}}?)(?:’s"
          rf"|'s)\s[^,;:–—]{{3,60}}?)"
          r"(?=$|[,;:–—]|\s(?:after|amid|ahead|following|from|as)\s)"),
    # "Acme strengthens its team with the hire of Jane Doe as General Counsel"
    gated(rf"^(?P<company>[^:;,]{{2,60}}?)\s(?i:strengthens|bolsters|expands|grows|builds out|boosts|deepens|completes"
          rf"|rounds out)\s[^;:]{{3,60}}?"
          rf"\s(?i:with|by)\s(?i:(?:the\s)?(?:hire|hiring|appointment|addition|arrival)s? of|appointing|hiring|naming)\s"
          rf"{_SAID}(?P<person>{_NAME}),?\s{_TO}\s{_NEW}(?P<role>(?:[A-Z]|chief|president|head|vice|senior|managing"
          rf"|general|director"
          r"|partner|executive|chair)[^;:–—]{0,90})"),
    # A founder who comes back: "Acme co-founder Jane Doe returns as CEO"
    gated(rf"^(?P<company>[A-Z0-9][^,:;]{{1,40}}?)\s(?i:(?:co-?)?founder|former ceo"
          rf"|ex-ceo)\s(?P<person>{_NAME})\s(?i:returns(?: to (?:the )?\w+)?"
          rf"|steps back in|is back|comes back)\s(?i:as)\s{_NEW}(?P<role>{_CHIEF})"),
    # "Jane Doe leaves Globex to become CEO of Acme"
    gated(rf"^{_SAID}(?P<person>{_NAME})\s(?i:leaves|departs|quits|exits)\s[^,;:]{{2,40}}?\s(?i:to (?:become|be)"
          rf"|to take over as)\s{_NEW}"
          r"(?P<role>[^,;:]{2,50}?)\s(?i:of|at)\s(?P<company>[A-Z0-9][^,:;]{1,50})$"),
    gated(rf"^{_C}\s{_BY_AS}\s{_SAID}(?P<person>{_NAME})(?:,\s[^,]{{2,60}})?,?\s{_TO}\s{_NEW}(?P<role>(?:[A-Z]|chief|president|head"
    rf"|vice|senior|managing|general|director|partner|executive|chair)[^;:–—]{{0,110}})"),
    gated(rf"^{_C}\s(?i:appoints|names|elects|hires)\s(?P<person>{_NAME}),?\s{_NEW}(?P<role>(?i:Chief|President"
               rf"|CEO|CTO|CFO|COO|CMO|CRO|Vice "
               r"President|Senior Vice|Executive Vice|Executive Director|Managing Director|General Manager"
               r"|Head of|Director of|Chair)[^;:–—]{0,90})"),
    gated(rf"^{_C}\s{_BY}\s(?P<person>{_NAME}){_END}"),
    gated(rf"^{_SAID}(?P<person>{_NAME})\s(?i:joins|has joined|to join)\s{_C}\s{_TO}\s{_NEW}(?P<role>(?:[A-Z]|chief|president"
    rf"|head|vice|senior|managing|general|director|partner|executive|chair)[^;:–—]{{0,110}})"),
    gated(rf"^(?P<person>{_NAME})\s(?i:joins|has joined|to join)\s(?i:the .{{3,60}}? (?:division|team|group"
               rf"|department|practice) (?:at|of)\s)?"
               rf"(?P<company>[A-Z][^:;,]{{1,70}}?)(?:\s(?i:to (?:help|lead|drive|grow|expand|head)|after|from"
               rf"|amid)\b.*)?(?:,.*)?{_END}"),
    gated(rf"^(?P<person>{_NAME})\s(?i:is\s|has been\s)?(?i:appointed|named|promoted"
               rf"|elected)\sby\s{_C}\s{_TO}\s{_NEW}(?P<role>(?:[A-Z]|chief|president|head|vice|senior|managing|general|director"
               rf"|partner|executive|chair)[^;:–—]{{0,110}})"),
    gated(rf"^(?P<person>{_NAME})\s(?i:is\s|has been\s)?(?i:named|appointed|promoted to|promoted|becomes"
               rf"|elected)\s(?i:as\s|to\s)?{_NEW}"
               r"(?P<role>(?:[A-Z]|chief|president|head|vice|senior|managing|general|director|partner|executive"
               r"|chair)[^,:;]{0,70}?)\s(?i:of|at"
               r"|for)\s(?i:the\s)?(?P<company>[A-Z0-9][^,:;]{1,60})(?:,\s(?:Inc|LLC|Ltd|P\.A|P\.C|Corp)\.?)?$"),
    gated(rf"^(?P<company>[A-Z0-9][^;]{{1,70}}?)\s.*?;\s(?P<person>{_NAME})\s(?i:is\s)?(?i:appointed|named"
               rf"|promoted to|becomes)\s(?i:as\s|to\s)?{_NEW}"
               r"(?P<role>(?:[A-Z]|chief|president|head|vice|senior|managing|general|director|partner|executive"
               r"|chair)[^,:;]{1,70})"),
    # "Jane Doe succeeds John Roe as CEO of Acme", "Jane Doe takes the helm at Acme as CEO"
    gated(rf"^(?P<person>{_NAME})\s(?i:succeeds|replaces|to succeed|to replace)\s{_NAME}\s(?i:as)\s{_NEW}(?P<role>[^,:;]{{2,60}}?)"
               r"\s(?i:of|at)\s(?i:the\s)?(?P<company>[A-Z0-9][^,:;]{1,60})$"),
    gated(rf"^(?P<person>{_NAME})\s(?i:takes (?:the helm|the reins|over|charge)|to take over|steps in)\s(?i:at|of)\s"
               rf"(?P<company>[A-Z0-9][^,:;]{{1,50}}?)\s(?i:as)\s{_NEW}(?P<role>[^,:;]{{2,60}})"),
    # "Acme CEO steps down, Jane Doe to take over"
    gated(r"^(?P<company>[A-Z0-9][^,:;]{1,50}?)(?:’s|'s)?\s(?P<role>(?i:ceo|cfo|cto|coo|chief executive(?: officer)?|president"
    r"|chair\w*))\s"
               rf"(?i:steps down|to step down|resigns|retires|to retire|departs|exits|leaves)[^,;]*[,;]\s(?P<person>{_NAME})\s"
               r"(?i:to take over|takes over|named|appointed|to succeed|succeeds|steps in)"),
)  # fmt: skip
_NO_JOB = gated(
    r"\b(?:castle connolly|super lawyers|top (?:\d+|doctor|financial|advisor)|best of|award|winner|finalist"
    r"|sponsor|host|partner (?:for|of)"
    r"|marketing partner|ambassador|hall of fame|honou?ree|rising star|list\b|podcast|short film|cast of"
    r"|expert for|inc\. 5000|forum|summit"
    r"|conference|event|accepting appointments|athletes?|agency of record|verified expert|technology partner|certified partner"
    r"|influencer|nomin\w+|ranked|named one of|named to|of the year|photography)\b",
    re.I,
)
# Public offices, teams and pulpits: no company's role.
_PUBLIC_ROLE = gated(
    r"\b(?:(?:head|assistant|associate|interim|first-team|defensive|offensive|goalkeeping|pitching) coach|team captain"
    r"|as (?:new |club )?captain"
    r"|(?:prime|foreign|finance|defen[cs]e|health|interior|trade|energy|culture) minister|minister (?:of|for)"
    r"|secretary of (?:state|the)"
    r"|attorney general|solicitor general|surgeon general|fed chair|police (?:chief|commissioner)|governor of"
    r"|(?:as|new|next|named|becomes|elected|first|female) (?:judge|justice|magistrate|senator|(?:arch)?bishop|pastor|envoy"
    r"|mayor))\b"
    r"|^(?:the )?(?:president|governor|mayor|prime minister|king|queen|pope|senate|congress|parliament|white house|cabinet"
    r"|government"
    r"|ministry|city council|county|council|judge|court)\s(?:appoint|name|tap|pick|nominate|elevate|hire|select|choose)s\b",
    re.I,
)
_FORMER_FIRM = gated(r"^[A-Z][\w&.\-]*(?:\s[A-Z][\w&.\-]*){0,2}(?:’s|'s|s’|s')\s(?=[A-Z])")
_STRONG_VERB = gated(r"\b(?:appoint(?:s|ed|ment)|hires|promot(?:es|ed)|elects|elected)\b", re.I)
_NO_EMPLOYER = gated(r"\b(?:community|history|team|museum|mission|fight|movement|list)$", re.I)
_LEADING = gated(r"^(?:\w*breaks\s[–—-]\s|exclusive:\s)", re.I)
_DESCRIPTION = gated(
    r"^(?:.*\b(?:veteran|expert|leader|executive|pioneer|specialist|geologist|visionary|strategist|innovator"
    r"|entrepreneur|founder|insider"
    r"|attorney|advisor|investor|engineer|officer|star|guru|luminary|heavyweight|ceo|cfo|cto|coo|president"
    r"|alum(?:nus|na)?|surgeon"
    r"|scientist|analyst|director|manager|professional|authority|designer|producer|driver"
    r"|cpa)s?,?\s(?:and (?:investor|founder|author)\s)?)(?=[A-Z])",
    re.I,
)
_TITLES = gated(r"^(?:(?:Dr|Mr|Mrs|Ms|Prof|Professor|Sir|Dame|Hon|General|Gen|Col|Capt|Lt|Rev)\.?\s)+", re.I)
_PARTICLES = frozenset({"de", "da", "di", "del", "van", "von", "der", "la", "le", "bin", "al"})
_SUFFIXES = frozenset({"ii", "iii", "iv", "jr", "sr", "phd", "md", "cpa", "esq"})
_FIRM_WORD = gated(
    r"\b(?:inc|corp|llc|ltd|group|digital|media|partners?|capital|labs?|technolog\w+|systems?|solutions?|health"
    r"|bank|agency|network|company"
    r"|law|firm|ai|board|team|leaders?|executives?|auditor|pcaob|members?|new|three|two|four|five|promotions?"
    r"|appointments?|global|holdings?|data|cloud"
    r"|services|studio|university|center|club|death|officers?|directors?|managing|design|interior|museum"
    r"|collection|veteran|expert"
    r"|specialist|attorney|insider|the|and|with|its|launch\w*|top|best|first|former)\b",
    re.I,
)
_ROLE = gated(
    r"\b(?:chief|ceo|cto|cfo|coo|cmo|cro|cpo|cio|ciso|president|officer|director|a?vp|vice president|svp|evp"
    r"|head|partner|chair\w*|manager"
    r"|counsel|board|lead|leads?|principal|secretary|treasurer|advis[eo]rs?|attorney|associate|economist|analyst"
    r"|engineer|scientist"
    r"|controller|superintendent|dean|consultant|executive|founder|ambassador|editor|specialist|coach|banker|architect|broker"
    r"|representative|fellow|trustee|professor|producer|designer|strategist)\b",
    re.I,
)
_BEFORE_ROLE = gated(r"^(?:(?:its|the|new|their|our|an?|first|first-ever|next|interim|his|her)\s)+", re.I)
_AFTER_ROLE = gated(
    r"\s(?:to (?=[A-Za-z]+\s)|in (?:a |an )?(?:historic|ambitious|bold|major)\b|in (?:North|South|Latin|the"
    r"|Europe|Asia|[A-Z][a-z]+$)|amid\b"
    r"|following\b|after\b|effective\b|where\b|who\b|which\b|with\b|and (?:[A-Z][\w.'’\-]+\s){2,3}as\b"
    r"|and (?:celebrates|announces|expands|joins|advances|launches|unveils|adds|welcomes|reports|strengthens|continues)\b"
    r"|at (?=[A-Z])|for (?=[A-Z][a-z]+\s(?:Expansion|Growth|Program))|as (?=[A-Z]))",
    re.I,
)
_DEPARTMENT = gated(
    r"(?!\w+ing\b|(?:Welcomes|Announces|Advances|Expands|Launches|Strengthens|Reports|Names|Appoints|Adds"
    r"|Brings)\b)(?:[A-Z][\w&/.\-]*)(?:\s(?:and|&|of|the|[A-Z][\w&/.\-]*))*"
)
