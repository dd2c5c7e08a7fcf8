"""What the browser keeps of a person's work that was not saved."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

DRAFTS = """async () => {
  const asked = (request) => new Promise((done) => (request.onsuccess = () => done(request.result)));
  const found = {};
  for (const { name } of await indexedDB.databases()) {
    if (!name.startsWith("imodel:")) continue;
    const database = await asked(indexedDB.open(name));
    const store = database.transaction("drafts").objectStore("drafts");
    const [keys, values] = await Promise.all([asked(store.getAllKeys()), asked(store.getAll())]);
    database.close();
    keys.forEach((key, at) => (found[key] = JSON.stringify(values[at])));
  }
  return found;
}"""


def drafts(page: Page) -> dict[str, str]:
    """Each draft's key, such as ``mask/...``, and its JSON."""
    found: dict[str, Any] = page.evaluate(DRAFTS)
    return found
