// @ts-check
// A batch's board. [data-batch="URL"] is asked how far it is; cells ([data-cell], [data-mark]) whose mark has changed are
// fetched from [data-cells] and put in the place of the old ones. [data-review] buttons belong to form#review: sent without
// leaving the page. A tap on a picture shows it large.
// Keys: j and k go to the next and previous picture, a approves, r rejects (again: takes it back), Enter shows it large.
// Without this the page is loaded again after each click.

const FIRST = 1500; // ms between two questions while things move
const SLOWEST = 15000;

class Board {
  /** @param {HTMLElement} head */
  constructor(head) {
    this.head = head;
    this.etag = "";
    this.wait = FIRST;
    /** @type {number | undefined} */
    this.timer = undefined;
    document.addEventListener("visibilitychange", () => this.wake());
    window.addEventListener("online", () => this.wake());
    if (!("done" in head.dataset)) this.timer = window.setTimeout(() => this.ask(), FIRST);
  }

  wake() {
    if ("done" in this.head.dataset || document.hidden) return;
    this.wait = FIRST;
    this.ask();
  }

  async ask() {
    clearTimeout(this.timer);
    try {
      const headers = { Accept: "application/json", ...(this.etag ? { "If-None-Match": this.etag } : {}) };
      const answer = await fetch(this.head.dataset.batch ?? "", { headers, cache: "no-store" });
      if (answer.status === 401 || answer.status === 404 || answer.redirected) return location.reload();
      if (!answer.ok && answer.status !== 304) throw new Error(String(answer.status));
      this.say("");
      if (answer.status === 304) this.wait = Math.min(this.wait * 1.3, 5000);
      else await this.read(answer);
    } catch {
      this.say(this.head.dataset.sayLost ?? "");
      this.wait = Math.min(this.wait * 2, SLOWEST);
    }
    if (!document.hidden && !("done" in this.head.dataset)) this.timer = window.setTimeout(() => this.ask(), this.wait);
  }

  /** @param {Response} answer */
  async read(answer) {
    const told = await answer.json();
    const words = this.head.querySelector("[data-words]");
    if (words && words.textContent !== told.words) words.textContent = told.words;
    const bar = this.head.querySelector("progress[data-percent]");
    if (bar instanceof HTMLProgressElement) bar.value = told.percent;
    await this.refresh(told.marks);
    this.etag = answer.headers.get("ETag") ?? "";
    this.wait = FIRST;
    if (told.done) location.reload(); // the buttons and the lists are others now
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

/** @param {HTMLButtonElement} button */
async function review(button) {
  if (!(form instanceof HTMLFormElement)) return;
  const data = new FormData(form);
  data.append(button.name, button.value);
  const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "application/json" } });
  if (!answer.ok) return location.reload();
  draw(button, (await answer.json()).review);
}

/**
 * @param {HTMLButtonElement} pressed
 * @param {string} said
 */
function draw(pressed, said) {
  const tile = pressed.closest("[data-tile]");
  tile?.classList.remove("approved", "rejected");
  if (said) tile?.classList.add(said);
  for (const button of tile?.querySelectorAll("button[data-review]") ?? []) {
    if (!(button instanceof HTMLButtonElement)) continue;
    const own = button.dataset.review ?? "";
    button.name = own === said ? "clear" : own;
    button.setAttribute("aria-pressed", String(own === said));
  }
}

form?.addEventListener("submit", (event) => {
  const button = /** @type {SubmitEvent} */ (event).submitter;
  if (!(button instanceof HTMLButtonElement) || !button.dataset.review) return;
  event.preventDefault();
  review(button);
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

/** @param {string} said */
function press(said) {
  const tile = document.querySelector(`[data-tile="${CSS.escape(here)}"]`);
  const button = here ? tile?.querySelector(`button[data-review="${said}"]`) : null;
  if (button instanceof HTMLButtonElement) review(button);
}

/** @type {Record<string, () => void>} */
const KEYS = { j: () => go(1), k: () => go(-1), a: () => press("approved"), r: () => press("rejected") };

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
  const asking = document.querySelector("dialog#confirm[open]");
  if (typing || asking || event.ctrlKey || event.metaKey || event.altKey) return;
  KEYS[event.key]?.();
});
// A click on a picture makes it the one that keys go on from.
document.addEventListener("focusin", (event) => {
  const tile = event.target instanceof Element ? event.target.closest("[data-tile]") : null;
  if (tile instanceof HTMLElement) here = tile.dataset.tile ?? "";
});

for (const head of document.querySelectorAll("[data-batch]")) {
  if (head instanceof HTMLElement) new Board(head);
}
