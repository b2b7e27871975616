"""What the words around a headline's money say that it is: a round, a fund, a loan, an old story."""

from __future__ import annotations

import re

from pipeline.signals.gated import gated

# By these verbs money goes out, or is earned, owed or measured: none of them is how a round is announced.
MONEY_GOES_OUT = gated(
    r"(?:pays?|paid|lends|lent|loan(?:s|ed)|spends?|spent|los(?:es|t|s)|donat\w+|giv(?:es|en)|gave|fined?|fines|ow(?:es|ed)"
    r"|cuts?|invest(?:s|ed)|commits?"
    r"|committed|pledg\w+|allocat\w+|earmark\w+|grants?|granted|award(?:s|ed)|charg(?:es|ed)|costs?|sells?|sold|buys?|bought"
    r"|acquir\w+|saves?|saved|slash\w*|hits|reach(?:es|ed)|cross(?:es|ed)|surpass\w+|top(?:s|ped)|exceed(?:s|ed)|generat\w+"
    r"|report(?:s|ed)|post(?:s|ed)|process(?:es|ed)|manag(?:es|ed)|offer(?:s|ed)|seeks?|sought|plans?|planned|target(?:s|ed)"
    r"|eye(?:s|d)"
    r"|sues?|sued|settl\w+|demand(?:s|ed)|claim(?:s|ed)|steals?|stole|returns?|returned|repay\w*|repaid|refund\w*|valu(?:es|ed)"
    r"|pric(?:es|ed)|tak(?:es) over|launch(?:es|ed)|unveil(?:s|ed)|announc(?:es|ed)|approv(?:es|ed)|propos(?:es|ed)|needs|needed"
    r"|wants|wanted|expects|expected|forecasts?|predicts?|is|was|has|its|us|this|deploy(?:s|ed)|burn(?:s|ed)|transfer(?:s|red)"
    r"|rolls? out|rolled out|turn(?:s|ed) down|declin(?:es|ed)|reject(?:s|ed)|refus(?:es|ed)|guarante\w+|turn(?:s|ed) into"
    r"|issues|issued|imposes?|imposed|orders|ordered|contribut\w+|distribut\w+|leads?|led|backs?|backed|joins?|joined|pumps?"
    r"|pours?|poured|bets?|supports?|supported|as|makes)\b",
    re.I,
)
# What the money of a headline is, by the noun behind it: "$40M in venture debt", "$40M ESOP buyback", "$40M Series B".
_PLAIN_WORD = (
    r"(?:(?!(?:of|ahead|before|towards?|over|following|since|to|for|from|by|as|with|after|and|at|on|into|that|which|while|amid"
    r"|led|via|through|or)\b)"
    r"[\w'’&+.\-]+\s)"
)
MONEY_IS_ROUND = gated(
    rf"\s?-?(?:(?:in|of|worth of)\s)?{_PLAIN_WORD}{{0,4}}?(?:funding|round|raise|fundraise|seed|pre-?seed|series|financing"
    rf"|investment|capital"
    rf"|equity|backing|stake)\b",
    re.I,
)
MONEY_IS_OTHER = gated(
    rf"\s?-?(?:(?:in|of|worth of)\s)?{_PLAIN_WORD}{{0,4}}?(?:fund|loans?|debt|facility|credit|contracts?|orders?|deals?|grants?"
    rf"|awards?|prizes?"
    rf"|revenues?|arr|sales|loss(?:es)?|profits?|turnover|gmv|ebitda|buy-?backs?|esops?|plant|factory|hub|cent(?:er|re)|campus"
    rf"|projects?"
    rf"|settlements?|fines?|penalty|verdict|ipo|offering|placement|bonds?|notes?|mortgages?|budgets?|bill|programs?|programmes?"
    rf"|initiatives?"
    rf"|lawsuits?|acquisition|takeover|merger|trading|volume|tvl|deposits|savings|donations?|gifts?|endowment|scholarships?"
    rf"|campaign|presale|pre-sale"
    rf"|tokens?|airdrop|treasury|inventory|mansion|home|houses?|building|tower|complex|property|bounty|ransom|hack|exploit"
    rf"|vehicle|upfront|milestones?|aid|unit|gym|ransom|heist"
    rf"|warrants|shares|stock|dividends?|payouts?|tax|taxes|subsid\w+|incentives?|salary|bonus(?:es)?|backlog|pipeline"
    rf"|portfolio|purchase|guarantees?|warranty|challenge|compensation|insurance|coverage|jackpot)\b",
    re.I,
)
# A round that only dates or explains other news: "hires CFO following $40M Series B", "which raised $40M last year, …".
PAST_ASIDE = gated(
    r"\b(?:(?:weeks?|months?|days?|years?|soon|just|shortly|right) after|after|following|since|despite|on the heels of"
    r"|fresh off|off the back of)\s"
    r"(?:(?:an?|its|the|raising|closing|securing|landing|completing|recent|latest|landmark|successful|another|that|first)\s)*"
    r"(?:(?:[$€£₹¥]|US\$|Rs\.?|[A-Z]{3}\s)\s?\d|(?:series [a-h]|seed|pre-?seed|funding|fundraise|fundraising|financing|round"
    r"|raise|investment)\b)"
    r"|,\s(?:which|who|having)\s(?:had\s|has\s|recently\s)?(?:raised|secured|closed|bagged|landed)\b"
    r"|\b(?:last|previously|recently|earlier) (?:raised|valued)\b|\bwhich (?:has )?raised\b",
    re.I,
)
VALUATION = gated(r"\bvalu(?:ed|ation|es|ations)\b|\bunicorn\b|\bdecacorn\b", re.I)
# Nobody put money in, and the text says so.
NEVER_RAISED = gated(
    r"\bnever (?:raised|taken|took)\b|\b(?:has|have|had)(?: not raised| not taken|n['’]t raised|n['’]t taken)\b"
    r"|\b(?:entirely |fully "
    r"|completely )?bootstrapped\b"
    r"|\bself-funded\b|\bwithout (?:raising|taking|any) (?:\w+ ){0,2}(?:outside|venture|external|vc)\b|\bturned down (?:vc"
    r"|venture|investors)",
    re.I,
)
