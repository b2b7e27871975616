"""The words by which funding news is told, as compiled patterns with names. Found by document_cues.py; detect.py decides.

Written from general knowledge of the trade's language. Each pattern is searched in one kind of place only (title,
lead, sentence), which its comment says.
"""

from __future__ import annotations

import re

from pipeline.signals.gated import gated

# What a company does to money, as the finite verb of a headline.
RAISE_WORDS = (
    r"(?:rais(?:es|ed|e)|secures?|secured|clos(?:es|ed)|land(?:s|ed)|bag(?:s|ged)|nab(?:s|bed)|net(?:s|ted)|pick(?:s|ed) up"
    r"|scor(?:es|ed)|pull(?:s|ed) in|snag(?:s|ged)|snap(?:s|ped) up|haul(?:s|ed) in|bank(?:s|ed)"
    r"|receiv(?:es|ed)|attract(?:s|ed)|gain(?:s|ed)"
    r"|collect(?:s|ed)|garner(?:s|ed)|rak(?:es|ed) in|reel(?:s|ed) in|rop(?:es|ed) in"
    r"|takes? in|took in|takes on"
    r"|complet(?:es|ed)|conclud(?:es|ed)|announc(?:es|ed)|obtain(?:s|ed)|lock(?:s|ed) (?:in"
    r"|down)|rack(?:s|ed) up"
    r"|scoop(?:s|ed)(?: up)?|earn(?:s|ed)|fetch(?:es|ed)|pocket(?:s|ed)|amass(?:es|ed)|gets|got|grab(?:s"
    r"|bed)|wins|won|finali[sz](?:es|ed)"
    r"|clinch(?:es|ed)|mop(?:s|ped) up|ink(?:s|ed)|snar(?:es|ed)|extend(?:s|ed)|upsiz(?:es|ed)|expand(?:s|ed)|drum(?:s|med) up"
    r"|whip(?:s|ped) up"
    r"|mobili[sz](?:es|ed)|disclos(?:es|ed)|reveal(?:s|ed)|unveil(?:s|ed)|confirm(?:s|ed)|draws(?: in)?"
    r"|drew|finds|found|rounds up"
    r"|wrap(?:s|ped) up|hits|tops up|bring(?:s|s in"
    r"|s home)|procur(?:es|ed)|add(?:s|ed)|ha(?:s|ve) raised"
    r"|ha(?:s|ve) secured|ha(?:s|ve) closed|accept(?:s|ed)|welcom(?:es|ed)|celebrat(?:es|ed)|swallow(?:s"
    r"|ed)|guzzl(?:es|ed)|gobbl(?:es|ed) up"
    r"|becomes|emerges from stealth|exits stealth|comes out of stealth|launches)"
)
RAISE_VERB = gated(rf"(?<![\w\-’'])(?:{RAISE_WORDS})(?![\w\-])", re.I)
# What an investor does to a company.
INVEST_VERB = gated(
    r"(?<![\w\-])(?:co-?leads?|co-?led|leads?|led|invests|invested|invest|backs?|backed|joins?|joined"
    r"|participates in|bets|bet|pours?|poured|puts?|pumps?|pumped"
    r"|injects?|injected|infuses?|infused|ploughs?|plows?|sinks?|bankrolls?|funds|funded|supports|commits|makes?|made"
    r"|announces?|announced|completes?|completed|closes|closed"
    r"|picks up|takes?)(?![\w\-])",
    re.I,
)
# A round named as such.
ROUND_NAME = gated(
    r"(?<![\w\-])(?:(?:pre|post)?[\s\-–]?seed(?!-?\s?(?:phrase|oil|stage fund|fund\b))(?=[\s\-,.:;]|$)"
    r"|(?:pre[\s\-–]?)?series[\s\-–]?[A-H][1-9+]?(?!\w)"
    r"|(?:funding|financing|investment|fundraising|equity|growth|angel|bridge|strategic|venture|capital"
    r"|seed|big|new|latest|million|mn|[mM]|cr)[\s\-]round"
    r"|round (?:of (?:funding|financing|investment)|(?:co-)?led by|from)|venture (?:funding|financing"
    r"|capital funding)|growth (?:capital|equity|funding)"
    r"|(?:seed|strategic|early|angel|equity|venture|fresh|new|growth|further|additional|significant|major|minority|its first)"
    r"[\s\-](?:\w+\s)?(?:funding|investments?|financing|backing|capital))(?!\w)",
    re.I,
)
MONEY_NOUN = gated(
    r"(?<![\w\-])(?:funding|financing|investments?|fundrais(?:e|ing|er)|round|capital|raise|backing|equity"
    r"|venture|cash|funds)(?![\w\-])",
    re.I,
)

