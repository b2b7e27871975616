"""The phrases by which headlines and leads name the company, as compiled patterns. How they are used: company.py."""

from __future__ import annotations

import re

from pipeline.signals.gated import gated

LEADING = gated(
    r"^(?:the\s(?=[a-z])|exclusive:?\s|update:?\s|how\s|meet\s|why\s|now\s|(?:early|late|seed|growth"
    r"|clinical|pre-clinical)[\s-]stage\s|stealth[y]?\s(?:startup\s)?|emerging\s|leading\s|new\s(?=[a-z])"
    r"|top\s|fast[\s-]growing\s|unicorn\s"
    r"|[\w.&’' -]{2,40}?[\s-](?i:backed|based|focused|founded|owned|funded|led|powered|driven|native"
    r"|enabled|headquartered|incubated|born|bred)\s"
    r"|(?:[A-Z][\w.]+\s){1,2}(?:alum|alumni|alumnus)['’]?s?\s|[\w ]{2,30}?alumni?['’]s\s"
    r"|(?:[A-Z][\w.&]+\s){1,3}(?:spin-?out|spin-?off|graduate|alum|alumnus|alumni)\s"
    r"|(?:former|ex-)\s?[\w -]{2,40}?['’]s?\s"
    r"|(?:American|British|French|German|Spanish|Italian|Dutch|Swiss|Swedish|Danish|Norwegian|Finnish"
    r"|Polish|Czech|Austrian|Belgian|Irish|Portuguese|Greek|Turkish|Israeli|Indian|Chinese|Japanese|Korean"
    r"|South Korean|Singaporean|Indonesian|Vietnamese|Thai|Malaysian|Filipino|Pakistani|Bangladeshi"
    r"|Australian|Canadian|Mexican|Brazilian|Colombian|Chilean|Argentine|Argentinian|Nigerian|Kenyan"
    r"|Egyptian|South African|Ghanaian|Russian|Ukrainian|Estonian|Latvian|Lithuanian|Romanian|Bulgarian"
    r"|Hungarian|Croatian|Serbian|Emirati|Saudi|European|African|Asian|Nordic|Scandinavian|LatAm"
    r"|Latin American|US|U\.S\.|UK|U\.K\.|UAE|Dubai|London|Berlin|Paris)\s(?:and\s)?"
    r"|(?:India|China|Japan|Korea|South Korea|Singapore|Indonesia|Vietnam|Malaysia|Thailand|Australia"
    r"|Canada|Mexico|Brazil|Nigeria|Kenya|Egypt|Israel|Turkey|Germany|France|Spain|Italy|Sweden|Denmark"
    r"|Norway|Finland|Poland|Estonia|Switzerland|Austria|Belgium|Ireland|Portugal|Pakistan|Russia|Ukraine"
    r"|Europe|Africa|Berlin|London|Paris|Stockholm|UK|US|Hong Kong|New York)['’]s\s)"
)
OWNER = gated(r"(?P<place>[A-Z][\w.]+(?:\s[A-Z][\w.]+){0,2})['’]s?\s(?=\S)")
TRAILING = gated(
    r"(?:\s(?:has|have|today|just|successfully|officially|recently|quietly|now|finally|also|quickly"
    r"|reportedly|and|co-founders?|founder|ceo|completes|completed|becomes a unicorn"
    r"|emerges from stealth(?: and| with)?|exits stealth(?: and| with)?|announced?|the)|\s\([^)]*\)|,)$",
    re.I,
)
DESCRIPTION = gated(
    r"^(?:despite|after|with|amid|as|in|following|to|for|from|on|by|once|the|a|an|which|that|whose|who|(?:founded|backed|led"
    r"|started|built"
    r"|created|run) (?:by|in|at)|born|armed|fresh|aiming|looking|hoping|betting|based|inspired|powered|targeting|backing"
    r"|formerly|previously"
    r"|originally|now|not|also|like|where)\b|^(?:despite"
    r"|makers? of|creators? of|parent of|known|formerly|home of)\b"
    r"|\b(?:startup|company|platform|service|app for|provider|competitor|maker of|innovation|software"
    r"|marketplace|technology)\b(?!.*[A-Z]\w*$)|\bstartup\b.*\bbehind\b|-like\b",
    re.I,
)
LEGAL_TAIL = gated(r"(?:inc|llc|ltd|limited|corp|corporation|co|plc|gmbh|ag|s\.?a\.?|b\.?v\.?|pte|pty)\.?(?: ltd\.?)?", re.I)
TRAILING_LEGAL = gated(
    r"[,\s]+(?:inc|llc|l\.l\.c|ltd|limited|corp|corporation|plc|gmbh|ag|pte\.? ltd|pty\.? ltd"
    r"|private limited|pvt\.? ltd|s\.a\.s?|b\.v|oy|ab|aps|sarl|srl|s\.r\.l)\.?$",
    re.I,
)
QUOTES = gated(r"[\"“”«»™®©]")
POSSESSIVE = gated(r"['’]s?$")
CLAUSE = gated(
    r",\s|\s(?:to\s(?=[a-z])|to (?:expand|build|accelerate|help|drive|power|scale|grow|advance|boost"
    r"|support|launch|develop|bring|revolutioni[sz]e|transform|fuel|create|improve|make)\b|as\s"
    r"|for\s(?!\w+$)|after\s|at\s|with\s|amid\s|via\s|in\s(?:\w+\s)?(?:round|series|seed|funding|latest"
    r"|new|rs\.?\s?\d|₹|[a-z]{0,3}\$|€|£)|following\s|through\s|led by\s|that\s|which\s|on\s)",
    re.I,
)
OBJECT_AFTER = gated(
    r"(?:^|\s)(?:for|in|into|of|on|behind)\s(?!(?:series|seed|pre-|funding|a\s|an\s|its|equity|venture|growth|\$|€|£))", re.I
)
OWNERS_ROUND = gated(
    r"\s+(?:in\s)?(?P<name>[A-Z0-9][^$€£]{1,60}?)['’]s?\s(?:(?:new|latest|oversubscribed|upsized)\s)?"
    r"(?:(?:[a-z]{0,3}[$€£₹]|rs\.?)\s?\d\S*\s(?:(?:million|billion|mn|cr|crore|lakh)\s)?)?"
    r"(?:round|funding|financing|investment|raise|(?:pre-?)?seed|series [a-h](?![a-z]))",
    re.I,
)
ADDS_MONEY = ("with ", "on ", "via ", "thanks to ")
VALUED = gated(r".*\bafter\s|.*\bfollowing\s", re.I)
# A word that can only be the verb of a headline's first clause, in lower or title case.
HEADLINE_VERB = gated(
    r"(?:['’]s?)?\s(?:(?:is|are|was|has|have|wants?|aims?|plans?|hopes?|seeks?|sets?|looks?|gets|goes|comes|makes?|takes?"
    r"|brings?|builds?|puts?"
    r"|turns?|hits?|reach(?:es)?|becomes?|doubles?|triples?|quadruples?|valued|expands?|enters?|launch(?:es)?|emerg(?:es)?"
    r"|exits?|debuts?|unveils?"
    r"|introduc\w+|powers?|charges?|gears?|fuels?|scales?|accelerat\w+|grows?|boosts?|strengthens?|kicks?|steps?|moves?|joins?"
    r"|steers?|soars?"
    r"|surg\w+|climbs?|rides?|tackles?|takes|targets|eyes|reinvents?|revs?|ramps?|races?|rolls?|zooms?|sails?|flies|leaps?"
    r"|sprints?|marches|pushes|drives?|speeds?|blasts?|jumps?|bounds?|opens?|heads?|doubl\w+|helps?"
    r"|lets?|uses?"
    r"|announc\w+|celebrat\w+|cements?|crosses|achieves?|attains?|will|can|could|starts?|continues?|keeps?|cooks?|serves?"
    r"|cashes|levels?|beefs?"
    r"|bulks?|dials?|lights?|warms?|heats?|wins?|snags?|bags?|lands?|raises?|secures?|closes?|just|to)\b|[a-z]{3,}s(?=\s(?:up"
    r"|out|ahead|off|down|away|back|forward|over)(?:\s|$))|,)",
    re.I,
)
FOUNDER_LAUNCHES = gated(
    r".{2,60}?\b(?:co-?founders?|founders?|ceo|cto|exec(?:utive)?s?|alum(?:s|ni)?|veterans?|engineers?|researchers?|scientists?"
    r"|professor)['’]?\s"
    r"(?:launch(?:es|ed)?|starts?|started|unveils?|debuts?|founds?|builds?|creates?)\s(?:new\s)?(?P<name>.{2,60}?)\s(?:with|on"
    r"|after raising)\s"
    r"(?:an?\s)?\W{0,3}\d",
    re.I,
)
# "Curve co-founder Jane Doe's Acme", "Jane Doe's fund-backed Acme"
PERSON_OWNER = gated(
    r"(?P<role>.{0,60}?\b(?i:co-?founders?|founders?|entrepreneurs?|ceo|alum|veteran|actor|actress|cricketer|footballer|singer"
    r"|rapper"
    r"|billionaire|investor|scientist|professor)\s)?"
    r"(?P<person>[A-ZÀ-Þ][\w.\-]+(?:\s[A-ZÀ-Þ][\w.\-]*){1,2})['’]s?\s(?=\S)"
)
# A fund that puts more into what it holds. The same words tell of a company and its market: the body decides.
DOUBLES_DOWN = gated(
    r"(?P<subject>.{2,60}?)\s(?i:doubles? down on)\s(?P<object>.{2,60}?)\s(?i:with|in|via)\s"
    r"(?i:an?\s|another\s|fresh\s|new\s)*\S{0,3}\d"
)
POSSESSIVE_TAIL = gated(r"(?P<name>[A-Z0-9][\w.&\- ]{0,50}?)['’]s?\s[A-Za-z]")
SECOND_CLAUSE = gated(r"(?:,|\bas|\bas it|\bwhile it|\bafter it|\band)\s$", re.I)
PERSON_SUBJECT = gated(
    r"\b(?:founders?|co-founders?|ceo|cto|veterans?|alums?|alumni|exec(?:utive)?s?|entrepreneurs?|engineers|researchers"
    r"|scientists|employees"
    r"|students|graduates|grads|professors?|duo|trio|brothers|sisters|siblings|twins|dropouts?|billionaire|hackers?|dads?|moms?)\b",
    re.I,
)
PERSONS_COMPANY = gated(
    r"\bfor\s(?:(?:(?P<owner>his|her)|their|its|the)\s)?(?:new\s|latest\s|next\s)?(?:[\w\-]+\s){0,4}?(?:(?:startup"
    r"|company|venture|app|platform|business)\s(?:called\s)?)?(?P<name>[A-Z][\w.&\-]*(?:\s[A-Z][\w.&\-]*){"
    r"0,3})\s*(?:$|,|to\b|as\b)"
)
ANONYMOUS = gated(
    r"^(?!(?-i:The [A-Z]\w+ Company$))(?:(?:this|these|that|the|a|an|top|repeat|serial|one|two|three|former|ex-\w+|\w+tech"
    r"|\w+[\s-]based"
    r"|indian|ai)\s)*(?:\w+\s)?(?:(?:founders?|entrepreneurs?|vcs?|innovator)"
    r"(?:\s(?:who|that|[A-Z]\w+\s[A-Z]\w+)\b.*)?|(?:startups?|company|platform)(?:\s(?:who|that|which|(?-i:from|in|with|for"
    r"|behind))\b.*)?)$",
    re.I,
)
NAME_RUN = gated(
    r"(?<![\w])(?:[A-Z0-9][\w.&'’+\-]*|[a-z]+[A-Z]\w*)(?:\s(?:of\s|the\s|and\s|&\s|for\s"
    r"|de\s)?(?:[A-Z0-9][\w&+\-]*(?:\.\w+)*))*|(?<![\w])[a-z]{3,}(?=,\s(?:a|an|the)\s)"
)
NAME = r"(?P<name>(?:[A-Z0-9][\w.&'’+\-]*|[a-z]+[A-Z]\w*)(?:\s(?:of\s|&\s|and\s|for\s|the\s)?[A-Z0-9][\w.&'’+\-]*){0,5})"
ANNOUNCER = gated(
    rf"(?:^|[–—:\-/)]\s|\)\s?[–—-]*\s?|,\s|\bfor\s|\.\s|\bThat['’]s why\s|\b(?:startup|company|platform"
    rf"|firm|maker|provider),?\s){NAME}(?:\s?\([^)]{{1,60}}\))?(?:,\s[^.]{{3,250}}?,)?\s(?:(?:has|have|is"
    rf"|today|also|just|recently|officially|proudly|successfully|now|on \w+day)\s(?:[a-z]+\s)?){{0,3}}"
    r"(?:announc\w+|rais(?:ed|es)|secur(?:ed|es)|clos(?:ed|es)|land(?:ed|s)|complet\w+|receiv\w+"
    r"|bagg?(?:ed|s)|emerg\w+|reveal\w+|pick\w+ up|nabb\w+|nett\w+|scor\w+|(?:proud|pleased|excited"
    r"|thrilled|delighted|happy) to announce|disclos\w+|unveil\w+|conclud\w+|(?:launch|debut)(?:ed|es|s) (?:on \w+day |today"
    r"|this week )?with|c[ao]mes? out of stealth|sa(?:id|ys) (?:on \w+day )?(?:that )?it ha[sd] (?:raised|closed|secured|received"
    r"|landed)|opened its doors)(?!\w)"
)
APPOSITION = gated(
    rf"^(?:[A-Z][^.]{{0,60}}?[–—-]{{1,2}}\s)?{NAME}(?:\s?\([^)]{{1,60}}\))?,\s(?:an?|the|which|whose"
    rf"|makers?|developers?|creators?|one of)\s"
)
# "Bristol-based Acme, founded by …", "Lisbon startup Acme has built …"
INTRODUCED = gated(
    rf"(?:\b[A-ZÀ-Þ][\w.]+-based|\b(?:startup|start-up))\s{NAME}(?=,\s|\s(?:has|is|was|puts|makes|builds|sells|says|uses|wants)\b)"
)
# "The funding is being provided to Acme Labs"; "Jane Doe, founder of Acme"
RECIPIENT = gated(
    rf"\b(?:(?:funding|money|capital|investment|round)\s(?:is|was|will be|has been)\s(?:being\s)?(?:provided|given|made available)"
    r"\sto"
    rf"|(?:founder|co-founder|CEO|chief executive)\s(?:of|at))\s(?:startup\s)?{NAME}"
)
# "took part in a £3m round for hydrogen sensor firm Acme, which …", "$150 million in financing to launch Acme"
ROUND_FOR = gated(
    r"\b(?:(?:round|funding|financing|investment)\sfor|(?:funding|financing|capital|million)\s(?:\w+\s){0,3}?to\s(?:launch"
    r"|create|found"
    r"|form))\s(?P<name>(?:[\w’'\-]+\s){0,6}?[A-Z0-9][\w.&’'\-]*(?:\s[A-Z0-9][\w.&’'\-]*){0,3})(?=[,.;]|$|\s(?:which|that"
    r"|according|alongside|with|to|as)\b)"
)
POSSESSIVE_ROUND = gated(
    rf"{NAME}['’]s?\s(?:\S+\s){{0,4}}?(?:round|funding|seed|series [a-hA-H]|Series [A-H]|raise|investment)\b"
)
ABOUT = gated(r"(?m)^About\s(?P<name>(?!us\b|the\b|this\b)[A-Z0-9a-z][^\n:.–—]{1,50}?)\s*(?:$|:|–|—|\s\w+\sis\s)")
TITLE_START = gated(
    r"(?P<name>(?:[A-Z0-9][\w.&'’+\-]*|[a-z]+[A-Z]?\w*)(?:\s[A-Z0-9][\w.&+\-]*){0,3}?)(?:['’]s?\s|,"
    r"|\s(?:is|wants|has|uses|sees|thinks|brings|launches|joins|emerges|exits|hits|becomes|helps|builds"
    r"|makes|aims|gets|takes|debuts|introduces|unveils|hopes|and|plans|tries|turns|lets|can|will|looks"
    r"|puts|founder|hit|to|co-founder|raises|announces|announced)\b)"
)

