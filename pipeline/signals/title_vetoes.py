"""What else the money of a headline may be: an IPO, a fund, a loan, a grant, a presale. Compiled patterns by name.

What belongs here: patterns searched in titles only, whose names are also the reasons for which a text is set aside. What does
not: how rounds are told (cues.py), what a veto weighs (data/detection_weights.csv).
"""

from __future__ import annotations

import re

from pipeline.signals.gated import Gated, gated

# What is said of a later event is no veto: "… ahead of a planned IPO".
ASIDE = gated(
    r"(?<=[,;] )(?:eyes|eyeing|plans|targets|to|aims|seeks|looks|considers|mulls) [^,;]{3,60}$|\b(?:ahead of|before|prior to"
    r"|towards?|eyes|eyeing)\s(?:\S+\s){0,4}?(?:ipo|listing|public offering|acquisition|merger|takeover|sale)\b"
    r"|\b(?:after|despite|amid|while)\s(?:\w+\s){0,2}?(?:reportedly|reports?|rumou?rs?)\b[^,;]*",
    re.I,
)

TITLE_VETOES: dict[str, Gated] = {
    "roundup": gated(
        r"round-?up\b|\bweekly\b|these (?:\w+ )?startups|\bstartups? (?:to watch|that raised)"
        r"|deals? of the (?:week|day)|top \d+\b|\b\d+ (?:\w+ )?startups\b"
        r"|\blist of\b|(?:\braise|\bclose|\bsign|\bbag|\bsecure) (?:early|late|seed"
        r"|growth)[\s\-]|, (?:and )?others raise\b|\braise early"
        r"|biggest (?:rounds|deals)|daily digest|morning (?:brief|report)|week in review|\bthis week['’]s\b|\bweek['’]s (?:top"
        r"|biggest)"
        r"|\b(?:startups|start-ups|companies|firms|founders|unicorns)\b (?:have |has |that |just |together "
        r"|collectively )?(?:rais|secur|bag|attract"
        r"|clos|land|pull|receiv|net|mop|garner)\w*|\bfunding (?:news|tracker|report|wrap|recap|digest|highlights)\b",
        re.I,
    ),
    "qa_interview": gated(
        r"\bq\s?&(?:amp;)?\s?a\b|\b(?:discusses|explains|talks (?:about|with)|speaks (?:about|to"
        r"|with))\b|\binterview with|\bin conversation with|: 5 questions",
        re.I,
    ),
    "ipo": gated(
        r"\bipo\b(?! plans)|\banchor (?:investors?|book)\b|\binitial public offering|\bgoes public|\bgoing public|\bdrhp\b"
        r"|\bstock exchange\b"
        r"|\blisting on\b|\bspac\b|\bfiles? (?:for|to|draft)\b",
        re.I,
    ),
    "rumour": gated(
        r"\breportedly\b|\bin talks\b|\bsources?:|\brumou?r|\bsaid to be\b|\bmight\b|\bcould (?:raise|gain"
        r"|get)|\bmay raise|\bnears?\b|\bconsidering\b|\beyes\b|\bmulls?\b"
        r"|\bthinking about\b|\bclose to (?:raising|closing)|\bin advanced? (?:talks|discussions)",
        re.I,
    ),
    "planned_raise": gated(
        r"\b(?:to|will|plans?|seeks?|seeking|aims?|looking|intends?|wants?|hopes?) (?:to )?(?:raise|secure"
        r"|close|seek)\b|\bis raising\b|\bseeks?\b|\bkicks? off\b|\bcommences?\b"
        r"|\bopens? (?:its |a |up )?(?:\w+ )?(?:round|funding|crowdfunding)|\blaunch(?:es"
        r"|ed)? (?:\w+[\s\-]){0,4}(?:funding|crowdfunding|investment|fundraising) (?:round|campaign)"
        r"|\breg(?:ulation)?\.? ?(?:cf|a\+?)\b|\bretains\b|\bstart(?:s|ed) (?:\w+ )?(?:fundraising|raising)"
        r"|\bapplies for\b|\bproposed\b|\bproposes\b|\bletter of intent\b|\bterm sheet\b"
        r"|\binvite[sd]? investors|\binvestment opportunity|\btargets \$?\d|\b(?:is|are) (?:set|poised|ready|about|likely"
        r"|expected|going) to"
        r" (?:raise|secure|close|get|receive)|\bpreparing to raise|\bupcoming (?:\w+ ){0,3}(?:round|raise)|\bwefunder\b"
        r"|\bstartengine\b",
        re.I,
    ),
    "fund_close": gated(
        r"(?<!from )\b(?:for|in|with|of|into|launch\w*|clos\w+|rais\w+|secur\w+|announc\w+|debuts?|gets?|unveil\w*|as"
        r"|bags) (?:\S+ ){0,7}?(?:fund|(?<!rais.. )(?<!raise )(?<!raised )(?<!secures )(?<!gets )(?<!bags )"
        r"(?<!receives )(?<!crore )(?<!cr )(?<!lakh )"
        r"(?<!million )(?<!mn )funds|fof"
        r"|investment vehicle|vehicle)(?=\s*(?:$|[,;:.!?]|I{1,3}\b|IV\b"
        r"|VI{0,3}\b|\d|to\b|for\b|in\b|just\b|aimed\b|focused\b|with\b|backed\b|and\b|at\b|dedicated\b"
        r"|targeting\b|is\b|that\b|secures\b|raises\b))"
        r"|\bfund (?:I{1,3}|IV|VI{0,3}|\d)\b|\b(?:first|second|third|fourth|fifth|final|interim) close\b(?!.*\b(?:seed|series"
        r"|round|pre-?seed)\b)"
        r"|\b(?:new|another|big) fund\b|-focused fund\b"
        r"|\bfund (?:raises|closes|secures|bags|receives)\b"
        r"|\b(?:first|second|third|fourth|fifth|sixth|debut|inaugural|maiden|latest|flagship|new|growth|venture|climate|impact"
        r"|opportunity) fund\b"
        # "raises $900M for Oak Growth IV", "for OGP 5": a vehicle has a number
        r"|\bfor (?-i:(?:[A-Z][\w&.]*\s){1,4}(?:[IVX]{1,4}|\d{1,2}))(?=\s*(?:$|[,;.]))",
        re.I,
    ),
    "public_offering": gated(
        r"\((?:NASDAQ|NYSE|TSX|TSXV|CSE|OTC|OTCQB|OTCQX|OTCID|AMEX|LSE|AIM|ASX|NEO|FSE|NYSE American|Nasdaq"
        r"|NASDAQ CM|CBOE)[^)]{0,30}:[^)]*\)|\b(?:registered )?direct offering|\bregistered direct"
        r"|\bprivate placements?\b|\bpublic offering"
        r"|\bat-the-market\b|\bbought deal|\bPIPE\b|\bcommon (?:stock|shares?)|\bshare (?:sale|placement)"
        r"|\bunderwritten|\boffering\b|\brights issue|\bstock sales?|\bQIP\b|\bflow-through"
        r"|\bstock purchase|\btreasury\b|\bprices? (?:\S+ ){0,4}(?:public|ipo|notes)|\bsecondary (?:sale|offering)"
        r"|\bconvertible senior|\b(?:asx|nyse|nasdaq|lse|aim|tsx|tsxv|bse|nse|sgx|hkex|jse)[\s\-](?:listed|quoted)\b"
        r"|\bpublicly[\s\-](?:traded|listed|held)\b",
        re.I,
    ),
    "debt": gated(
        r"\bloans?\b(?!\s(?:startup|platform|company|app))|\bcredit (?:facility|facilities|line|agreement)"
        r"|\bdebt\b|\bsenior secured\b|\b(?:senior|secured|convertible|promissory|unsecured|million|billion"
        r"|[mb]n?) (?:\w+ )?notes\b|\bnotes (?:due|offering)\b|\brefinanc\w+|\bmortgages?\b(?=\s*$|\s(?:for|on)\b)"
        r"|\bline of credit|\bfacility\b|\bbonds?\b"
        r"|\bwarehouse (?:line|facility)|\bterm loan|\bsecuriti[sz]ation|\bconstruction financing"
        r"|\blending capacity|\bbridge loan",
        re.I,
    ),
    "grant": gated(
        r"^.{0,40}\b(?:consortium|coalition)\b"
        r"|\bgrants?\b(?! thornton)(?!-free)|\bstate aid\b|\bschool district\b|\buniversity\b(?=.*\b(?:secures|receives|lands"
        r"|wins))|\bnonprofit\b|\bfrom (?:the )?(?:(?:u\.?s\.?|uk|federal|state|european|national|ministry"
        r"|department|dept|government"
        r"|nih|nsf|nasa|darpa|barda|arpa-\w|doe|dod|eu|horizon|innovate|army|navy|air force|european commission|\w+ foundation"
        r"|city of|state of"
        r"|province of)\b)(?! (?:vcs?|investors?|ventures?|fund\b))|\b(?:president|governor|gov\.|mayor|minister|ministry"
        r"|senator|city council|county"
        r"|congress|biden|trump|white house|department|feds|eu commission|premier|lawmakers)\b.{0,40}\b(?:announc|approv|pledg"
        r"|award|allocat|propos"
        r"|invest|secur)\w*|\bawards?\b|\bawarded\b|\bscholarships?\b|\bprizes?\b|\bsbir\b|\bsttr\b"
        r"|\bfellowships?\b|\bnon-dilutive\b|\bcontest\b|\bpitch (?:competition|contest|battle)|\bwins? .{0,20} at\b"
        r"|\bgovernment (?:announces|funding)",
        re.I,
    ),
    "token_presale": gated(
        # "sales & presales teams" are people who sell.
        r"\bpre-?sales?\b(?!\s(?:teams?|staff|people|engineers?|software|work|reps?|and sales)\b)(?<!sales and presales)"
        r"(?<!sales & presales)|\btoken sale|\bico\b|\bido\b(?! (?:roll|plan|launch))|\bmeme ?coin\b(?=.*\bpresale"
        r"|.*stage)|\bpublic sale\b|\bwhitelist|\bnode sale",
        re.I,
    ),
    "airdrop": gated(r"\bairdrops?\b", re.I),
    "charity": gated(
        r"\bdonat\w+|\bcharit\w+|\bnon-?profits?\b|\bfundraisers?\b|\bfood bank|\bclubs? of\b"
        r"|\bhumanitarian|\bphilanthrop\w+|\bendowment|\bfor (?:cancer|kids|children|veterans)\b"
        r"|\bfoundation\b|\bcapital campaign|\bat (?:its |the )?annual\b"
        r"|\b(?:hospice|church|parish|museum|orchestra|zoo|shelter|school|college)s? (?:raises?|raised|collects?)\b"
        r"|\bcampaign raises|\bgala\b|\bgolf\b|\bwalk for|\b(?:runners|alumni|students"
        r"|residents|volunteers"
        r"|pupils|fans"
        r"|police|firefighters|parishioners|church|neighbou?rs|teens?|scouts|employees|rotary|kiwanis"
        r"|lions club) (?:\w+ )?(?:raise|collect|gather)"
        r"|\b(?:raise|raises|raised) .{0,30}\bfor (?:\w+ ){0,3}(?:shelters?|families|victims|relief|hunger|homeless\w*|charity"
        r"|scholarships?"
        r"|hospice|hospital|library|museum|stadium|playground|park|school|food bank|research|refugees|orphan\w*|survivors"
        r"|wildfire|flood|earthquake"
        r"|animals|memorial)\b",
        re.I,
    ),
    "acquisition": gated(
        r"\bacqui(?:res?|red|ring|sitions?)\b(?! (?:of|target) (?:customers|talent))(?! (?:series|seed|funding|financing)\b)"
        r"|\bmerges?\b|\bmerger\b"
        r"|\bto buy\b|\bbuys\b|\btakeover\b|\bbuy-?outs?\b|\bbusiness combination|\b\d+(?:\.\d+)? ?(?:%"
        r"|percent|pc|per cent) (?:stake )?(?:of|in)?\b|\bstake (?:in|for)\b"
        r"|\b(?:closes|completes|announces) (?:\S+ )?sale\b|\bsells\b|\bsale of\b|\bexplor(?:es|ing) (?:\S+ )?sale\b"
        r"|\bdivest\w*|\bbids? for\b|\bbid for\b",
        re.I,
    ),
    "earnings": gated(
        r"\brais\w+ (?:\w+ ){0,3}(?:prices?|rates?|fees?|concerns?|alarms?|awareness|questions?|eyebrows|outlook|guidance"
        r"|stakes?|the bar"
        r"|salaries|wages|limits?|targets?|dividend)\b|\brevenues?\b|\bearnings\b|\bquarter(?:ly)?\b|\b[qh][1-4] |\bnet loss"
        r"|\bprofits?\b|\bforecast"
        r"|\bguidance\b|\bebitda\b|\bfiscal\b|\bprice target|\bdividend|\bshare ?buy-?back|\bfy\d\d"
        r"|\bloss widens",
        re.I,
    ),
    "legal": gated(
        r"\bverdict\b|\bsettle(?:s|d|ments?)\b|\blawsuit|\bsues?\b|\bjury\b|\bfined?\b|\bpatent\b|\bcourt\b"
        r"|\binvestigation\b|\binjury\b|\blaw firm\b",
        re.I,
    ),
    "contract": gated(
        r"\bcontracts?\b|\bpurchase order|\border (?:from|for|worth)"
        r"|\bdeal with\b|\b(?:bags|wins|secures|lands|gets|receives) (?:\S+ ){0,4}(?:order|tender|project)s?\b"
        r"|\blicen[cs]ing fees?|\bapproval\b|\bclearance\b|\bcertification\b|\btrademark\b",
        re.I,
    ),
    "capex": gated(
        r"\binvest(?:s|ing|ed)? (?:[^ ]+ ){0,4}?(?:to (?:expand|build|grow|upgrade|support|continue)"
        r"|for (?:platform|upgrade|expansion)|in (?:its|their|new"
        r"|infrastructure))|\bbreaks ground|\bpledges\b"
        r"|\ballocates\b",
        re.I,
    ),
    "real_estate": gated(
        r"\bmultifamily\b|\bapartments?\b(?=.*(?:clos|sale|acqui|sell))"
        r"|\bsquare[- ]f(?:oo|ee)t|\bacres?\b|\breal estate (?:fund|loan)|\bproperty (?:sale\b"
        r"|acquisition)|\bhome sales?\b",
        re.I,
    ),
    "market_stat": gated(
        r"\b(?:vc|venture|startup|venture capital) (?:funding|investments?|market|deals?)\b.*(?:slow|surg|ris"
        r"|fall|drop|hit|rebound|declin|grow|in (?:q[1-4]|20\d\d))|\bmarket (?:size|report|to reach)\b"
        r"|\bcagr\b|(?<!seed )(?<!new )(?<!fresh )(?<!venture )\bfunding (?:into|surges|falls|drops|slows|winter)"
        r"|\binvestments into\b|\bsurveys?\b|\breport:|: report\b",
        re.I,
    ),
    "commentary": gated(
        r"^(?:how|why|what|who|when|where|should|is|are|can|here['’]s|the \d+)\b|\bquotes? (?:of|on)\b"
        r"|\boutlook\b|\btips\b|\bguide to\b|\blessons\b|\?\s*$|\bexplained$|\bhow (?:it|they) works?\b|\bmistakes\b"
        r"|\bhow to (?:fix|write|raise|avoid|pitch)\b"
        r"|\b(?:complete|ultimate|beginner['’]?s|founder['’]?s) guide\b|\beverything you need\b|\bdefinition\b|\btemplates?\b"
        r"|\bchecklist\b",
        re.I,
    ),
    "promotion": gated(
        r"\bsave up to\b|\bgiveaway|\bdiscount|\bcoupon|\bcompetition\b|\bsweepstakes"
        r"|\bclass action|\bholders\b|\btotal value\b|\btvl\b"
        r"|\b(?:kickstarter|indiegogo|gofundme|crowdfunding) (?:campaign|project)|\bon (?:kickstarter|indiegogo|gofundme)\b",
        re.I,
    ),
    "appointment": gated(
        r"\b(?:appoints?|names|hires|welcomes) .{0,60}\b(?:as|to)\b.{0,30}\b(?:chief|ceo|cfo|cto|coo|cmo|cro"
        r"|president|officer|director|vp|vice|head|board|chair\w*|partner)\b",
        re.I,
    ),
    "partnership": gated(r"\bpartners with\b|\bpartnership\b|\bcollaborat\w+\b|\bteams up\b|\bintegrat(?:es|ion)\b", re.I),
}
