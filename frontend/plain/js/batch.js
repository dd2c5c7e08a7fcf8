// @ts-check
// A batch's board. [data-batch="URL"] (and [data-stream="URL"], by events) says how far it is; cells ([data-cell],
// [data-mark]) whose mark has changed are fetched from [data-cells] and put in the place of the old ones. [data-review]
// buttons belong to form#review: sent without leaving the page. A tap on a picture shows it large. Where the page has
// dialog#batch-reasons, rejecting asks for a reason ([data-why]) first.
// Keys: j and k go to the next and previous picture, a approves, r rejects (again: takes it back), f makes a rejected one
// again free, u takes back the last word of this visit, Enter shows it large.
// Without this the page is loaded again after each click.
import { Following } from "./following.js";
import { toast } from "./toast.js";

/** @typedef {{words: string, percent: number, done: boolean, marks: Record<string, string>}} Told */

class Board {
  /** @param {HTMLElement} head */
  constructor(head) {
    this.head = head;
    if ("done" in head.dataset) return;
    const { batch: poll = "", stream } = head.dataset;
    /** @type {Following<Told>} */
    const following = new Following({
      poll,
      ...(stream ? { stream } : {}),
      hear: (told) => this.hear(told),
      lost: (lost) => this.say(lost ? (head.dataset.sayLost ?? "") : ""),
      first: 1500,
      calm: 5000,
      slowest: 15000,
    });
    following.wake();
  }

  /** @param {Told} told */
  async hear(told) {
    const words = this.head.querySelector("[data-words]");
    if (words && words.textContent !== told.words) words.textContent = told.words;
    const bar = this.head.querySelector("progress[data-percent]");
    if (bar instanceof HTMLProgressElement) bar.value = told.percent;
    await this.refresh(told.marks);
    if (told.done) location.reload(); // the buttons and the lists are others now
    return told.done;
  }

  /** @param {Record<string, string>} marks */
  async refresh(marks) {
    const query = new URLSearchParams();
    for (const cell of document.querySelectorAll("[data-cell]")) {
      const { cell: id = "", mark } = /** @type {HTMLElement} */ (cell).dataset;
      if (marks[id] && marks[id] !== mark) query.append("shoot", id);
    }
    if (!query.size) return;
    const answer = await fetch(`${this.head.dataset.cells}?${query}`, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of drawn.querySelectorAll("[data-cell]")) {
      const id = CSS.escape(/** @type {HTMLElement} */ (fresh).dataset.cell ?? "");
      document.querySelector(`[data-cell="${id}"]`)?.replaceWith(document.adoptNode(fresh));
    }
  }

  /** @param {string} words */
  say(words) {
    const place = this.head.querySelector("[data-message]");
    if (place && place.textContent !== words) place.textContent = words;
  }
}

// ---- Approving and rejecting
const form = document.querySelector("form#review");
const reasons = document.querySelector("dialog#batch-reasons");
/** @typedef {{review: string, reason?: string, redo?: boolean}} Said */
/** @type {{tile: string, said: string, why: string}[]} what pictures were before, to be taken back */
const before = [];

for (const part of document.querySelectorAll("[data-plain]")) {
  if (part instanceof HTMLElement) part.hidden = true; // the reason is asked for in the dialog instead
}

/**
 * @param {string} said approved, rejected or clear
 * @param {string} tile
 * @param {string} why
 * @returns {Promise<boolean>} whether the shop knows it now
 */