# --- the lead and the sentences -----------------------------------------------------------------------------------------
EVENT = gated(
    r"(?<![\w\-])(?:rais(?:e|es|ed|ing)|secur(?:e|es|ed|ing)|clos(?:e|es|ed|ing)|land(?:s|ed|ing)|bag(?:s"
    r"|ged)|nab(?:s|bed)|netted|nets|pick(?:s|ed|ing) up|scor(?:es|ed)|pull(?:s|ed) in"
    r"|snag(?:s|ged)|haul(?:s|ed) in|bank(?:s|ed)|receiv(?:es|ed|ing)|attract(?:s|ed|ing)|gain(?:s|ed)"
    r"|collected|garner(?:s|ed)|raked in|reeled in|roped in|took in|complet(?:e|es|ed|ing|ion)"
    r"|conclu(?:des|ded|ding|sion)"
    r"|announc(?:e|es|ed|ing|ement)|obtain(?:s|ed)|locked (?:in|down)|scooped|fetched|pocketed|amassed"
    r"|procur(?:es|ed)|put(?:s)? in|inject(?:s|ed)|drew|took on|taken on|br(?:ings|ought) in|lured|clinch(?:es|ed)|mopp(?:ed"
    r"|ing) up|topp(?:ed|ing) up"
    r"|(?:took|takes?|taking) part|committed"
    r"|subscribed|report(?:s|ed)|provided|added|invested|joined|participated|part(?:ed)? with|handed|poured|ploughed|wrapp?(?:ed"
    r"|ing) up"
    r"|gets|got|grabbed|grabs|won|wins|finali[sz]ed|disclosed|reveal(?:s|ed|ing)|unveil(?:ed|s)"
    r"|confirm(?:s|ed)|ha(?:s|ve)(?= (?:[$€£₹¥]|US\$|Rs )\s?\d[^.]{0,24}\b(?:in|of) (?:fresh|new|seed|venture|funding)\b)"
    r"|(?:co-)?led|invest(?:s|ed|ing)|back(?:s|ed)|emerg(?:es|ed|ing)|success(?:ful|fully)|closure"
    r"|close of|exits stealth|procured|celebrat\w+"
    r"|with(?=\s(?:[\w\-’']+\s){0,2}?(?:(?:US|A|C|S|HK|NZ)?[$€£₹¥]|Rs\b|[A-Z]{3}\s?\d|\d|seed\b|series\b|fund(?:ing|s)\b|backing\b|capital\b"
    r"|investments? (?:from|by|of|led)|support\b|participation\b)))(?!\w)",
    re.I,
)
ROUND_IN_SENTENCE = gated(
    r"(?<![\w\-])(?:(?:pre[\s\-–]?)?seed(?=[\s,.\-–](?!phrase|oil|stage|investor|fund\b))"
    r"|(?:pre[\s\-–]?)?series[\s\-–]?[A-H][1-9+]?(?!\w)(?! (?:preferred|investors?))|(?:funding|financing"
    r"|investment|fundraising|fundraise|capital|equity|growth|strategic|angel|bridge|private|venture"
    r"|latest|new)[\s\-]rounds?"
    r"|round of (?:\w+ )?(?:funding|financing|investment)|(?:new|fresh|additional|venture|growth|equity"
    r"|strategic|total|initial|first|minority|institutional|outside"
    r"|external)[\s\-](?:\w+[\s\-])?(?:funding|financing|investments?|capital|equity|backing)"
    r"|in (?:\w+ )?(?:funding|financing|venture capital|capital|investment)|million (?:\w+ )?(?:round"
    r"|raise|investment|funding|financing)|(?:the|its|this|a|strategic|significant|substantial"
    r"|major) (?:\w+ )?investments? (?:round|from|by|of|led)|capital raise|fundraise|fundraising"
    r"|(?:seed|growth|venture|institutional|fresh|new|angel) (?:money|cash|capital)"
    r"|(?:third[\s\-]party )?allot?ment of (?:new )?(?:shares|equity)"
    r"|(?:minority|equity|strategic|growth|seed|angel|venture) (?:\w+ )?(?:stake|investments?) (?:in|from|by)|the backing of"
    r"|the raise|(?:the|this) (?:\w+ )?round|new share issue)(?!\w)",
    re.I,
)
_MONTHS = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|spring"
    r"|summer|fall|autumn|winter|q[1-4])"
)
PAST = gated(
    r"\b(?:(?<!not )(?<!not been )previously|previous(?!ly)(?! (?:investors?|backers?|shareholders?)\b)|earlier (?:this|in"
    r"|round)|prior (?:to|round"
    r"|funding)|had (?:already "
    r"|previously )?(?:raised|secured|closed)"
    rf"|(?:rais\w+|round|funding|secured|closed|seed|series [a-h]\S?|invest\w+"
    rf"|financing)\b.{{0,90}}\b(?:(?:in|since|during|of|back in) (?:(?:early|late"
    rf"|mid)[\s\-])?(?:{_MONTHS}(?: of)?,? )?20\d\d"
    rf"|last (?:year|month|week|{_MONTHS})|(?:months?|years?|weeks?) ago|earlier this (?:year|month|week))"
    rf"|(?:in (?:(?:early|late|mid)[\s\-])?(?:{_MONTHS}(?: of)?,? )?20\d\d|last (?:year|{_MONTHS})"
    rf"|(?:months?|years?|weeks?) ago)\b.{{0,60}}\b(?:rais\w+|secured|closed|round|funding)"
    r"|(?:company['’]s|its|their|the)\s20\d\d\s|has (?:already |so far )raised"
    r"|ha(?:s|ve) raised [^.]{0,12}[$€£]\S+(?: \w+)? to date"
    r"|has now raised(?!.{0,60}\b(?:series [a-h]|seed"
    r"|round)\b)|so far raised|last raised"
    r"|after raising|having raised|on the heels|which (?:has )?raised|who (?:has )?raised|ever raised"
    r"|fresh off|since raising|follow(?:s|ing) (?:a|its|the) (?:recent|\$|series|seed|successful))",
    re.I,
)
RECENT = gated(r"\brecent(?:ly)?\b|\bnewly\b|\blate last\b", re.I)
# "has raised a $10m seed round": the whole claim in one breath.
SAYS_RAISED = gated(
    r"\b(?:rais(?:ed|es|ing)|secur(?:ed|es|ing)|clos(?:ed|es|ing|ure)|land(?:ed|s)|completed|completion"
    r"|announc(?:ed|es|ing)|nabbed|bagged|picked up|pulled in|netted|received|poured|attracted"
    r"|concluded|committed|(?:took part|participated|joined|invested) in|(?:launch|emerg|debut)(?:ed|es|s)? [^.]{0,40}?\bwith"
    r"|out of stealth [^.]{0,40}?\bwith)\b"
    r".{0,90}?\b(?:(?:pre[\s\-–]?)?seed\b(?![\s-](?:stage|investor))|(?:pre[\s\-–]?)?series[\s\-–]?[a-h]\b"
    r"|(?:funding|financing|investment|fundraising|strategic|equity|growth) round|in (?:new |fresh |total "
    r"|additional )?(?:funding|financing|capital|equity)|(?:seed|equity|venture|growth"
    r"|strategic) (?:funding|financing|investment|capital)|round of (?:funding|financing))",
    re.I,
)
NOW = gated(
    r"\b(?:today|this (?:morning|week|month|monday|tuesday|wednesday|thursday|friday)|(?:on"
    r"|last) (?:monday|tuesday|wednesday|thursday|friday)|has (?:just )?(?:raised|secured|closed|landed"
    r"|announced|completed|received|bagged|picked up|nabbed|scored|netted)|have (?:raised|secured|closed)"
    r"|just (?:raised|closed|secured|landed|announced|emerged)|is announcing|announc(?:es|ed|ing)|(?:is"
    r"|are) (?:proud|pleased|excited|thrilled|delighted|happy) to announce|emerg(?:es|ed|ing) from stealth"
    r"|out of stealth|exits stealth|comes? out of stealth|now has|newly|latest (?:round|funding|investment"
    r"|raise|financing)|fresh|the (?:new )?(?:round|funding|investment|financing) (?:was|is|comes|includes"
    r"|brings|will)|the round|exclusively)\b",
    re.I,
)
PLANNED = gated(
    r"\b(?:plans? to raise|seek(?:s|ing)? to raise|aims? to raise|(?:is|are) raising|looking to raise"
    r"|intends? to raise|will raise|hopes? to raise|in talks|targeting a|is seeking|to be raised"
    r"|currently raising|expected to (?:close|raise)|would raise|preparing to raise|reportedly)\b",
    re.I,
)
USE_OF_FUNDS = gated(
    r"\b(?:the|this|these|its|new|fresh|latest|with the|with this"
    r"|with these)\s(?:\w+[\s\-]){0,3}(?:funding|investment|capital(?: infusion| injection)?|financing"
    r"|funds|raise|money|proceeds|round|fundraise|backing)\s(?:\w+\s){0,2}?(?:will|would|is (?:being "
    r"|to be )?(?:used|intended|going)|are (?:being )?used|to (?:be used|fuel|support)|aims?|enables?"
    r"|allows?|helps?|to (?:accelerate|expand|scale|grow|hire))\b"
    r"|\b(?:use|using|utili[sz]e|deploy|channel)\s(?:of\s)?(?:the|this|these"
    r"|its)\s(?:\w+\s){0,2}(?:funding|funds|capital|investment|proceeds|money|fundraise)\b"
    r"|\bplans? to use the\b|\b(?:funds|capital|proceeds) (?:will|to) be (?:used|utili[sz]ed|deployed)",
    re.I,
)
LED_BY = gated(
    r"\b(?:(?:co-?)?led by|(?:co-)?led the (?:\w+[\s\-])*(?:round|funding|financing|investment)"
    r"|leads? (?:the |a )?(?:\S+ )?(?:round|investor)|spearheaded by|headed by|anchored by"
    r"|led the round)\b",
    re.I,
)
PARTICIPATION = gated(
    r"\b(?:participat(?:ion|ed|ing)|also (?:joined|invested|backed)|joined (?:by|the round|in the)"
    r"|(?:existing|new|returning|other|previous) (?:investors?|backers)|saw participation|co-?investors?"
    r"|investors? (?:include|including|such as)|backers include|angel investors?)\b",
    re.I,
)
INVESTOR_TITLE = gated(
    r"\b(?:(?:general|managing|founding|operating|venture|investment) (?:partner|director)|partner"
    r"|principal) (?:at|of)\b|\bventures?\b|\bvc firm",
    re.I,
)
PUBLIC_COMPANY = gated(
    r"\((?:\"?the \"?company\"?\)? ?\()?(?:NASDAQ|Nasdaq|NYSE|TSX|TSXV|TSX-V|CSE|OTC|OTCQB|OTCQX|OTCID"
    r"|OTC Pink|AMEX|LSE|AIM|ASX|NEO|BSE|NSE|HKEX|SGX|Euronext|NYSE American|NASDAQ[^:)]{0,15}"
    r"|OTC[^:)]{0,15})\s?:\s?[^)]{1,40}\)"
)
OFFERING_TERMS = gated(
    r"\bgross proceeds|\bcommon (?:stock|shares?)\b|\bwarrants?\b|\bplacement agent|\bregistered direct"
    r"|\bunderwriters?\b|\bunderwritten (?:public|offering)|\bunderwriting (?:agreement|discounts|commissions|syndicate)"
    r"|\bbook-running|\bprospectus\b|\bper (?:share|unit)\b|\bform (?:8-k|s-1"
    r"|f-1)\b|\bregulation d\b",
    re.I,
)
# The same, apart: patterns whose beginnings differ are tried at every letter. Existing shareholders back rounds.
OFFERING_HOLDERS = gated(
    r"(?<!existing )(?<!current )(?<!historical )(?<!founding )(?<!other )\bshareholders\b|(?-i:\bPIPEs?\b)", re.I
)
FUND_TERMS = gated(
    r"\blimited partners?\b|\b(?:the|this|new|inaugural|second|third|fourth|fifth|sixth|first|debut|maiden|flagship"
    r"|its|latest) (?:fund|vehicle)\b"
    r"|\bportfolio compan(?:y|ies)\b|\bfund (?:I{1,3}|IV|V|will|has|size|focuses"
    r"|targets)\b"
    r"|\bassets under management|\bthe firm\b|\bcheck sizes?\b|\bfund['’]s\b|\bLPs\b|\bfund manager",
    re.I,
)
TOKEN_TERMS = gated(
    r"\bpre-?sale\b|\btoken (?:sale|holders?|price)\b|\bairdrop|\b(?:ido|ico|ieo)\b|\btokenomics\b"
    r"|\bmeme ?coin|\bbuy .{0,20}tokens?\b",
    re.I,
)
DEBT_TERMS = gated(
    r"\bdebt (?:financing|facility|funding|capital)|\bcredit (?:facility|line|agreement)|\bterm loan"
    r"|\bsenior (?:secured|notes)|\bloan\b|\bborrow\w*|\bventure debt|\bnotes due|\bline of credit|\bprivate credit\b"
    r"|\b(?:financing|bridge|loan|lending|warehouse) facility|\bwithout dilut"
    r"|\blender",
    re.I,
)
# The text speaks of the money as of a loan: "the bridge financing facility provides …".
DEBT_DEAL = gated(
    r"\b(?:the|this)\s(?:[\w\-]+\s){0,4}?(?:facility|loan|credit line|line of credit|debt financing"
    r"|credit agreement)\s(?:provides?|will|gives?"
    r"|enables?|allows?|is|was|comes|has|carries|matures?|fortifies|bears|replaces|refinances|bolsters|strengthens)\b",
    re.I,
)
ACQUISITION_TERMS = gated(
    r"\b(?:has |have )?acquir(?:es|ed|ing)\b|\bacquisition of\b|\bdefinitive agreement|\bmerger\b"
    r"|\bpurchase price\b|\bwholly[- ]owned",
    re.I,
)
GRANT_TERMS = gated(
    r"\bgrants?\b|\bnon-dilutive|\bdepartment of (?:energy|defense|health)"
    r"|\bnational (?:institutes?|science foundation|cancer)\b|\b(?:two|three|four|five|multi)-year (?:project|study|grant)"
    r"|\bawarded\b|\bscholarship|\bprize\b",
    re.I,
)
CHARITY_TERMS = gated(
    r"\bdonat(?:e|ed|ion|ions)\b|\bnon-?profit\b|\bcharit(?:y|able|ies)\b|\b501\(c\)|\bfundraiser\b|\bvolunteers?\b", re.I
)
COMPANY_WORDS = gated(
    r"\b(?:startup|start-up|company|platform|firm|app|marketplace|founders?|co-founders?|ceo|maker|developer)\b", re.I
)
# A round now, by what follows from it: "bringing its total funding to $25M", "Jane Doe will join the board".
BRINGS_TOTAL = gated(
    r"\b(?:bring(?:s|ing)?|takes|taking)\b[^.;]{0,60}\btotal\b[^.;]{0,40}\bto\b[^.;]{0,30}?(?:[$€£₹¥]|Rs|\d)",
    re.I,
)
JOINS_BOARD = gated(
    r"\b(?:(?:will|to) (?:also |now )?join|joins|has joined|have joined|(?:was|were|has been"
    r"|have been) appointed to)\b[^.;]{0,60}\bboard\b",
    re.I,
)
# Whom the news is about invests for a living: what it raises is a fund.
INVESTMENT_FIRM = gated(
    r"\b(?:venture capital|VC|venture|private equity|growth equity|investment|early[\s-]stage|seed[\s-]stage|crypto|asset)"
    r"[\s-](?:[\w-]+\s)?(?:firm|investor|fund|heavyweight|giant|manager|management company)\b",
    re.I,
)
FUND_NAME = gated(
    r"(?:^|\s)(?:\w*Capital|\w*Ventures?|Partners|VC|Investments|Equity|Angels|Fund|Advisors|Asset Management"
    r"|Accelerator)(?:\s(?:[IVX]{1,4}|\d))?$"
)
