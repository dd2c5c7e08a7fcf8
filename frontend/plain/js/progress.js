// @ts-check
// Follows a running job: [data-progress="URL"] (and [data-stream="URL"], by events) is followed and its parts filled in.
//
// JSON: {status, stage, fraction, position, eta_seconds, preview, pictures: [{id, url, verdict}], message, done, next}.
// Parts, anywhere inside the element: [data-stage] [data-fraction] (a <progress>) [data-eta] [data-position]
// [data-preview] (an <img>) [data-pictures] (grows <img>s) [data-message]. Words come from data-say-* (templates/ui/progress.html).
// When done, the page goes to `next`, or loads itself again. Each change is also an event of the element, imodel:progress;
// who prevents its default keeps the page as it is.
import { Following } from "./following.js";

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

class Follower {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    const { progress: poll = "", stream } = root.dataset;
    /** @type {Following<Progress>} */
    const following = new Following({
      poll,
      ...(stream ? { stream } : {}),
      hear: (progress) => this.hear(progress),
      lost: (lost) => lost && this.say("message", root.dataset.sayLost ?? ""),
      first: 700,
      calm: 4000,
      slowest: 15000,
    });
    following.wake();
  }

  /** @param {Progress} progress */
  hear(progress) {
    this.show(progress);
    const told = new CustomEvent("imodel:progress", { detail: progress, bubbles: true, cancelable: true });
    const leave = this.root.dispatchEvent(told);
    if (!progress.done) return false;
    if (!leave) return true;
    if (progress.next) location.assign(progress.next);
    else location.reload();
    return true;
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
