// @ts-check
// Keys on every page: [data-key="j"] is pressed by its key; "g" and then [data-go-key]'s key goes somewhere; "/" searches,
// "?" opens the list of them all (templates/ui/keys.html), but on pages whose island has its own ([data-own-keys]). Left alone
// while somebody types or a dialog is open; arrows also inside [data-stage], which they scroll.

const PATIENCE = 1200; // ms between the two keys of a pair

const list = document.querySelector("dialog#keys");
let went = -Infinity; // when "g" was pressed; 0 would be the moment the page opened

/** @param {KeyboardEvent} event */
function busy(event) {
  const fields = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select";
  const typing = event.target instanceof Element && event.target.closest(fields);
  return typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]");
}

/** @param {string} key */
function press(key) {
  const found = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (found instanceof HTMLElement) found.click();
  return Boolean(found);
}

/** @param {string} key */
function go(key) {
  const found = document.querySelector(`[data-go-key="${CSS.escape(key)}"]`);
  if (found instanceof HTMLElement) found.click();
}

/**
 * The arrows stand for j and k, where they have nothing of their own to move.
 * @param {KeyboardEvent} event
 */
function keyOf(event) {
  const { key, target } = event;
  const moves = target instanceof Element && target.closest("input[type=range], [data-stage]");
  return (moves ? undefined : { ArrowLeft: "k", ArrowRight: "j" }[key]) ?? key;
}

/** @type {Record<string, () => void>} */
const EVERYWHERE = {
  "?": () => list instanceof HTMLDialogElement && list.showModal(),
  "/": () => {
    const field = document.querySelector(".topbar input[type=search]");
    if (field instanceof HTMLElement) field.focus();
  },
  g: () => (went = performance.now()),
};

document.addEventListener("keydown", (event) => {
  if (busy(event)) return;
  const key = keyOf(event);
  if (key.length !== 1 || (key === "?" && document.querySelector("[data-own-keys]"))) return;
  const paired = performance.now() - went < PATIENCE;
  went = -Infinity;
  if (paired || key in EVERYWHERE) event.preventDefault(); // an island's listener comes after this one, and leaves it alone
  if (paired) go(key);
  else if (key in EVERYWHERE) {
    EVERYWHERE[key]?.();
  } else press(key);
});

for (const opener of document.querySelectorAll("[data-keys]")) {
  opener.addEventListener("click", () => EVERYWHERE["?"]?.());
}
// A tap beside the list closes it.
list?.addEventListener("click", (event) => event.target === list && list instanceof HTMLDialogElement && list.close());

export {}; // a module, for the tests too
