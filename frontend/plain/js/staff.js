// @ts-check
// The moderation queue: <article data-case> with form[data-decide], form[data-undo] and [data-done]. Deciding sends the
// form and stays on the page. Keys: j and k move, a approves, r and then a number rejects, u takes back, x picks.

class Queue {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.here = -1;
    /** @type {HTMLElement | null} */
    this.last = null;
    root.addEventListener("submit", (event) => this.submit(event));
    root.addEventListener("change", () => this.count());
    root.addEventListener("focusin", (event) => this.follow(event));
    document.addEventListener("keydown", (event) => this.key(event));
    this.count();
    this.mark(0);
  }

  /** @returns {HTMLElement[]} */
  get cases() {
    return /** @type {HTMLElement[]} */ ([...this.root.querySelectorAll("[data-case]")]);
  }

  get current() {
    return this.cases[this.here] ?? null;
  }

  /** @param {number} place */
  go(place) {
    this.mark(Math.max(0, Math.min(this.cases.length - 1, place)));
    this.current?.focus({ preventScroll: true });
    this.current?.scrollIntoView({ block: "start" });
  }

  /** @param {number} place */
  mark(place) {
    this.here = place;
    this.cases.forEach((found, index) => {
      found.classList.toggle("here", index === place);
      if (index !== place) found.classList.remove("rejecting");
    });
  }

  /** @param {FocusEvent} event */
  follow(event) {
    const found = event.target instanceof Element ? event.target.closest("[data-case]") : null;
    const place = found instanceof HTMLElement ? this.cases.indexOf(found) : -1;
    if (place >= 0 && place !== this.here) this.mark(place);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const typing = event.target instanceof Element && event.target.closest("input:not([data-pick]), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const act = this.actions[event.key];
    if (act) {
      event.preventDefault();
      act();
    } else if (/^[1-9]$/.test(event.key) && this.current?.classList.contains("rejecting")) {
      event.preventDefault();
      this.press(`[data-reason="${event.key}"]`);
    }
  }

  /** @returns {Record<string, () => void>} */
  get actions() {
    return {
      j: () => this.go(this.here + 1),
      k: () => this.go(this.here - 1),
      a: () => this.press("[data-approve]"),
      r: () => this.current?.classList.add("rejecting"),
      x: () => this.press("[data-pick]"),
      u: () => this.takeBack(),
      Escape: () => this.current?.classList.remove("rejecting"),
    };
  }

  /** @param {string} selector */
  press(selector) {
    const found = this.current?.querySelector(selector);
    if (found instanceof HTMLElement && !found.closest("[hidden]")) found.click();
  }

  takeBack() {
    const found = [this.current, this.last].find((one) => one?.dataset.said)?.querySelector("[data-undo] button");
    if (found instanceof HTMLElement) found.click();
  }

  /** @param {SubmitEvent} event */
  async submit(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-decide], [data-undo]")) return;
    event.preventDefault();
    const found = form.closest("[data-case]");
    if (!(found instanceof HTMLElement) || found.dataset.busy) return;
    found.dataset.busy = "yes";
    const answer = await send(form, event.submitter);
    delete found.dataset.busy;
    if (answer.trouble) this.complain(found, answer.trouble);
    else if (form.matches("[data-undo]")) this.undone(found);
    else this.decided(found, answer.words ?? "", answer.state ?? "");
  }

  /**
   * @param {HTMLElement} found
   * @param {string} words
   */
  complain(found, words) {
    const place = found.querySelector("[data-trouble]");
    if (!(place instanceof HTMLElement)) return;
    place.textContent = words;
    place.hidden = words === "";
  }

  /**
   * @param {HTMLElement} found
   * @param {string} words
   * @param {string} state
   */
  decided(found, words, state) {
    this.complain(found, "");
    found.dataset.said = words;
    found.dataset.state = state;
    this.show(found, true);
    const said = found.querySelector("[data-said]");
    if (said) said.textContent = words;
    this.last = found;
    this.go(this.cases.indexOf(found) + 1);
  }

  /** @param {HTMLElement} found */
  undone(found) {
    delete found.dataset.said;
    delete found.dataset.state;
    this.show(found, false);
    this.go(this.cases.indexOf(found));
  }

  /**
   * @param {HTMLElement} found
   * @param {boolean} done
   */
  show(found, done) {
    const parts = /** @type {NodeListOf<HTMLElement>} */ (found.querySelectorAll("[data-decide], [data-done]"));
    for (const part of parts) part.hidden = part.matches("[data-done]") !== done;
    const pick = found.querySelector("[data-pick]");
    if (pick instanceof HTMLInputElement) {
      pick.checked = false;
      pick.disabled = done;
    }
    this.count();
  }

  count() {
    const bar = document.querySelector("[data-bulk]");
    const chosen = this.root.querySelectorAll("[data-pick]:checked").length;
    if (!(bar instanceof HTMLElement)) return;
    bar.hidden = chosen === 0;
    for (const place of bar.querySelectorAll("[data-count]")) place.textContent = String(chosen);
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 * @returns {Promise<{words?: string, state?: string, trouble?: string}>}
 */
async function send(form, submitter) {
  try {
    const body = new FormData(form, submitter);
    const headers = { "X-Requested-With": "XMLHttpRequest", Accept: "application/json" };
    const answer = await fetch(form.action, { method: "POST", body, headers });
    const told = await answer.json();
    return answer.ok ? told : { trouble: told.error?.message ?? answer.statusText };
  } catch (error) {
    return { trouble: String(error) };
  }
}

for (const root of document.querySelectorAll("[data-queue]")) {
  if (root instanceof HTMLElement) new Queue(root);
}
