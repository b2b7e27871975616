"""How a list of investors is taken apart: names, the descriptors around them, persons and the firms they come from.

Case matters where names begin. How they are used: investors.py; by which phrases such lists are found: investor_phrases.py.
"""

from __future__ import annotations

import re

from pipeline.signals.gated import gated

_W = r"[\w.&'’+\-/]*"
# "Curve founder Jane Doe": the person, not the firm.
PERSON_OF_FIRM = gated(
    r"^(?P<role>(?:.{0,60}?\b)?(?i:founders?|co-?founders?|ceo|cto|coo|cfo|cmo|partner|executive|president"
    r"|chairman|chief \w+(?: officer)?|creator|head of \w+))\s"
    r"(?P<person>[A-ZÀ-Þ][\w'’\-.]+(?:\s(?:[a-z]{2,3}\s){0,2}[A-ZÀ-Þ][\w'’\-.]*){1,3})$"
)
# "Oldmoor's Jane Doe"
FIRMS_PERSON = gated(r"^(?P<role>[A-ZÀ-Þ][\w.&\s]{1,40}?['’]s?)\s(?P<person>[A-ZÀ-Þ][a-z][\w'’\-]+\s[A-ZÀ-Þ][\w'’\-]+)$")
PEOPLE_OF = gated(
    r"(?:,?\s(?:and|including|as well as)\s)?(?:\b(?:the|several|former|senior|early|individual|other)\s)*"
    r"\b(?:founders?|co-?founders?|executives|officers|leaders|operators|employees|angels|alumni|CXOs|CEOs|entrepreneurs"
    r"|veterans|people"
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
    r"|^(?:(?i:two|three|four|five|six|several|many)(?:\s(?:investors?|backers?|funds?|firms?))?|(?:University|Pension"
    r"|Sovereign|State|Government|Family|Venture|Investment"
    r"|Wealth|Growth|Impact)\s(?:fund|firm|investor|arm)s?)$"
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
# ", the venture arm of X," and ", a New York-based fund," say what the name before is; ", the Oldmoor Fund," is a name.
_THE_NAME = (
    r"the\s(?-i:(?:[A-ZÀ-Þ0-9][\w.&'’\-]*\s?(?:(?:of|for|de|&)\s)?)+)(?:\s?(?:group|fund|family|foundation))?(?=$"
    r"|[,;]|\s(?:and|as|along)\b)"
)
APPOSITION = gated(
    rf",\s(?!{_THE_NAME})"
    r"(?:the|an?|which|who|whose|one of|formerly|part of|known|led by|managed by|owned by|based"
    r"|both|through|via)\s[^,]{2,140}?(?=,|$|\sand\s(?:[A-ZÀ-Þ]|participation|existing|other)|\sas well as|\salong with"
    r"|;)",
    re.I,
)
SEPARATOR = gated(
    r"\s*(?:[;、•|]|\s/\s|(?<=\w{3})/(?=\w{3})|\s[–—-]\s|,\s+(?:and|&|as well as|plus|including|with|alongside)\s+"
    r"|,(?!\s?(?:Inc|LLC|Ltd|LP"
    r"|L\.P|Co)\b)\s*|\s+(?:and(?!\s(?:Sons|Co|Company|Partners|Associates|Brothers|Play)\b)|as well as|along with"
    r"|together with|alongside|plus|including|besides"
    r"|with(?: the)? participation (?:from|of|by)|joined by|followed by|with (?:additional"
    r"|follow-on) (?:support|participation|investment) from)\s+"
    r"|\s+&\s+(?=[A-ZÀ-Þ][\w]+\s(?:Ventures|Capital|Partners)))\s*",
    re.I,
)
DESCRIPTOR = gated(
    r"(?:(?:(?:Existing|New|Other|Previous|Current|Returning|Additional|Seed|Angel|Early|Historical|Initial|Strategic"
    r"|Institutional)(?=\s(?:investors?|backers?|shareholders?)\b)"
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
    r"|(?:funds?|accounts?|vehicles?|entities) (?:managed|advised|sub-advised|held) by|(?:managed|advised|sub-advised) by"
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
# "Singapore's Oldmoor", "Peakline's Oldmoor Ventures": whose the investor is.
OWNER = gated(r"(?P<owner>[A-ZÀ-Þ][\w.&\-]*(?:\s[A-ZÀ-Þ][\w.&\-]*){0,2})['’]s\s(?=\S)")
OWNED_FUND = gated(
    r"(?!(?:Latin|North|South|Digital|Growth|Early|Corporate|Strategic|Venture|Global|Climate|Innovation|Impact|Seed)\b)"
    r"[A-ZÀ-Þ][\w&\-]*\s(?:[A-ZÀ-Þ]\w*\s){0,2}(?:Ventures|Capital|Partners|Fund|Investments?|VC)$"
)
# What a person or fund in a list did, where the list's pattern reached so far: "Jane Doe took part".
DEED = gated(
    r"\s(?:(?:also|all|both|have|has)\s)*(?:took|take|taking|participat\w+|joined|joining|invested|investing|among|put"
    r"|came|contributed)\b.*$"
)
# "Institutional Investors": a description in title case.
PLURAL_KIND = gated(
    r"(?:(?:Infrastructure|Institutional|Strategic|Angel|Private|Local|Foreign|Global|Existing|New|Leading|Top|Major|Industry|Gulf"
    r"|Family|Venture|Early|Prominent|Returning|Key|Accredited|International|Domestic|US|European|Asian|Climate|Impact|Tech)\s)+"
    r"(?:Investors?|Offices?|Backers|Angels|Firms|Funds|Shareholders|VCs)"
)
# "Head of Operations": a role, nobody's name.
ROLE = gated(r"(?:Head|VP|SVP|EVP|Director|Chief|Vice President|Chair(?:man|woman)?)\b(?:\s(?:of|for))?(?:\s[A-Z]\w+){0,4}")
GENERIC = gated(
    r"(?:(?:ph\.?d|md|venture|angel|angels|investors?|others?|vcs?|funds?|partners?|executives?|founders?|series|seed|round"
    r"|the|this|it|company|ceo|cto|cfo|coo|co-founder|founder|q[1-4]|us|uk|u\.s|europe|asia|africa|india"
    r"|north america|"
    r"group|board|director|chairman|president|managing|general|senior|strategic|investments?|funding"
    r"|silicon valley|web3|ai|saas|vc|management|team|\d[\d.,]*(?:[mkb]n?|cr|st|nd|rd|th)?(?!\w)|january|february|march|april|may"
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
PERSON_NOUN = gated(
    r"\b(?:founders?|co-?founders?|executives?|ceo|entrepreneurs?|musician|actor|actress|athlete"
    r"|footballer|cricketer|rapper|singer|investor and|billionaire|angels?|partner|professor|veteran"
    r"|president|chairman|developer|lawyer|banker|engineer|producer|designer|chef|surgeon|scientist)\b",
    re.I,
)
ANGEL_PART = gated(
    r"(?:,|\band|\bas well as|\balong with|\bplus|\balongside|\bincluding)?\s*(?:(?:several|strategic"
    r"|notable|prominent|a number of|a group of|leading|various|other|individual|some|renowned|industry"
    r"|tech|a host of|other notable|well-known|key)\s){0,3}(?:angel investors?|angels(?!\sand\s)|business angels"
    r"|individual investors|individuals|executives and founders|founders and executives"
    r"|angel backers)(?:\s(?:including|such as|like|include|namely|from|are|were|among(?:st)? (?:them"
    r"|others)))?\s?:?\s",
    re.I,
)
