"""The phrases by which funding news names investors, as compiled patterns. How they are used: investors.py.

Each pattern's group ``names`` is a list to be taken apart; case matters where names begin.
"""

from __future__ import annotations

import re

from pipeline.signals.gated import gated

_STOP = (
    r"(?=[.]?[\"”’')\]]*$|;|,\s(?i:eyes|plans|aims|targets|launches|enters|sets|gears|looks)\s"
    r"|,?\s(?:(?i:to)\s(?i:accelerate|expand|scale|grow|build|support|fuel|help|develop"
    r"|continue|further|drive|bring|power|launch|fund|advance|enable|increase|boost|create|make|transform"
    r"|improve|hire|strengthen|deliver|revolutionize|democrati[sz]e)\b|bringing|which (?:will|brings|has"
    r"|is|comes|was)|who (?:will|also)|that (?:will|also|brings)|will\b|and (?:is|was|will|has"
    r"|brings|comes|follows|plans|the company)\b|valuing|at an?\s|for an?\s(?:total|undisclosed)"
    r"|in\s(?:an?|its|the|this|what)\s|on\s(?:the|\w+day)\b|after\b|amid\b|as (?:it|the company|part of)\b"
    r"|just\b|since\b|while\b|when\b|is (?:set|aimed|expected)|has (?:also|now)|said\b|says\b|told\b"
    r"|according to|– |— |have (?:also|all)|were\b|was\b|are\b|is\b|\bat \$|\bvaluation\b"
    r"|(?:(?:also|all|both)\s)*participat(?:ed|ing)|(?:(?:also|all|both)\s)*(?:joined|invested|came in)|with the\s(?!participation)"
    r"|(?-i:(?:also\s)?(?:participate|join|invest)s?\b)|(?:also\s)?(?:took|tak(?:es?|ing)) part\b|following(?: on)?\b"
    r"|among (?:the|its|others)\b|and an?\s(?:US)?[$€£₹]|valued\b"
    r"|the (?:round|funding|investment|company|capital|new)\b))"
)
# What a list goes on with: a dot within a sentence is part of a name or of an abbreviation ("Icebreaker.vc", "Mill & Co. KG").
_ON = r"[^;]*?"
_NAMES = rf"(?P<names>{_ON}){_STOP}"
# Words in small letters before the first name: "impact investor Oldmoor", "a consortium of investors around Oldmoor".
_LOWER = (
    r"(?:(?!(?:to|sales?|selling|at|on|for|with|that|which|who|when|where|scratch|home|customers|revenues?|grants?|previous"
    r"|last|this|across|within|his|her|my|stealth)\b)[a-z0-9][\w\-’']*,?\s){0,8}"
)
_NAMED = rf"(?P<names>{_LOWER}(?:[A-ZÀ-Þ0-9]|a16z){_ON}){_STOP}"
# The names that are a clause's subject.
_SUBJECT = r"(?:[A-ZÀ-Þ]|\d+\w*[a-z]|a16z)[^;]"
_ROUND = (
    r"(?:round|funding|financing|investment|raise|deal|operation|transaction|extension|tranche|syndicate|consortium"
    r"|[Ss]eed|[Ss]eries)"
)
_ROUND_WORD = (
    r"(?:rounds?|funding|financing|investments?|raise|million|billion|[\d.]M|[Ss]eries\s[A-Ha-h]\S{0,2}"
    r"|equity|venture debt|seed|capital|Seed|Round|Funding|Financing|Investments?|fundraise|[Cc]rore|Cr|Mn|deal|operation"
    r"|transaction|investors|backers|syndicate|consortium"
    r"|shareholders|group|backers|part|portion|tranche|extension|clos(?:e|ing)|injection|infusion|[Ii]t was|co-)"
)
LED_BY = gated(
    rf"{_ROUND_WORD}[,)]?(?:\s\([^)]{{1,40}}\))?(?:,\s(?:which|that)\s[^,;.]{{3,50}},)?\s?(?:(?:which|that|and)\s)?(?:(?:is|was"
    rf"|were|has been|being|[Ww]as)\s)?"
    rf"(?i:(?:co-?|jointly )?led(?: jointly| again| once again)? by|headed by|spearheaded by|anchored by"
    rf"|with lead (?:investor|investment from)):?\s{_NAMES}"
)
FROM = gated(
    rf"\b(?i:from|by)\s(?!(?i:the\s)?(?i:mobile|scratch|home|stealth|\d(?![\w]*[a-z]{{2}})"
    rf"|former\syc))(?P<names>[A-ZÀ-Þ0-9]{_ON}){_STOP}"
)
FOLLOWERS = gated(
    r",?\s(?:and\s)?(?:(?:also\s)?(?:with|saw|includ(?:ed|es|ing)|featur(?:ed|es|ing)|has|had)\s(?:(?:the"
    r"|an?|additional|strong|further|significant|continued|active|major|follow-on|existing)\s)*"
    r"(?:participation|support|investments?|contributions?|backing|involvement|commitments?|funding"
    r"|co-investors?|investors?)\b(?:\s(?:also\s)?(?:from|by|of|including))?"
    r"|(?:with|along with|together with|alongside|as well as|joined by|followed by|supported by|backed by"
    r"|included|includes|including|participated by|in addition to|and (?:was |is )?joined by)\s)",
    re.I,
)
LED_ALONE = gated(
    r"(?:^|(?<=[,;]\s)|(?<=\bwith\s))(?P<names>[A-ZÀ-Þ][\w&'’]*(?:\s[A-ZÀ-Þ][\w&'’]*){0,3})\s(?:led"
    r"|leading)(?=[.,;]|$|\sand\b)"
)
AND_OTHERS = gated(r"\b(?:and (?:more|others|other)|others)\b", re.I)
# A name that begins a sentence or clause; words that begin sentences are no names.
_BEFORE = (
    r"(?:^|(?<=[,;:]\s)|(?<=\bthat\s)|(?<=\bwhile\s)|(?<=\bwhich\s)|(?<=\bwith\s)|(?<=\band\s))"
    r"(?!(?:While|In|That|This|These|Those|Some|Users|It|As|At|On|When|With|Our|We|They|Also|After|Before"
    r"|For|If|By|To|He|She|His|Her|Its|Their|All(?! (?:existing|current|previous|other|new)\b)|Many"
    r"|Since|Although|Though|Now|But|And|So|There|Here|What|Who|How|Today|Founded|Last|One|Both|Yet|However|Meanwhile"
    r"|Additionally|According|Following|Instead|Previously)(?![\w\-]))"
)
LEAD_PATTERNS = (
    LED_BY,
    # "€18 million from A, which led the round"; "A led; B and C took part"
    gated(
        r"(?P<names>[A-ZÀ-Þ][\w&'’.\-]*(?:\s(?:of\s|&\s|the\s)?[A-ZÀ-Þ][\w&'’.\-]*){0,4}),\s(?:which"
        r"|who)\s(?:also\s)?(?:co-?)?(?:led"
        r"|leads)\s"
        r"(?:the|this|its|a)\b"
    ),
    # "Spearheaded by A, the round …"
    gated(
        rf"(?:^|,\s)(?:Led|Co-led|Spearheaded|Headed|Anchored) by\s(?P<names>[A-ZÀ-Þ0-9]{_ON}),\s(?:the"
        rf"|this)\s(?:[\w$€£.\-]+\s){{0,4}}?{_ROUND}"
    ),
    # "the lead is A"
    gated(
        rf"\b[Tt]he lead(?:\sinvestors?)?(?:\s(?:in|of)\s(?:the|this)\s\w+)?\s(?:is|was|are"
        rf"|were)\s(?P<names>[A-ZÀ-Þ0-9]{_ON}){_STOP}"
    ),
    # "with A as the lead"
    gated(r"\bwith\s(?P<names>[A-ZÀ-Þ][^;]{1,100}?)\sas\s(?:the\s|a\s)?(?:co-)?lead\b"),
    # A list in which one is marked: "A (lead), B, C"
    gated(r"(?P<names>[A-ZÀ-Þ][^,;:().]{1,60}?)\s\((?:co-)?lead(?:\sinvestors?)?\)"),
    gated(
        rf"\b[Ll]ead(?:ing)? investors?(?: in the round)?(?:,| (?:is|was|were|are|include|includes"
        rf"|being))?\s(?P<names>[A-ZÀ-Þ]{_ON}){_STOP}"
    ),
)
_ADJECTIVES = (
    r"(?:(?:additional|smaller|larger|the|strong|further|significant|continued|active|some|major|follow-on|existing"
    r"|notable|new|strategic)\s)*"
)
# "Existing investors including": what the names that begin a clause are.
_KNOWN_AS = (
    r"(?:(?:[Aa]ll\s)?(?:[Ee]xisting|[Nn]ew|[Oo]ther|[Pp]revious|[Cc]urrent|[Rr]eturning|[Aa]ngel|[Ss]eed|[Ee]arly|[Ll]ong-?time"
    r"|[Ii]nitial|[Ll]ocal|[Aa]dditional|[Hh]istorical)\s(?:(?:outside|institutional|strategic)\s)?(?:investors?|backers?"
    r"|shareholders?)"
    r"\s?(?:including\s|such as\s|like\s|[–—:\-]\s)?)?"
)
# By what verbs investors are said to be in a round; those that mean other things too ask for the round, or for the clause's end.
_TAKES_PART = (
    r"(?:(?:have|has|all|both|also|each|again|once again|then)\s)*"
    r"(?:participat(?:ed|es?|ing)(?=\s(?:in\s(?:the|this|an?|its|[A-Z][\w&.]*['’]s)|as|alongside|too|again|with)\b|[.,;–—]"
    r"|\s[–—-]|$)"
    rf"|join(?:ed|s)? (?:in )?(?:on )?(?:the|this|its|an?) (?:[\w$€£.]+[\s\-]){{0,4}}?{_ROUND}|joined as(?! (?:\w+ ){{0,2}}(?:chief"
    rf"|C[A-Z]O|head"
    r"|director|adviser|advisor|vice|president|partner|chair\w*))|joined(?: in| too| them)?(?=[.,;]|$)"
    r"|(?:took|takes?|taken|taking) part|contributed (?:to (?:the|this)|too\b|as well|money|capital)|contributed(?=[.,;]|$)"
    r"|(?:continued|renewed) (?:their|its) (?:support|backing|investment)"
    r"|also (?:joined|invested|backed|contributed|put|joining|investing|contributing|join|invest|came|come)"
    r"|(?:re-?|co-?)?invested(?: too| as well| again| alongside|(?=[.;]|,\s(?:as|with|while|alongside|along)\b|$)"
    rf"| in (?:the|this) (?:\w+[\s\-]){{0,3}}?{_ROUND})"
    r"|c[ao]mes? (?:in\b|on board|back\b|aboard|along\b)|re-?upped|follow(?:ed|s) (?:on|suit)|followed(?=[.;]|$)|returned\b"
    r"|went along\b|bought in\b|(?:doubled|increased|raised) their stakes?\b|join(?:ed|s) the cap table"
    r"|doubled down(?! on)|(?:pitched|chipped|piled|weighed) in\b|each put\b|put (?:in "
    r"|up )?(?:(?:the|some of the"
    r"|most of the|the bulk of the|the rest of the)\s)?"
    r"(?:money|the (?:rest|remainder)|cash|capital)\b|each (?:put in|invested|contributed)|subscribed\b(?! to)"
    r"|(?:provided|supplied|funded) the (?:\w+ )?(?:extension|round|funding|money|capital|financing|investment)"
    rf"|(?:complete[sd]?|round(?:s|ed) (?:it )?out|ma[dk]e up|fill(?:s|ed)? out) (?:it\b|(?:the"
    rf"|this) (?:\w+ ){{0,2}}(?:{_ROUND}|line-?up))"
    r"|(?:was|were|is|are) the (?:other|only|new|remaining|sole) (?:\w+ )?(?:investors?|backers?|participants?)\b"
    r"|(?:was|were|is|are) (?:also |both |all )*(?:among|part of) (?:the|its|this) (?:\w+ ){0,3}(?:investors?|backers"
    r"|round|participants"
    r"|syndicate|consortium)|(?:is|are|was|were) also (?:an? )?(?:\w+ )?(?:investors?|backers?|shareholders?)\b)"
)
OTHER_PATTERNS = (
    gated(
        rf"\b(?:with|saw|includ\w+|alongside|had|and|as well as|also)\s{_ADJECTIVES}"
        r"(?:participation|support|investments?|contributions?|backing|involvement"
        r"|commitments?|cheques|checks|tickets)\s(?:also\s)?(?:came\s|coming\s)?"
        rf"(?:from|by|of)\s{_NAMES}",
        re.I,
    ),
    gated(rf"\bparticipat(?:ion (?:from|of|by)|ed (?:in )?by)\s{_NAMES}", re.I),
    # "investors include A and B"; "existing investors, which include A"
    gated(
        r"(?<!previous\s)(?<!prior\s)(?<!past\s)(?<!earlier\s)(?<!whose\s)\b(?:investors?|backers?|participants|supporters"
        r"|shareholders|newcomers?)"
        r"(?: (?:in|from) (?:the|this) (?:\w+ )?round| (?:that|who) (?:\w+ ){0,2}(?:part|participated|joined|invested|came in)"
        r"(?: in (?:the|this) (?:\w+ )?round)?)?(?: also)?,?\s(?:which |who )?"
        rf"(?:include|included|includes|including|such as|like|were|are)\s(?:in the round were\s)?{_NAMES}",
        re.I,
    ),
    # "Joining the round were A and B"; "A and B, which together put in $3m"; "A and B participated"
    gated(
        rf"\b(?:[Jj]oining|[Pp]articipating|[Ii]nvesting|[Ii]nvolved|[Bb]acking|[Tt]aking part)(?:\sin|\son)?"
        rf"(?:\s(?:\w+\s){{0,3}}(?:{_ROUND}|it|them))?\s(?:also\s)?(?:were|was|are|is)\s{_NAMES}"
    ),
    # Also on the cap table, and then a colon.
    gated(rf"\b[Aa]lso (?:joining|participating|investing|in|on|taking part|backing)\b[^.;:]{{0,40}}:\s{_NAMED}"),
    gated(
        r"\b(?:the (?:backing|support) of|(?:shares|equity|allot?ment) to)\s(?P<names>[A-ZÀ-Þ][^;]*?)(?=,\s(?:which|who)\b|[.;]|$)"
    ),
    # Two new backers, and their names behind a colon.
    gated(rf"\b(?:investors|backers|participants|supporters):\s{_NAMES}", re.I),
    # "A led the round with B and C"; "B also participated in the round, with C"
    gated(
        rf"(?:(?<=\s)(?:led|leads|participated|invested|joined)(?:\s(?:in\s)?(?:the|this|an?"
        rf"|its)\s(?:[\w$€£.\-–+]+\s){{0,5}}?{_ROUND}"
        rf"(?:\s(?:[A-H]|round|funding|financing))?)?),?\s"
        rf"(?:together\s|along\s)?(?:with|alongside)\s{_NAMED}"
    ),
    # "… with new investor A taking part"
    gated(
        rf"\bwith\s(?P<names>{_LOWER}[A-ZÀ-Þ][^;]{{1,160}}?)\s(?:also\s|again\s)?(?:taking part|participating"
        rf"|joining(?!\s(?:the|its|our)\s(?:\w+\s)?board|\sas\b)"
        r"|following|investing|contributing|coming (?:in|on board)|among (?:the|its) (?:\w+\s)?(?:angels|investors|backers"
        r"|participants))"
    ),
    # "with A as the lead and B and C as co-investors"
    gated(
        r"\b(?:with|and)\s(?P<names>[A-ZÀ-Þ][^;]{1,160}?)\sas\s(?:the\s)?(?:co-?investors?|(?:new|other|further)\sinvestors?)\b"
    ),
    # "A and B invested, as did C"
    gated(rf"\b(?:invest|participat|join|back|contribut)\w+[^.;]{{0,40}}?,?\sas (?:did|do|does)\s{_NAMED}"),
    # "the funding was provided by A and B"
    gated(
        r"\b(?:round|funding|financing|investment|capital|money)\s(?:was|were|is|has been)"
        rf"\s(?:provided|supplied|contributed|funded)\sby\s{_NAMES}"
    ),
    # "the round included A and B"; "the round, which also included A"; "a round featuring A"
    gated(
        rf"\b(?:round|funding|financing|investment|raise)(?:(?:\son \w+)?,?\s(?:which|that)|\s(?:was"
        rf"|is)\s(?:co-)?led(?:\sjointly)?\sby[^;]{{2,120}}?\sand)?"
        rf"\s(?:also\s)?(?:included|includes|include|featured"
        rf"|featuring|features|drew|attracted|involved"
        rf"|brings? together|welcomed)\s{_ADJECTIVES}(?:investments?\sfrom\s|participation\s(?:from|of)\s"
        rf"|participation\s)?{_NAMES}",
        re.I,
    ),
    gated(rf"\b[Tt]he (?:rest|remainder|balance)(?: of the \w+)? (?:came|comes|is|was) from\s{_NAMES}"),
    # "raised $5 million from A and B"
    gated(
        r"(?:\b(?:round|funding|financing|investment|raise|million|seed|[Ss]eries\s[A-Ha-h]\d?|capital|backing|crore|Cr|Mn|amount"
        r"|cash|money|equity|equity and debt)"
        r"|\d[MmKk])(?:\s\([^)]{1,40}\))?\s(?:(?:of|in)\s\w+\s)?(?:(?:raised|secured"
        r"|received)\s)?(?:(?:announced\s(?:on\s)?\w+\s)?com(?:ing|es)\s|came\s)?from\s"
        rf"{_NAMED}"
    ),
    # "alongside A"; "backed by leading funds including A and B"
    gated(
        r"\b(?:joined by|were joined by|joined in the round by|alongside|along with|together with"
        r"|(?<!is )(?<!are )(?<!also )backed by"
        r"|supported by|support of)\s"
        rf"{_NAMED}"
    ),
    # "New investors A and B joined current investors C and D in the round"; "A joined C and D in the first close"
    gated(
        rf"{_BEFORE}(?:(?:[Nn]ew|[Oo]utside|[Tt]wo|[Tt]hree)\s(?:new\s)?(?:investors?"
        rf"|backers?),?\s)?(?P<names>[A-ZÀ-Þ][^;]{{2,200}}?)\s"
        r"(?:have |has )?joined\s(?=(?:(?:with|by|its|the)\s)*(?:existing|current|previous|prior|returning|earlier|founding)\s"
        r"(?:investors?|backers?|shareholders?)|[^.;]{0,200}\bin (?:the|this) (?:\w+ ){0,2}(?:round|close|closing|financing"
        r"|funding)\b)"
    ),
    gated(
        r"\bjoined\s(?:(?:with|by|its|the)\s)*(?:(?:existing|current|previous|prior|returning|earlier|founding|insider)\s"
        r"(?:investors?|backers?|shareholders?),?\s(?:including\s)?)(?P<names>[A-ZÀ-Þ][^;]*?)"
        r"(?=\sin (?:the|this)\b|,?\salong with\b|[.;]|$)"
    ),
    gated(
        r"\bjoined\s(?P<names>[A-ZÀ-Þ][^;]{2,200}?)\sin (?:the|this) (?:\w+ ){0,2}(?:round|close|closing|financing|funding)\b"
    ),
    gated(
        r"\b(?:with|by)\s(?:existing|new|current|returning|previous)\s(?:investors?|backers?|shareholders?)\s(?:including\s)?"
        rf"(?P<names>[A-ZÀ-Þ]{_ON}){_STOP}"
    ),
    # "supported by current investors A and B"; "insiders A and B"
    gated(
        r"\b(?:supported|backed|joined|funded|financed|subscribed|followed|completed)(?: strongly)? by\s(?:(?:all|its|the|both"
        r"|our)\s)*"
        r"(?:existing|current|new|returning|previous|insider)\s(?:investors?|backers?|shareholders?),?\s(?:including\s)?"
        rf"(?P<names>[A-ZÀ-Þ]{_ON}){_STOP}"
    ),
    # "A provided the startup with $4 million"; "A contributed $500,000 to the Series B"
    gated(
        rf"{_BEFORE}(?P<names>[A-ZÀ-Þ][^.;,]{{1,80}}?)\s(?:provided|gave|handed)\s(?:the\s)?(?:company|startup|start-up"
        rf"|firm)\s(?:with\s)?"
        r"(?:\w+\s){0,2}(?:US)?[$€£₹]"
    ),
    gated(
        rf"{_BEFORE}(?:The\s)?(?P<names>[A-ZÀ-Þ][^.;,]{{1,80}}?)\s(?:provided|contributed|put in|invested|chipped in|injected"
        rf"|committed"
        r"|put)\s(?:\w+\s){0,2}(?:US)?[$€£₹][^.;]{1,24}?\s(?:to|in|into|towards?|of)\s(?:the|this)\s(?:\w+\s)?(?:round|series|seed"
        r"|financing|funding|raise)\b",
        re.I,
    ),
    gated(rf"\binvestments? (?:from|by)\s{_NAMED}"),
    # "40 funds and insiders, including A and B"
    gated(
        r"\b(?:investors|funds|firms|syndicate|backers|institutions|insiders|vcs|VCs|capitalists"
        r"|group)\b[^.;]{0,90}?,?\s(?:including|such as)\s"
        rf"(?P<names>[A-ZÀ-Þ0-9]{_ON}){_STOP}"
    ),
)
# Clauses whose subject is a list: (verb, the whole clause, leads or others). The list before a verb is long to look for, so
# that the verb is asked for first.
_LED_IT = (
    r"(?:co-?led|led|co-?leads|leads|spearheaded|anchored)\s(?:the|this|an?|its|our|their)\s"
    rf"(?:[\w$€£.\-–+]+\s){{0,6}}?{_ROUND}"
)
_LED = r"(?:co-)?(?:led|leads?)(?:[;.]|,\s(?:with|joined|while|alongside|and)|(?<=led)\sand\s)"
_WERE_LEADS = r"(?:is|was|were|are)\s(?:the\s|a\s)?(?:co-)?lead\s(?:investors?|backers?|financ(?:i)?ers?)\b"
_TOOK_LEAD = r"(?:took|takes|taking)\sthe\slead\b"
CLAUSES = (
    # "A, a fund from Y, led the $3M round"
    (
        gated(_LED_IT),
        gated(
            rf"{_BEFORE}(?P<names>(?:{_SUBJECT}{{1,140}}?|a16z))(?:,\s[^,.]{{3,90}},)?\s"
            rf"(?:(?:has|have|will|also|jointly|just)\s)*{_LED_IT}"
        ),
        "leads",
    ),
    # "A led; B and C took part"
    (
        gated(_LED),
        gated(rf"{_BEFORE}(?P<names>[A-ZÀ-Þ][\w&'’\-]*(?:\s(?:and\s|&\s)?[A-ZÀ-Þ][\w&'’\-]*){{0,9}})\s{_LED}"),
        "leads",
    ),
    # "A and B were the lead investors"
    (
        gated(_WERE_LEADS),
        gated(
            rf"{_BEFORE}(?:(?:[Nn]ew|[Ee]xisting)\s(?:investors?|backers?),?\s)?(?P<names>[A-ZÀ-Þ][^.;]{{1,100}}?)"
            rf"\s{_WERE_LEADS}"
        ),
        "leads",
    ),
    # "A and B took the lead"
    (gated(_TOOK_LEAD), gated(rf"{_BEFORE}(?P<names>{_SUBJECT}{{1,140}}?)\s{_TOOK_LEAD}"), "leads"),
    # "A and B also participated"
    (
        gated(rf"(?<=\s){_TAKES_PART}"),
        gated(
            rf"{_BEFORE}(?P<names>{_KNOWN_AS}{_SUBJECT}{{2,260}}?)(?<!\sis)(?<!\swas)(?<!\sare),?\s(?:[–—-]\s)?{_TAKES_PART}"
        ),
        "others",
    ),
)
ANGELS = gated(
    rf"\b(?:(?:strategic|notable|individual|prominent|several|leading|renowned|number of|including|and"
    rf"|other|of)\s)*(?:angel investors?|angels|business angels|individual investors"
    rf"|individuals)(?:,)?\s(?:include|included|including|such as|like|namely|are|were|featuring)\s{_NAMES}",
    re.I,
)
# A sentence that names backers holds one of these.
HINTS = (
    "led ", "led.", "led,", "led;", "lead", "invest", "backe", "backi", "participat", "join", "support", "funding",
    "round", "raise", "angel", "financing", "seed", "series", "secured", "provided", "contribut", "went along",
    "bought in", "put in", "part", "came", "come", "doubled down", "chipped in", "pitched in", "piled in", "weighed in",
    "cap table", "upped", "their stake", "consortium", "syndicate", " from ",
)  # fmt: skip
# What a sentence on another round says, and how one begins.
PAST_ROUND = gated(
    r"\b(?:previous(?:ly)? (?!(?:investors?|backers?|shareholders?)\b)(?:\w+ ){0,3}(?:round|raised|funding|seed|series|led"
    r"|backed|invested)|prior (?:round|funding)|earlier (?:round|funding)|follows (?:an?|its|the) (?:earlier|previous|prior)\b"
    r"|had (?:also |earlier |already )?raised\b|has also (?:invested|backed)|portfolio (?:includes|companies)"
    r"|other investments include|past investments|last raised\b|s?he (?:co-?founded|raised|previously|sold)\b)"
    r"|\b(?:raised|round|funding|seed|series [a-h])[^.]{0,60}\b(?:in (?:\w+ )?20[012]\d|last year|\w+ (?:years|months) ago)",
    re.I,
)
PAST_OPENING = gated(
    r"(?:before\b|(?:in|last|back in)\s(?:(?:early|late|mid)[\s\-])?(?:january|february|march|april|may|june|july|august"
    r"|september|october|november|december|spring|summer|autumn|winter|\d{4})\b)",
    re.I,
)
# Clauses of a sentence on this round that tell of another: ", which previously backed A,", "following an earlier … from B".
PAST_CLAUSE = gated(
    r",\s(?:which|who|that)\s(?:(?:had|has|have|was|were|also)\s)*(?:previously|earlier|already|last|once)\s[^,;]*(?=,|$)"
    r"|,?\s(?:after|following|complement(?:s|ing)|on top of|builds on|comes after)\s(?:previously|(?:an?|its|the|their)\s(?:earlier"
    r"|previous|prior|initial|first))\b[^,;]*"
    r"|,\s(?:most recently|(?:and\s)?previously|having (?:previously|already|earlier))\s[^;]*"
    r"|,\s(?:when|since|where)\s(?:it|the (?:company|startup|firm))\s(?:last\s|had\s)?(?:secured|raised|closed|landed)\s[^,;]*",
    re.I,
)
# "All investors from the prior round" are existing ones.
FROM_PRIOR_ROUND = gated(
    r"\binvestors (?:from|in|of) (?:the|its|our|their) (?:prior|previous|earlier|last) (?:\w+ )?(?:rounds?|financings?)\b", re.I
)
# At the end of a headline: "…; Oldmoor leads", "… with Oldmoor leading"
TITLE_LEAD = gated(
    r"(?:[,;:–—]|\s-|\swith)\s(?P<names>[A-ZÀ-Þ0-9][\w.&'’\-]*(?:\s(?:and\s"
    r"|&\s)?[A-ZÀ-Þ0-9][\w.&'’\-]*){0,5})\s(?:co-)?lead(?:s|ing)?$"
)
