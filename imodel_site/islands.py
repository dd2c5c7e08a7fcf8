"""The built islands in our pages: ``{% load django_vite %}{% vite_asset 'src/<room>/main.tsx' %}``.

Where ``static/dist`` was not built (``make frontend``) the tag writes nothing and a system check warns: every page
works without scripts, so a page is better than an error.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django_vite.core.asset_loader import DjangoViteAppClient, DjangoViteAssetLoader, ManifestClient

log = logging.getLogger("imodel.web")


class Manifest(ManifestClient):  # type: ignore[misc]  # untyped
    """Vite's table of what it built; read again while DEBUG when a build replaced it."""

    _seen = 0

    def get(self, path: str) -> Any:
        """The entry of a source file."""
        if settings.DEBUG or not self._entries:
            self._refresh()
        return super().get(path)

    def _refresh(self) -> None:
        changed = _changed(self.manifest_path)
        if changed and changed != self._seen:
            self._entries, self.legacy_polyfills_entry = self._parse_manifest()
            self._seen = changed

    @property
    def built(self) -> bool:
        """False before the first build."""
        return bool(self._entries) or self.manifest_path.is_file()


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


class Islands(DjangoViteAppClient):  # type: ignore[misc]  # untyped
    """django-vite's tags; none when nothing was built. A room that a build lacks is still an error of ours."""

    ManifestClient = Manifest

    def generate_vite_asset(self, path: str, **kwargs: Any) -> str:
        """The script of a room, its styles and the chunks to fetch along."""
        if not self.manifest.built:
            log.warning("static/dist is not built, so %s is left out: make frontend", path)
            return ""
        return str(super().generate_vite_asset(path, **kwargs))


def are_built() -> bool:
    """Whether pages have their islands."""
    return bool(DjangoViteAssetLoader.instance()._apps["default"].manifest.built)


@checks.register("islands")
def check_built(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """islands.W001."""
    places = (Path(settings.BUILT_DIR), Path(settings.BASE_DIR, "static", "dist"))  # the second is collected at a start
    if any((place / "manifest.json").is_file() for place in places):
        return []
    hint = "make frontend, or .venv/bin/python tools/frontend.py build; it needs the npm registry once."
    return [checks.Warning("static/dist is not built: pages go without their islands.", hint=hint, id="islands.W001")]
