// @ts-check
// Follows something that moves: by server-sent events where the server has a place, else by asking again and again.
//
// The stream's events and the polled answers are the same JSON. A stream that is refused (204, or anything but 200), that
// says nothing (a proxy that keeps it back) or that drops three times in a row gives way to polling. Nothing is open or
// asked while the page is hidden. 401 and 404 load the page again.

const SILENT = 8000; // ms without a first event after which the stream is taken for kept back
const DROPS = 3;

/**
 * @template T
 * @typedef {object} Wishes
 * @property {string} poll the address that is asked
 * @property {string} [stream] the address of the stream; none: only polling
 * @property {(told: T) => unknown} hear what to do with each change; true (or a promise of it) ends it all
 * @property {(lost: boolean) => void} lost told whether there is no connection
 * @property {number} first ms between two questions while things move
 * @property {number} calm ms between two questions while nothing does
 * @property {number} slowest ms between two questions without a connection
 */

/** @template T */
export class Following {
  /** @param {Wishes<T>} wishes */
  constructor(wishes) {
    this.wishes = wishes;
    this.etag = "";
    this.wait = wishes.first;
    this.drops = 0;
    this.over = false;
    this.streams = Boolean(wishes.stream) && typeof EventSource === "function";
    /** @type {EventSource | null} */
    this.source = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    document.addEventListener("visibilitychange", () => this.wake());
    window.addEventListener("online", () => this.wake());
    window.addEventListener("pagehide", () => this.rest());
    window.addEventListener("pageshow", (event) => event.persisted && this.wake());
  }

  /** From now on. */
  wake() {
    this.rest();
    this.wait = this.wishes.first;
    if (this.over || document.hidden) return;
    if (this.streams) this.listen();
    else void this.ask();
  }

  /** Neither open nor asking. */
  rest() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  stop() {
    this.over = true;
    this.rest();
  }

  // ---- by events
  listen() {
    const source = new EventSource(this.wishes.stream ?? "");
    this.source = source;
    this.timer = setTimeout(() => this.poll(), SILENT);
    source.onmessage = (event) => {
      clearTimeout(this.timer);
      this.drops = 0;
      this.take(/** @type {T} */ (JSON.parse(event.data)), "").catch(() => this.trouble()); // hidden meanwhile: no stream any more
    };
    source.onerror = () => {
      this.drops += 1;
      if (source.readyState === EventSource.CLOSED || this.drops >= DROPS) this.poll();
    };
  }

  /** The stream is given up for as long as this page lives. */
  poll() {
    this.streams = false;
    this.rest();
    if (!this.over && !document.hidden) void this.ask();
  }

  // ---- by asking
  async ask() {
    clearTimeout(this.timer);
    try {
      // no-store: the browser's own cache would answer 304 as 200 and hide that nothing changed
      const headers = { Accept: "application/json", ...(this.etag ? { "If-None-Match": this.etag } : {}) };
      const answer = await fetch(this.wishes.poll, { headers, cache: "no-store", credentials: "same-origin" });
      if (answer.status === 401 || answer.status === 404 || answer.redirected) return location.reload();
      if (!answer.ok && answer.status !== 304) throw new Error(String(answer.status));
      if (answer.status === 304) this.calm();
      else await this.take(/** @type {T} */ (await answer.json()), answer.headers.get("ETag") ?? "");
    } catch {
      this.trouble();
    }
    if (!this.over && !document.hidden && !this.source) this.timer = setTimeout(() => void this.ask(), this.wait);
  }

  calm() {
    this.wishes.lost(false);
    this.wait = Math.min(this.wait * 1.3, this.wishes.calm);
  }

  trouble() {
    this.wishes.lost(true);
    this.wait = Math.min(this.wait * 2, this.wishes.slowest);
  }

  /**
   * @param {T} told
   * @param {string} etag kept only when it was heard to the end, so that a failure is told again
   */
  async take(told, etag) {
    try {
      this.wishes.lost(false);
      if ((await this.wishes.hear(told)) === true) return this.stop();
      this.etag = etag;
      this.wait = this.wishes.first;
    } catch (error) {
      if (!this.source) throw error;
      this.trouble();
      this.poll();
    }
  }
}
