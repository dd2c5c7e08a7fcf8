// @ts-check
// Follows a running job: [data-progress="URL"] is polled and its parts filled in.
//
// JSON: {status, stage, fraction, position, eta_seconds, preview, pictures: [{id, url, verdict}], message, done, next}.
// Parts, anywhere inside the element: [data-stage] [data-fraction] (a <progress>) [data-eta] [data-position]
// [data-preview] (an <img>) [data-pictures] (grows <img>s) [data-message]. Words come from data-say-* (templates/ui/progress.html).
// When done, the page goes to `next`, or loads itself again.

/**
 * @typedef {object} Progress
 * @property {string} status
 * @property {string} stage
 * @property {number | null} fraction
 * @property {number | null} position
 * @property {number | null} eta_seconds
 * @property {string | null} preview
 * @property {{id: string, url: string, verdict: string}[]} pictures
 * @property {string} message
 * @property {boolean} done
 * @property {string | null} next
 */

const FIRST = 700; // ms between two questions while things move
const SLOWEST = 15000;

class Follower {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.url = root.dataset.progress ?? "";
    this.etag = "";
    this.wait = FIRST;
    /** @type {number | undefined} */
    this.timer = undefined;
    document.addEventListener("visibilitychange", () => this.wake());
    window.addEventListener("online", () => this.wake());
    this.ask();
  }

  wake() {
    clearTimeout(this.timer);
    this.wait = FIRST;
    if (!document.hidden) this.ask();
  }

  async ask() {
    clearTimeout(this.timer);
    try {
      // no-store: the browser's own cache would answer 304 as 200 and hide that nothing changed
      const headers = { Accept: "application/json", ...(this.etag ? { "If-None-Match": this.etag } : {}) };
      const answer = await fetch(this.url, { headers, cache: "no-store", credentials: "same-origin" });
      if (answer.status === 401 || answer.status === 404 || answer.redirected) return location.reload();
      if (!answer.ok && answer.status !== 304) throw new Error(String(answer.status));
      if (answer.status === 304) this.wait = Math.min(this.wait * 1.3, 4000);
      else await this.read(answer);
    } catch {
      this.say("message", this.root.dataset.sayLost ?? "");
      this.wait = Math.min(this.wait * 2, SLOWEST);
    }
    if (!document.hidden) this.timer = window.setTimeout(() => this.ask(), this.wait);
  }

  /** @param {Response} answer */
  async read(answer) {
    this.etag = answer.headers.get("ETag") ?? "";
    this.wait = FIRST;
    const progress = /** @type {Progress} */ (await answer.json());
    this.show(progress);
    if (progress.done) {
      this.ask = async () => undefined;
      if (progress.next) location.assign(progress.next);
      else location.reload();
    }
  }

  /** @param {Progress} progress */
  show(progress) {
    const { dataset } = this.root;
    this.say("stage", progress.stage);
    this.say("message", progress.message ?? "");
    this.say("position", progress.position ? `${dataset.sayPosition ?? ""} ${progress.position}` : "");
    this.say("eta", this.remaining(progress.eta_seconds));
    const bar = this.root.querySelector("progress[data-fraction]");
    if (bar instanceof HTMLProgressElement) {
      if (progress.fraction === null) bar.removeAttribute("value");
      else bar.value = 100 * progress.fraction;
    }
    const preview = this.root.querySelector("img[data-preview]");
    if (preview instanceof HTMLImageElement && progress.preview) {
      preview.src = progress.preview;
      preview.hidden = false;
    }
    this.add(progress.pictures ?? []);
  }

  /** @param {number | null} seconds */
  remaining(seconds) {
    const { saySeconds = "%s s", sayMinutes = "%s min" } = this.root.dataset;
    if (seconds === null || seconds === undefined) return "";
    if (seconds < 90) return saySeconds.replace("%s", String(Math.max(1, Math.round(seconds))));
    return sayMinutes.replace("%s", String(Math.round(seconds / 60)));
  }

  /** @param {{id: string, url: string}[]} pictures */
  add(pictures) {
    const shelf = this.root.querySelector("[data-pictures]");
    for (const picture of shelf ? pictures : []) {
      if (shelf?.querySelector(`[data-picture="${CSS.escape(picture.id)}"]`)) continue;
      const frame = document.createElement("div");
      frame.className = "picture";
      frame.dataset.picture = picture.id;
      const image = document.createElement("img");
      image.src = picture.url;
      image.alt = "";
      frame.append(image);
      shelf?.append(frame);
    }
  }

  /**
   * @param {string} part
   * @param {string} words
   */
  say(part, words) {
    for (const place of this.root.querySelectorAll(`[data-${part}]`)) {
      // written only when changed: a screen reader reads a live region at each write
      if (place.textContent !== words) place.textContent = words;
    }
  }
}

for (const root of document.querySelectorAll("[data-progress]")) {
  if (root instanceof HTMLElement && root.dataset.progress) new Follower(root);
}
