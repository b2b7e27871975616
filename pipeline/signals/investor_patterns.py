"""The phrases by which funding news names investors, as compiled patterns. How they are used: investors.py.

Each pattern's group ``names`` is a list to be taken apart; case matters where names begin.
"""

from __future__ import annotations

import re

from pipeline.signals.gated import gated

_W = r"[\w.&'’+\-/]*"
# "Curve founder Jane Doe": the person, not the firm.
PERSON_OF_FIRM = gated(
    r"^(?P<role>(?:.{0,60}?\b)?(?i:founders?|co-?founders?|ceo|cto|coo|cfo|cmo|partner|executive|president"
    r"|chairman|chief \w+(?: officer)?|creator|head of \w+))\s"
    r"(?P<person>[A-ZÀ-Þ][\w'’\-.]+(?:\s(?:[a-z]{2,3}\s)?[A-ZÀ-Þ][\w'’\-.]*){1,3})$"
)
# "Oldmoor's Jane Doe"
FIRMS_PERSON = gated(r"^(?P<role>[A-ZÀ-Þ][\w.&\s]{1,40}?['’]s?)\s(?P<person>[A-ZÀ-Þ][a-z][\w'’\-]+\s[A-ZÀ-Þ][\w'’\-]+)$")
PEOPLE_OF = gated(
    r"(?:,?\s(?:and|including|as well as)\s)?(?:\b(?:the|several|former|senior|early|individual|other)\s)*"
    r"\b(?:founders?|co-?founders?|executives|leaders|operators|employees|angels|alumni|CXOs|CEOs|entrepreneurs|veterans|people"
    r"|individuals)\s(?:of|from|at|behind)\s(?!the (?:fund|investor))"
)
# ", co-founder of Curve," behind a person
ROLE_BEHIND = gated(
    r",\s(?:the\s|a\s)?(?:(?:[Ff]ormer|[Ee]x-?|[Gg]eneral|[Mm]anaging)\s)?(?:(?:[Cc]o-?)?[Ff]ounder|CEO|CTO|COO|CFO|[Pp]artner"
    r"|[Pp]resident"
    r"|[Cc]hair(?:man|woman)?|[Dd]irector)(?:\s(?:and|&)\s[\w\-]+)?\s(?:of|at)\s[A-ZÀ-Þ][\w.&’'\-]*(?:\s[A-ZÀ-Þ][\w.&’'\-]*){0,3}"
    r"(?=,|\s(?:and|as)\b|$)"
)
# What stands where a name would and names nobody: "Curve's Founder", "Crypto Category Leaders", "other VC firms".
UNNAMED = gated(
    r"(?:^|\s)(?i:founders?|co-?founders?|ceo|executives?)$"
    r"|^(?i:(?:existing|new|other|current|previous) (?:investors?|backers?|shareholders?))$|^(?i:(?:co-?)?founders? (?:of|at))\b"
    r"|\b(?:Leaders|Pioneers|Stars|Giants|Firms|Backers|VCs|Veterans|Players|Names|Experts|Jobs?|KOLs)(?:\sin\s.*)?$"
)
PROPER = gated(
    rf"(?:[A-ZÀ-Þ0-9]{_W}|[a-z]+[A-ZÀ-Þ]{_W}|[a-z]\d+[a-z]\b|[a-z]+\.[a-z]{{2,}}"
    rf"|\w+\.(?:vc|ventures|capital|com|io|xyz|fund|co)\b)"
    rf"(?:\s(?:(?:of|the|de|du|la|for|and the|&|x|\+|von|van|in|by|y|und|et|e|do|da|dos|del)\s)?"
    rf"(?:[A-ZÀ-Þ0-9]{_W}|[a-z]+[A-ZÀ-Þ]{_W}"
    rf"|fund\b|group\b|ventures\b|capital\b|\|))*"
)
PROPER_TAIL = gated(rf"(?<![\w])[A-ZÀ-Þ0-9]{_W}(?:\s(?:(?:of|the|de|&|x)\s)?[A-ZÀ-Þ0-9]{_W})*$")
NOT_A_NAME_BEFORE = gated(
    r"\b(?:to|will|by|at|that|for|in|with|as|the company|round|is|was|are|has|from|executives|founders|employees|leaders)\b",
    re.I,
)
BRACKETS = gated(r"\s?\([^)]{0,120}\)|\s?\[[^\]]{0,80}\]|[®™]")
# ", the venture arm of X," and ", a New York-based fund," say what the name before is.
APPOSITION = gated(
    r",\s(?:the|an?|which|who|whose|one of|formerly|part of|known|led by|managed by|owned by|based"
    r"|both)\s[^,]{2,140}?(?=,|$|\sand\s(?:[A-ZÀ-Þ]|participation|existing|other)|\sas well as|\salong with"
    r"|;)",
    re.I,
)
SEPARATOR = gated(
    r"\s*(?:[;、/•|]|,\s+(?:and|&|as well as|plus|including|with|alongside)\s+|,(?!\s?(?:Inc|LLC|Ltd|LP"
    r"|L\.P|Co)\b)\s*|\s+(?:and|as well as|along with|together with|alongside|plus|including|besides"
    r"|with(?: the)? participation (?:from|of|by)|joined by|followed by|with (?:additional"
    r"|follow-on) (?:support|participation|investment) from)\s+"
    r"|\s+&\s+(?=[A-ZÀ-Þ][\w]+\s(?:Ventures|Capital|Partners)))\s*",
    re.I,
)
DESCRIPTOR = gated(
    r"(?:(?:(?:Existing|New|Other|Previous|Current|Returning|Additional)(?=\s(?:investors?|backers?|shareholders?)\b)"
    r"|and|both|also|from|by|of|at|the(?!\s[A-ZÀ-Þ]\w+\s(?:Fund|Company|Group|House))|an?|its|their|our"
    r"|new|existing|current|previous|prior|returning|early|early[- ]stage|seed|lead|co-lead|leading|other"
    r"|several|various|prominent|notable|noted|renowned|major|top|global|international|local|institutional"
    r"|strategic|private|family|"
    r"fellow|newly[\s-]\w+|additional|first-time|long-?time|repeat|original|long-standing|well-known|high-profile|key"
    r"|participating|follow-on|insider|inside|all|some|many|high[- ]net[- ]worth|world-class|top-tier"
    r"|tier-one|blue-chip|corporate|"
    r"backers?|investors?|shareholders?|supporters?|partners?(?=\s[A-ZÀ-Þ])|angels?|angel investors?|vcs?"
    r"|vc (?:firms?|funds?|giants?)|venture(?: capital)? (?:firms?|funds?|investors?|arm|capitalists?)"
    r"|venture capital(?=\s[A-ZÀ-Þ])|firms?|funds?(?=\s\S)|private equity(?: firms?| investor)?"
    r"|growth equity (?:firms?|investor)|accelerators?|incubators?|family offices?|syndicates?|"
    r"investment (?:firms?|companies|company|funds?|banks?|giants?|arm)|asset managers?|hedge funds?"
    r"|companies|company|giants?|conglomerates?|fund(?=\s[A-ZÀ-Þ])|studio|startup studio|group(?=\s[A-ZÀ-Þ])"
    r"|participation|investments?|support|contributions?|backing|funding|capital(?=\s(?:from|by))"
    r"|involvement|commitments?|cheques?|checks?|"
    r"entrepreneurs?|serial entrepreneurs?|founders?(?=\s[A-ZÀ-Þ])|co-?founders?(?=\s[A-ZÀ-Þ])"
    r"|executives?(?=\s[A-ZÀ-Þ])|ceos?(?=\s[A-ZÀ-Þ])|former|ex-?\w*|billionaires?|individuals?|businessm[ae]n"
    r"|tech|technology|fintech|healthcare|crypto|web3|climate|impact|deep[- ]?tech|sector|industry|like"
    r"|such as|namely|including|include|includes|were|was|is|are|among others|others|alongside|with"
    r"|through|via|together with|:"
    r"|[A-ZÀ-Þ][\w.]+(?:\s[A-ZÀ-Þ]\w+)?[\-–](?:based|backed|headquartered|focused|led)|\w+-(?:focused|based|backed"
    r"|stage|led|oriented|driven|owned|listed)"
    r"|(?:U\.?S\.?|U\.?K\.?|EU|European|American|British|French|German|Spanish|Italian|Dutch|Swiss|Swedish"
    r"|Danish|Norwegian|Finnish|Israeli|Indian|Chinese|Japanese|Korean|Canadian|Australian|Silicon Valley"
    r"|Singaporean|Brazilian|Nordic|Polish|Austrian|Belgian)(?=\s(?:[a-z]|VC|fund|investor)))"
    r"(?:['’]s)?\s+)"
)
# "Life sciences investment firm Oldmoor": a description that begins a sentence, so only its first word is capital.
OPENING_DESCRIPTION = gated(
    r"[A-ZÀ-Þ][\w\-]*(?:\s(?!(?:of|the|for|and|de)\b)[a-z][\w\-]*){0,4}?\s(?:firm|fund|investor|backer|giant|company|bank|manager"
    r"|accelerator|incubator|office|arm)\s(?=[A-ZÀ-Þ])"
)
TAIL = gated(
    r"\s+(?:Series|round|also|participat\w+|invest(?:ed|ing|s)|joined|The|This|In|With|And|Existing"
    r"|New|To|At|For|On|Today|Said|Says|Among)$|,?\s+(?:Inc|LLC|Ltd|LP|L\.P|Corp|GmbH|AG|PLC|Limited|Pte"
    r"|S\.A|SAS|SE|AB|NV|BV|Oy|Co\.? Ltd)\.?$",
    re.I,
)
POSSESSIVE = gated(r"['’]s?$")
GENERIC = gated(
    r"(?:(?:angel|angels|investors?|others?|vcs?|funds?|partners?|executives?|founders?|series|seed|round"
    r"|the|this|it|company|ceo|cto|cfo|coo|co-founder|founder|q[1-4]|us|uk|u\.s|europe|asia|africa|india"
    r"|north america|"
    r"group|board|director|chairman|president|managing|general|senior|strategic|investments?|funding"
    r"|silicon valley|web3|ai|saas|vc|management|team|\d[\d.,]*(?:[mkb]n?|cr|st|nd|rd|th)?|january|february|march|april|may"
    r"|june|july|august|september|october|november|december)\s?)+",
    re.I,
)
PART_OF_WORLD = gated(
    r"(?:(?:North|South|East|West|Central|Latin|Middle|Southeast)(?:ern)?[\s\-]?)+(?:America|Europe|Asia|Africa|East)"
    r"|(?:GCC|MENA|EMEA|APAC|LATAM|CIS|Gulf)(?:\s(?:[Cc]ountries|[Rr]egion|[Mm]arkets?|[Ss]tates))?|Scandinavia|Balkans"
)
ORGANIZATION = gated(
    r"\b(?:ventures?|capital|partners?|funds?|group|holdings?|labs?|vc|investments?|equity|angels?|bank"
    r"|inc|llc|ltd|lp|corp|company|co|management|advisors?|network|accelerator|university|foundation"
    r"|digital|technologies|global|international|media|studios?|office|trust|associates|club|x|dao"
    r"|protocol|finance|financial|research|securities|asset|assets|growth|seed|impact|insurance|pharma"
    r"|health|energy|systems|motors|industries|collective|syndicate|incubator|institute|ventures)\b|&|\d"
    r"|\.\w",
    re.I,
)
TYPES = (
    ("angel", gated(r"\bangels?\b(?! (?:network|fund))|\bbusiness angel")),
    ("family_office", gated(r"\bfamily office\b|\bfamily trust\b")),
    ("hedge_fund", gated(r"\bhedge fund")),
    ("accelerator", gated(r"\baccelerators?\b|\bincubator|\by combinator\b|\btechstars\b")),
    ("pe", gated(r"\bprivate equity|\bgrowth equity|\bbuyout")),
    ("government", gated(r"\bgovernment|\bministry|\bstate fund|\bsovereign|\bpublic fund")),
    ("crowdfunding", gated(r"\bcrowd")),
    ("corporate", gated(r"\bcorporate\b|\bventure arm|\binvestment arm|\bcvc\b")),
    ("vc", gated(r"\bventures?\b|\bvcs?\b|\bcapital\b")),
)
_STOP = (
    r"(?=[.;](?:\s|$)|$|,?\s(?:(?i:to)\s(?i:accelerate|expand|scale|grow|build|support|fuel|help|develop"
    r"|continue|further|drive|bring|power|launch|fund|advance|enable|increase|boost|create|make|transform"
    r"|improve|hire|strengthen|deliver|revolutionize|democrati[sz]e)\b|bringing|which (?:will|brings|has"
    r"|is|comes|was)|who (?:will|also)|that (?:will|also|brings)|will\b|and (?:is|was|will|has|includes?d?"
    r"|brings|comes|follows|plans|the company)\b|valuing|at an?\s|for an?\s(?:total|undisclosed)"
    r"|in\s(?:an?|its|the|this|what)\s|on\s(?:the|\w+day)\b|after\b|amid\b|as (?:it|the company|part of)\b"
    r"|just\b|since\b|while\b|when\b|is (?:set|aimed|expected)|has (?:also|now)|said\b|says\b|told\b"
    r"|according to|– |— |have (?:also|all)|were\b|was\b|are\b|is\b|\bat \$|\bvaluation\b"
    r"|(?:(?:also|all|both)\s)*participat(?:ed|ing)|(?:(?:also|all|both)\s)*(?:joined|invested|came in)|with the\s(?!participation)"
    r"|the (?:round|funding|investment|company|capital|new)\b))"
)
_NAMES = rf"(?P<names>[^.;]*?(?:(?:\.(?=\w|,|\s?[a-z&])|(?<=\b[A-ZÀ-Þ])\.(?=\s[A-ZÀ-Þ]))[^.;]*?)*?){_STOP}"
_ROUND_WORD = (
    r"(?:rounds?|funding|financing|investments?|raise|million|billion|[\d.]M|Series\s[A-H]\S{0,2}"
    r"|series\s[a-h]|seed|capital|Seed|Round|Funding|Financing|Investments?|fundraise|[Cc]rore|Cr|Mn|deal|operation"
    r"|transaction|investors|backers|syndicate|consortium"
    r"|co-)"
)
LED_BY = gated(
    rf"{_ROUND_WORD}[,)]?(?:\s\([^)]{{1,40}}\))?(?:,\s(?:which|that)\s[^,;.]{{3,50}},)?\s?(?:(?:which|that|and)\s)?(?:(?:is|was"
    rf"|were|has been|being|[Ww]as)\s)?"
    rf"(?i:(?:co-?|jointly )?led(?: jointly| again| once again)? by|headed by|spearheaded by|anchored by"
    rf"|with lead (?:investor|investment from)):?\s{_NAMES}"
)
FROM = gated(
    rf"\b(?i:from|by)\s(?!(?:the\s)?(?:mobile|scratch|home|stealth|\d|former\syc))(?P<names>[A-ZÀ-Þ0-9][^.;]*?){_STOP}"
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
PERSON_NOUN = gated(
    r"\b(?:founders?|co-?founders?|executives?|ceo|entrepreneurs?|musician|actor|actress|athlete"
    r"|footballer|cricketer|rapper|singer|investor and|billionaire|angels?|partner|professor|veteran"
    r"|president|chairman|developer|lawyer|banker|engineer|producer|designer|chef|surgeon|scientist)\b",
    re.I,
)
AND_OTHERS = gated(r"\b(?:and (?:more|others|other)|others)\b", re.I)
# A name that begins a sentence or clause; words that begin sentences are no names.
_BEFORE = (
    r"(?:^|(?<=[,;:]\s)|(?<=\bthat\s)|(?<=\bwhile\s)|(?<=\bwhich\s)|(?<=\bwith\s)|(?<=\band\s))"
    r"(?!(?:While|In|That|This|These|Those|Some|Users|It|As|At|On|When|With|Our|We|They|Also|After|Before"
    r"|For|If|By|To|He|She|His|Her|Its|Their|All|Many"
    r"|Since|Although|Though|Now|But|And|So|There|Here|What|Who|How|Today|Founded|Last|One|Both)\b)"
)
LEAD_PATTERNS = (
    LED_BY,
    # "A, a fund from Y, led the $3M round"
    gated(
        rf"{_BEFORE}(?P<names>(?:[A-ZÀ-Þ][^.;]{{1,140}}?|a16z))(?:,\s[^,.]{{3,90}},)?\s(?:(?:has|have|will|also|jointly)\s)*"
        r"(?:co-?led|led|co-?leads|leads|spearheaded|anchored)\s(?:the|this|a|its|our|their)\s"
        r"(?:[\w$€£.\-–+]+\s){0,6}?(?:round|funding|financing|investment|raise|deal|operation|transaction|seed|series)"
    ),
    # "€18 million from A, which led the round"; "A led; B and C took part"
    gated(
        r"(?P<names>[A-ZÀ-Þ][\w&'’.\-]*(?:\s(?:of\s|&\s|the\s)?[A-ZÀ-Þ][\w&'’.\-]*){0,4}),\s(?:which"
        r"|who)\s(?:also\s)?(?:co-?)?(?:led"
        r"|leads)\s"
        r"(?:the|this|its|a)\b"
    ),
    gated(
        rf"{_BEFORE}(?P<names>[A-ZÀ-Þ][\w&'’\-]*(?:\s(?:and\s|&\s)?[A-ZÀ-Þ][\w&'’\-]*){{0,4}})\s(?:co-)?"
        r"(?:led(?:[;.]|,\s(?:with|joined|while|alongside|and)|\sand\s)|leads?(?:[;.]|,\s(?:with|joined|while|alongside|and)\s))"
    ),
    # "A and B were the lead investors"
    gated(
        rf"{_BEFORE}(?:(?:[Nn]ew|[Ee]xisting)\s(?:investors?|backers?),?\s)?(?P<names>[A-ZÀ-Þ][^.;]{{1,100}}?)"
        r"\s(?:is|was|were|are)\s(?:the\s|a\s)?(?:co-)?lead\s(?:investors?|backers?|financ(?:i)?ers?)\b"
    ),
    gated(
        rf"\b[Ll]ead(?:ing)? investors?(?: in the round)?(?:,| (?:is|was|were|are|include|includes"
        rf"|being))?\s(?P<names>[A-ZÀ-Þ][^.;]*?){_STOP}"
    ),
)
_ADJECTIVES = (
    r"(?:(?:additional|the|strong|further|significant|continued|active|some|major|follow-on|existing"
    r"|notable|new|strategic)\s)*"
)
_QUALIFIED = (
    r"(?:(?:existing|new|investors?|angel|leading|both|the|a|an|group|syndicate|of|venture|strategic"
    r"|capital|VC|VCs|backers|firms?|funds?|fellow|other"
    r"|newly[\s-]\w+|returning|participating|by|like|as|such|including|several|undisclosed|prominent|notable|renowned"
    r"|investment|global|institutional)\s)*"
)
OTHER_PATTERNS = (
    gated(
        rf"\b(?:with|saw|includ\w+|alongside|had|and|as well as|also)\s{_ADJECTIVES}"
        r"(?:participation|support|investments?|contributions?|backing|involvement"
        r"|commitments?)\s(?:also\s)?(?:came\s|coming\s)?"
        rf"(?:from|by|of)\s{_NAMES}",
        re.I,
    ),
    gated(rf"\bparticipat(?:ion (?:from|of|by)|ed (?:in )?by)\s{_NAMES}", re.I),
    # "investors include A and B"; "existing investors, which include A"
    gated(
        r"(?<!previous\s)(?<!prior\s)(?<!past\s)(?<!earlier\s)(?<!whose\s)\b(?:investors?|backers?|participants|supporters)"
        r"(?: in (?:the|this) (?:\w+ )?round)?(?: also)?,?\s(?:which |who )?"
        rf"(?:include|included|includes|including|such as|like|were|are)\s(?:in the round were\s)?{_NAMES}",
        re.I,
    ),
    # "Joining the round were A and B"; "A and B, which together put in $3m"; "A and B participated"
    gated(
        rf"\b(?:[Jj]oining|[Pp]articipating in|[Ii]nvesting in|[Bb]acking)\s(?:\w+\s)?(?:the|this)\s(?:\w+\s)?(?:round"
        rf"|financing|funding|deal|raise)"
        rf"\s(?:also\s)?(?:were|was|are|is)\s{_NAMES}"
    ),
    gated(
        r"\b(?:the (?:backing|support) of|(?:shares|equity|allot?ment) to)\s(?P<names>[A-ZÀ-Þ][^.;]*?)(?=,\s(?:which|who)\b|[.;]|$)"
    ),
    # Two new backers, and their names behind a colon.
    gated(rf"\b(?:investors|backers|participants|supporters):\s{_NAMES}", re.I),
    # "the funding was provided by A and B"
    gated(
        r"\b(?:round|funding|financing|investment|capital|money)\s(?:was|were|is|has been)"
        rf"\s(?:provided|supplied|contributed|funded)\sby\s{_NAMES}"
    ),
    # "the round included A and B"; "the round, which also included A"; "a round featuring A"
    gated(
        rf"\b(?:round|funding|financing|investment|raise)(?:,\s(?:which|that))?\s(?:also\s)?(?:included|includes|include|featured"
        rf"|featuring|features|drew|attracted|involved"
        rf"|brings? together|welcomed)\s{_ADJECTIVES}(?:investments?\sfrom\s|participation\s(?:from|of)\s"
        rf"|participation\s)?{_NAMES}",
        re.I,
    ),
    gated(rf"\b[Tt]he (?:rest|remainder|balance)(?: of the \w+)? (?:came|comes|is|was) from\s{_NAMES}"),
    # "raised $5 million from A and B"
    gated(
        r"(?:\b(?:round|funding|financing|investment|raise|million|seed|capital|backing|crore|Cr|Mn|amount|cash|money)"
        r"|\d[MmKk])(?:\s\([^)]{1,40}\))?\s(?:(?:of|in)\s\w+\s)?(?:(?:announced\s(?:on\s)?\w+\s)?com(?:ing|es)\s|came\s)?from\s"
        rf"(?P<names>{_QUALIFIED}(?:[A-ZÀ-Þ0-9]|a16z)[^.;]*?){_STOP}"
    ),
    # "alongside A"; "backed by leading funds including A and B"
    gated(
        r"\b(?:joined by|were joined by|joined in the round by|alongside|along with|together with|backed by"
        r"|supported by|support of)\s"
        rf"(?P<names>{_QUALIFIED}[A-ZÀ-Þ0-9][^.;]*?){_STOP}"
    ),
    # "A and B also participated"
    gated(
        rf"{_BEFORE}(?P<names>(?:(?:[Ee]xisting|[Nn]ew|[Oo]ther|[Pp]revious|[Cc]urrent|[Rr]eturning"
        rf"|[Aa]ngel|[Ss]eed|[Ee]arly|[Ll]ong-?time|[Ii]nitial|[Ll]ocal)\s(?:investors?|backers?|shareholders?)\s?"
        r"(?:including\s|such as\s|like\s)?)?[A-ZÀ-Þ][^.;]{2,260}?),?\s(?:(?:have|has|all|both|also)\s)*"
        r"(?:participat(?:ed|ing)(?=\sin\s(?:the|this|an?|its)\b|\sas\b|\salongside|\stoo\b|\sagain\b|[.,;]|$)"
        r"|joined (?:in )?(?:the|this) (?:\w+ )?(?:round|financing|funding)|joined as|joined(?=[.,;]|$)"
        r"|took part|takes? part|taking part|contributed to the|continued (?:their|its) (?:support|backing|investment)"
        r"|also (?:joined|invested|backed|contributed|put|joining|investing|contributing)"
        r"|(?:re-?)?invested (?:too|as well|again|alongside|in (?:the|this) (?:\w+ )?(?:round|financing))|came (?:in|on board"
        r"|back)\b"
        r"|re-?upped|followed (?:on|suit)|returned\b|(?:pitched|chipped|piled) in\b|each put\b|put (?:in )?money\b"
        r"|each (?:put in|invested|contributed)|(?:provided|supplied|funded) the (?:\w+ )?(?:extension|round|funding|money|capital"
        r"|financing|investment))"
    ),
    # "New investors A and B joined current investors C and D in the round"; "A joined C and D in the first close"
    gated(
        rf"{_BEFORE}(?:(?:[Nn]ew|[Oo]utside|[Tt]wo|[Tt]hree)\s(?:new\s)?(?:investors?"
        rf"|backers?),?\s)?(?P<names>[A-ZÀ-Þ][^.;]{{2,200}}?)\s"
        r"(?:have |has )?joined\s(?=(?:(?:with|by|its|the)\s)*(?:existing|current|previous|prior|returning|earlier|founding)\s"
        r"(?:investors?|backers?|shareholders?)|[^.;]{0,200}\bin (?:the|this) (?:\w+ ){0,2}(?:round|close|closing|financing"
        r"|funding)\b)"
    ),
    gated(
        r"\bjoined\s(?:(?:with|by|its|the)\s)*(?:(?:existing|current|previous|prior|returning|earlier|founding|insider)\s"
        r"(?:investors?|backers?|shareholders?),?\s(?:including\s)?)(?P<names>[A-ZÀ-Þ][^.;]*?)"
        r"(?=\sin (?:the|this)\b|,?\salong with\b|[.;]|$)"
    ),
    gated(
        r"\bjoined\s(?P<names>[A-ZÀ-Þ][^.;]{2,200}?)\sin (?:the|this) (?:\w+ ){0,2}(?:round|close|closing|financing|funding)\b"
    ),
    gated(
        r"\b(?:with|by)\s(?:existing|new|current|returning|previous)\s(?:investors?|backers?|shareholders?)\s(?:including\s)?"
        rf"(?P<names>[A-ZÀ-Þ][^.;]*?){_STOP}"
    ),
    # "supported by current investors A and B"; "insiders A and B"
    gated(
        r"\b(?:supported|backed|joined|funded|financed|subscribed|followed|completed)(?: strongly)? by\s(?:(?:all|its|the|both"
        r"|our)\s)*"
        r"(?:existing|current|new|returning|previous|insider)\s(?:investors?|backers?|shareholders?),?\s(?:including\s)?"
        rf"(?P<names>[A-ZÀ-Þ][^.;]*?){_STOP}"
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
    gated(rf"\binvestments? (?:from|by)\s(?P<names>{_QUALIFIED}[A-ZÀ-Þ0-9][^.;]*?){_STOP}"),
    # "40 funds and insiders, including A and B"
    gated(
        r"\b(?:investors|funds|firms|syndicate|backers|institutions|insiders|vcs|VCs|capitalists"
        r"|group)\b[^.;]{0,90}?,?\s(?:including|such as)\s"
        rf"(?P<names>[A-ZÀ-Þ0-9][^.;]*?){_STOP}"
    ),
)
ANGELS = gated(
    rf"\b(?:(?:strategic|notable|individual|prominent|several|leading|renowned|number of|including|and"
    rf"|other|of)\s)*(?:angel investors?|angels|business angels|individual investors"
    rf"|individuals)(?:,)?\s(?:include|included|including|such as|like|namely|are|were|featuring)\s{_NAMES}",
    re.I,
)
ANGEL_PART = gated(
    r"(?:,|\band|\bas well as|\balong with|\bplus|\balongside|\bincluding)?\s*(?:(?:several|strategic"
    r"|notable|prominent|a number of|a group of|leading|various|other|individual|some|renowned|industry"
    r"|tech|a host of|other notable|well-known|key)\s){0,3}(?:angel investors?|angels|business angels"
    r"|individual investors|individuals|executives and founders|founders and executives"
    r"|angel backers)(?:\s(?:including|such as|like|include|namely|from|are|were|among(?:st)? (?:them"
    r"|others)))?\s?:?\s",
    re.I,
)
HINT = gated(
    r"\b(?:led|leads?|investors?|backers?|participat\w+|joined|invest(?:ed|ment|ments)|backed|backing"
    r"|support(?:ed)?|funding|round|raise[ds]?|angels?|financing|seed|series|secured|provided|contributed)\b",
    re.I,
)
PAST_ROUND = gated(
    r"\b(?:previous(?:ly)? (?!(?:investors?|backers?|shareholders?)\b)(?:\w+ ){0,3}(?:round|raised|funding|seed|series|led"
    r"|backed|invested)"
    r"|prior (?:round|funding)|earlier (?:round|funding)|(?:raised|round|funding|seed"
    r"|series [a-h])[^.]{0,60}\b(?:in (?:\w+ )?20[012]\d|last year|\w+ (?:years|months) ago)"
    r"|\bfollows (?:an?|its|the) (?:earlier|previous|prior)\b|\bhad (?:also |earlier |already )?raised\b"
    r"|has also (?:invested|backed)|portfolio (?:includes|companies)|other investments include"
    r"|past investments)",
    re.I,
)