async function tell(said, tile, why) {
  if (!(form instanceof HTMLFormElement)) return false;
  const data = new FormData(form);
  data.set("reason", why);
  data.append(said, tile);
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "application/json" } });
    if (!answer.ok || said === "redo") {
      location.reload(); // the page says why not; or the batch is under way again
      return false;
    }
    draw(tile, why, await answer.json());
    return true;
  } catch {
    toast(form.dataset.sayLost ?? "", "bad"); // nothing is drawn that the shop does not know
    return false;
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {string} why
 */
async function review(button, why = "") {
  const tile = button.closest("[data-tile]");
  if (!(tile instanceof HTMLElement) || !(form instanceof HTMLFormElement)) return;
  const was = { tile: button.value, said: reviewOf(tile), why: tile.dataset.why ?? "" };
  const said = button.name;
  if (!(await tell(said, button.value, why))) return;
  before.push(was);
  if (said === "rejected" && form.dataset.sayUndo) {
    toast(form.dataset.sayRejected ?? "", "", { label: form.dataset.sayUndo, run: () => void undo(was) });
  }
}

/** @param {HTMLElement} tile */
const reviewOf = (tile) => ["approved", "rejected"].find((said) => tile.classList.contains(said)) ?? "clear";

/** @param {typeof before[number] | undefined} was one that was taken back already is left alone */
async function undo(was = before.at(-1)) {
  const at = was ? before.lastIndexOf(was) : -1;
  if (!was || at < 0) return;
  before.splice(at, 1);
  await tell(was.said, was.tile, was.why);
}

/** @param {HTMLButtonElement} button */
function press(button) {
  if (button.name !== "rejected" || !(reasons instanceof HTMLDialogElement)) return void review(button);
  reasons.showModal();
  reasons.onclick = (event) => {
    const chosen = event.target instanceof Element ? event.target.closest("[data-why]") : null;
    if (!(chosen instanceof HTMLElement)) return;
    reasons.close();
    void review(button, chosen.dataset.why);
  };
}

/**
 * @param {string} identity
 * @param {string} why
 * @param {Said} said
 */
function draw(identity, why, { review: now, reason = "", redo = false }) {
  const tile = document.querySelector(`[data-tile="${CSS.escape(identity)}"]`);
  if (!(tile instanceof HTMLElement)) return;
  tile.classList.remove("approved", "rejected");
  if (now) tile.classList.add(now);
  tile.dataset.why = now === "rejected" ? why : "";
  for (const button of tile.querySelectorAll("button[data-review]")) {
    if (!(button instanceof HTMLButtonElement)) continue;
    const own = button.dataset.review ?? "";
    button.name = own === now ? "clear" : own;
    button.setAttribute("aria-pressed", String(own === now));
  }
  reveal(tile.querySelector("[data-reason]"), reason !== "", reason);
  reveal(tile.querySelector("button[name=redo]"), redo);
}

/**
 * @param {Element | null} part
 * @param {boolean} shown
 * @param {string} [words]
 */
function reveal(part, shown, words) {
  if (!(part instanceof HTMLElement)) return;
  part.hidden = !shown;
  if (words !== undefined) part.textContent = words;
}

form?.addEventListener("submit", (event) => {
  const button = /** @type {SubmitEvent} */ (event).submitter;
  if (!(button instanceof HTMLButtonElement)) return;
  if (button.name === "redo") {
    event.preventDefault();
    void tell("redo", button.value, "");
  } else if (button.dataset.review) {
    event.preventDefault();
    press(button);
  }
});

// ---- The large picture
const dialog = document.querySelector("dialog#batch-preview");

/** @param {Element} link */
function show(link) {
  if (!(dialog instanceof HTMLDialogElement) || !(link instanceof HTMLAnchorElement)) return;
  const image = dialog.querySelector("img");
  const open = dialog.querySelector("a[data-open]");
  if (image) {
    image.src = link.dataset.large ?? "";
    image.alt = link.querySelector("img")?.alt ?? "";
  }
  if (open instanceof HTMLAnchorElement) open.href = link.href;
  if (!dialog.open) dialog.showModal();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const link = target?.closest("a.picture[data-large]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    show(link);
  } else if (target === dialog && dialog instanceof HTMLDialogElement) dialog.close();
});

// ---- Keys
let here = "";

/** @param {number} step */
function go(step) {
  const tiles = [...document.querySelectorAll("[data-tile]")];
  const at = tiles.findIndex((tile) => /** @type {HTMLElement} */ (tile).dataset.tile === here);
  const next = tiles[Math.max(0, Math.min(tiles.length - 1, at + step))];
  if (!(next instanceof HTMLElement)) return;
  here = next.dataset.tile ?? "";
  for (const tile of tiles) tile.classList.toggle("here", tile === next);
  const link = next.querySelector("a.picture");
  if (link instanceof HTMLElement) link.focus();
  next.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (dialog instanceof HTMLDialogElement && dialog.open && link) show(link);
}

/** @param {string} selector */
function pressHere(selector) {
  const tile = here ? document.querySelector(`[data-tile="${CSS.escape(here)}"]`) : null;
  const button = tile?.querySelector(selector);
  if (button instanceof HTMLButtonElement && !button.hidden) button.click();
}

/** @type {Record<string, () => void>} */
const KEYS = {
  j: () => go(1),
  k: () => go(-1),
  a: () => pressHere('button[data-review="approved"]'),
  r: () => pressHere('button[data-review="rejected"]'),
  f: () => pressHere("button[name=redo]"),
  u: () => void undo(),
};

/**
 * A number says why, r that one does not want to say; everything else the dialog keeps to itself.
 * @param {HTMLDialogElement} open
 * @param {string} key
 */
function answerWhy(open, key) {
  const offered = [...open.querySelectorAll("[data-why]")];
  const chosen = key === "r" ? offered.at(-1) : /^[1-9]$/.test(key) ? offered[Number(key) - 1] : undefined;
  if (chosen instanceof HTMLElement) chosen.click();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
  const asking = document.querySelector("dialog#confirm[open], dialog#keys[open]");
  if (typing || asking || event.ctrlKey || event.metaKey || event.altKey) return;
  if (reasons instanceof HTMLDialogElement && reasons.open) answerWhy(reasons, event.key);
  else KEYS[event.key]?.();
});
// A click on a picture makes it the one that keys go on from.
document.addEventListener("focusin", (event) => {
  const tile = event.target instanceof Element ? event.target.closest("[data-tile]") : null;
  if (tile instanceof HTMLElement) here = tile.dataset.tile ?? "";
});

for (const head of document.querySelectorAll("[data-batch]")) {
  if (head instanceof HTMLElement) new Board(head);
}
