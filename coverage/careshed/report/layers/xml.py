"""Write XML by hand, every text escaped and without signs that XML cannot hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape, quoteattr

Attributes = dict[str, str]

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain(text: str) -> str:
    """Replace the signs that XML cannot hold by spaces.

    >>> plain("a\\x00b\\x1bc")
    'a b c'
    """
    return _FORBIDDEN.sub(" ", text)


def text(content: str) -> str:
    """Write text as the content of an element.

    >>> text("<img src=x>")
    '&lt;img src=x&gt;'
    """
    return escape(plain(content))


def tag(name: str, attributes: Mapping[str, str], content: str = "") -> str:
    """Write an element around content that is XML already.

    >>> tag("rule", {"label": '"a" & <b>'})
    '<rule label=\\'"a" &amp; &lt;b&gt;\\'/>'
    """
    told = "".join(f" {key}={quoteattr(plain(value))}" for key, value in attributes.items())
    return f"<{name}{told}>{content}</{name}>" if content else f"<{name}{told}/>"
