"""Headlines that count jobs: how many a company creates, fills or adds, or by how much its staff grows.

What belongs here: the patterns, with the groups ``company``, ``count`` and, where the headline names it, ``role``. What does
not: what is made of them, and forms without a number (hiring.py). Every form asks for a number or a multiple, so that talk
of hiring is none.
"""

from __future__ import annotations

from pipeline.signals.gated import gated

_COMPANY = r"^(?P<company>[^,;:]{2,60}?)"
_MANY = (
    r"(?i:(?:over|more than|up to|about|around|an additional|another|nearly|approximately|at least|some|an extra|a further)\s)*"
)
# A count is no share, no money, no year and not "2,000 customers".
_COUNT = r"(?P<count>\d[\d,]*)\+?(?![\d.,]*\s?(?:%|percent|per cent|million|billion|m\b|bn\b|k\b))"
_PEOPLE = (
    r"(?i:jobs|roles|positions|posts|vacancies|openings|apprenticeships|apprentices|employees|staff(?:ers)?|people|workers"
    r"|engineers|developers"
    r"|technicians|scientists|specialists|freshers|graduates|hires|recruits|professionals|researchers|nurses|drivers"
    r"|teachers|analysts"
    r"|designers|managers|interns|advis[eo]rs|operators|consultants|salespeople|couriers|agents)"
)
_ROLE = rf"(?P<role>(?:[\w\-/]+\s){{0,3}}?{_PEOPLE})\b"
# "to", "will", "plans to", "says it will"
_WILL = (
    r"(?i:(?:plans|aims|looks|seeks|expects|intends|hopes|wants|set|poised|ready|pledges)\sto|(?:(?:says|said)\sit\s)?will"
    r"|to|is (?:looking|set"
    r"|planning|aiming) to)"
)
_STAFF = r"(?i:(?:its|their|the)\s)?(?:(?!(?:down|for|of|on|to|from)\b)[\w\-]+\s){0,2}?(?i:headcount|workforce|staff|team)\b"
COUNTED_HEADLINES = (
    # "Acme to hire 400 in Gdansk", "Acme says it will take on 120 staff at its plant"
    gated(
        rf"{_COMPANY}\s{_WILL}\s(?i:hire|recruit|take on|employ|onboard|bring (?:in|on))\s{_MANY}{_COUNT}"
        rf"(?:\s{_ROLE}|(?=\s(?i:in|at|for|by|across|this|over|next|more|as)\b|$))"
    ),
    # "Acme to add 300 staff by year end", "Acme to bring 90 new jobs to Shannon", "Acme to fill 120 vacancies"
    gated(rf"{_COMPANY}\s{_WILL}\s(?i:add|create|bring|fill|open)\s{_MANY}{_COUNT}\s{_ROLE}"),
    gated(
        rf"{_COMPANY}\s(?i:plans|announces|promises|is creating|creating|hiring|is looking for|looking for"
        rf"|is hiring:)\s{_MANY}{_COUNT}\s{_ROLE}"
    ),
    # "Acme opens engineering centre and hires 70"
    gated(
        rf"{_COMPANY}\s(?i:opens|to open|expands|launches|builds)\s[^;:]{{3,70}}?\s(?i:and|,)\s?(?i:hires|hiring|to hire"
        rf"|will hire|recruits)\s"
        rf"{_MANY}{_COUNT}(?:\s{_ROLE}|(?=$|\s(?i:in|at|by)\b))"
    ),
    # "Acme begins recruiting drive for 90 technicians"
    gated(
        rf"{_COMPANY}\s(?i:begins|starts|launches|kicks off|goes on)\s(?i:an?\s)?(?i:major\s|big\s)?(?i:recruit\w+|hiring)\s"
        rf"(?i:drive|campaign|spree|push|blitz)\b[^;:]*?\s{_MANY}{_COUNT}\s{_ROLE}"
    ),
    # "500 jobs as Acme opens its centre"
    gated(
        rf"^{_COUNT}\s(?P<role>(?i:new |extra )?(?i:jobs|roles))\s(?i:for\s\w+\s)?(?i:as)\s(?P<company>[A-Z0-9][^,;:]{{1,40}}?)\s"
        r"(?i:opens|expands|builds|invests|launches|plans|picks|chooses|moves|sets up|unveils)\b"
    ),
    # "Acme doubles headcount to 900", "Acme to triple its staff": no number of jobs is told
    gated(rf"{_COMPANY}\s(?i:(?:nearly |more than )?(?:{_WILL}\s)?(?:doubl|tripl|quadrupl)(?:e|es|ing))\s{_STAFF}"),
    # "Acme expands team by 40", "Acme expands its sales team with 25 hires"
    gated(
        rf"{_COMPANY}\s(?:{_WILL}\s)?(?i:grow|boost|increase|expand|swell|strengthen)s?\s{_STAFF}\s(?i:by|with)\s{_MANY}{_COUNT}"
        rf"(?:\s{_ROLE}|(?=$|\s(?i:in|at|as|this|after)\b))"
    ),
    # Staff grows from one number to another, or by a share: "Acme to boost workforce by 30%"
    gated(
        rf"{_COMPANY}\s(?:{_WILL}\s)?(?i:grow|boost|increase|expand|swell)s?\s{_STAFF}\s"
        r"(?i:by\s(?:\w+\s)?\d+\s?(?:%|percent|per cent)|(?:from\s\d[\d,]*\s)?to\s(?:\w+\s)?\d[\d,]+\b)"
    ),
)
