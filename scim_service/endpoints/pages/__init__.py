"""PAGES FOR WHO HAS NO ACCOUNT HERE: what the links of letters open (reliability.md 2.8).

Here: the views (`links.py`), what each kind of link asks and answers (`kinds.py`), the texts in English and French
(`texts.py`), and how a page is made, with its headers (`answers.py`). The forms are in `templates/pages`, their style
in `static`. Not here: whether a link is alive, and what it does; `directory.answers` knows.

The one surprise: looking never changes anything, for mail scanners open every link; only the form does (L5). Whatever
opens nothing is answered by one and the same page (L6).

One more kind of link: a number in `access/links.py`, a row in `kinds.py`, its texts in both languages.
"""

from scim_service.endpoints.pages import links
from scim_service.endpoints.pages.routes import blueprint

__all__ = ["blueprint", "links"]
