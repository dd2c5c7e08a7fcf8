// What a page must have so that everybody can use it: labels, names, alternatives, one heading, no sideways scroll.
() => {
  const wrong = [];
  const shown = (el) => el.getClientRects().length > 0 && getComputedStyle(el).visibility !== "hidden";
  const text = (el) => (el.textContent || "").trim();
  const say = (el) => `<${el.tagName.toLowerCase()} ${[...el.attributes].map((a) => `${a.name}="${a.value}"`).join(" ")}>`.slice(0, 140);
  const named = (el) =>
    el.getAttribute("aria-label") || el.getAttribute("aria-labelledby") || el.getAttribute("title") || text(el) ||
    [...el.querySelectorAll("img[alt]")].some((img) => img.alt.trim()) || el.querySelector("svg[aria-label]");
  if (!document.documentElement.lang) wrong.push("no lang on html");
  if (!document.title.trim()) wrong.push("no title");
  const headings = [...document.querySelectorAll("h1")].filter(shown);
  if (headings.length !== 1) wrong.push(`${headings.length} h1`);
  if (!document.querySelector("main")) wrong.push("no main");
  for (const img of document.querySelectorAll("img")) if (!img.hasAttribute("alt")) wrong.push(`no alt: ${say(img)}`);
  for (const img of document.querySelectorAll("img")) if (shown(img) && img.complete && !img.naturalWidth && img.src) wrong.push(`picture does not load: ${say(img)}`);
  for (const el of document.querySelectorAll("input:not([type=hidden]):not([type=submit]), select, textarea")) {
    if (!(el.labels && [...el.labels].some((l) => text(l) || l.querySelector("img[alt]"))) && !el.getAttribute("aria-label") && !el.getAttribute("aria-labelledby")) wrong.push(`no label: ${say(el)}`);
  }
  for (const el of document.querySelectorAll("a[href], button, summary")) if (!named(el)) wrong.push(`no name: ${say(el)}`);
  const ids = [...document.querySelectorAll("[id]")].map((el) => el.id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) wrong.push(`id twice: ${id}`);
  for (const el of document.querySelectorAll("[tabindex]")) if (el.tabIndex > 0) wrong.push(`tabindex above 0: ${say(el)}`);
  // Islands place their handles with style.setProperty, which the content policy allows; one in the HTML is told by the console.
  for (const el of document.querySelectorAll("[style]")) if (el.getAttribute("style") && !el.closest("[data-island], [data-at], .before-after")) wrong.push(`inline style: ${say(el)}`);
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("body *")].filter((el) => shown(el) && el.getBoundingClientRect().right > root.clientWidth + 1);
    wrong.push(`scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}: ${wide.slice(0, 3).map(say).join(" ")}`);
  }
  return wrong;
}
