"""Template tags of the frame; a builtin, so that no template has to load it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from imodel_site import islands
from imodel_site.static import ONE_SHEET, SHEETS

register = template.Library()
_BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@lru_cache(maxsize=256)
def _drawing(name: str) -> str:
    path = Path(settings.BASE_DIR) / "templates" / "icons" / f"{name}.svg"
    if not name.replace("-", "").isalnum() or not path.is_file():
        raise template.TemplateSyntaxError(
            f"There is no icon {name!r} in templates/icons; Lucide has it, copy it there."
        )
    return path.read_text(encoding="utf-8").strip().removeprefix("<svg ")


@register.simple_tag
def icon(name: str, classes: str = "", label: str = "") -> SafeString:
    """An icon of templates/icons/, drawn in the text's colour; decoration for screen readers unless it has a label."""
    spoken = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    drawing = mark_safe(_drawing(name))  # our own file
    return format_html('<svg class="{}" {} {}', f"icon {classes}".strip(), spoken, drawing)


@register.simple_tag
def style_sheets() -> list[str]:
    """Addresses of what every page wears: one where files are collected, the ten of frontend/plain/css where not."""
    collected = ONE_SHEET in getattr(staticfiles_storage, "hashed_files", {})
    return [static(name) for name in ((ONE_SHEET,) if collected else SHEETS)]


class _Captured(template.Node):
    """What the nodes inside print, under a name: the only way for a parent template to read a child's block."""

    def __init__(self, nodelist: template.NodeList, name: str) -> None:
        self.nodelist = nodelist
        self.name = name

    def render(self, context: template.Context) -> str:
        context[self.name] = self.nodelist.render(context).strip()
        return ""


@register.tag
def capture(parser: Any, token: Any) -> _Captured:
    """``{% capture name %}...{% endcapture %}`` keeps what is printed inside as ``name``."""
    _, name = token.split_contents()
    nodelist = parser.parse(("endcapture",))
    parser.delete_first_token()
    return _Captured(nodelist, name)


@register.simple_tag
def islands_are_built() -> bool:
    """Whether a page's scripts will come, so that it may leave room for what they draw."""
    return islands.are_built()


@register.filter
def initials(name: str) -> str:
    """One or two letters that stand for a name: 'Blue Barn' is BB, 'anna@x.org' A, '蓝谷仓' 蓝."""
    words = str(name).split("@")[0].replace(".", " ").replace("-", " ").split()
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.filter
def browser(user_agent: str) -> str:
    """A browser and a system out of a User-Agent: "Firefox, Windows". The first that fits, in an order in which
    those come first that name others as well (Edge says Chrome, Chrome says Safari)."""
    program = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return ", ".join(filter(None, (program, system))) or user_agent[:40]


@register.filter
def percent(fraction: float | None) -> str:
    """A fraction as whole percent without the sign, for ``<progress max=100>``; nothing for None."""
    return "" if fraction is None else str(round(100 * max(0.0, min(1.0, float(fraction)))))


@register.simple_tag(takes_context=True)
def url_with(context: dict[str, Any], **changes: Any) -> str:
    """The page's own address with some query values changed; an empty value takes the key away."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        query.pop(key, None)
        if value not in ("", None):
            query[key] = str(value)
    return f"?{query.urlencode()}" if query else "?"