# "A former chef", "Two nurses from the north": all lower case behind the article, so nobody is named.
# "Brain implant start-up": what it is, and no name.
ONLY_DESCRIBED = gated(
    r"\s(?:start-?up|company|firm|maker|platform|app|developer|provider|spin-?out|scale-?up|rival|business|outfit|newcomer)$"
)
NAMELESS = gated(r"(?:An?|These|Those|This|Two|Three|Four|Five|Former)(?:\s[a-z][\w'’\-]*)+")
# "Quantum startup Acme, a spin-out of a university,": the verb behind it is Acme's.
DESCRIBED_SUBJECT = gated(r"(?P<name>[^,]+),\s(?:an?|the|which|whose|maker of|developer of|creator of)\s[^,]+")
ORDINARY = gated(
    r"(?:The|This|That|These|Those|It|Its|In|On|At|As|For|With|And|But|We|Our|They|He|She|His|Her|When|While|Series|Seed|CEO"
    r"|CTO|AI|API|US|UK"
    r"|Mr|Ms|Dr|Every|Most|Many|Some|Today|Now|Founder|Founded|To|So|If|Not|Nobody|Investors?|Q[1-4]|\d)\b"
)
COLON_NAME = gated(r"(?P<name>[A-Z0-9][\w.&\-]*(?:\s[A-Z0-9][\w.&\-]*){0,2}):\s")
# A column's name or a trade before the news: "Deal of the week: Acme", "Payments infrastructure: Acme". A name has a capital.
COLUMN = gated(r"(?P<column>[^:]{3,40}):\s(?P<rest>[A-Z0-9À-Þ][^:]{1,60})")
