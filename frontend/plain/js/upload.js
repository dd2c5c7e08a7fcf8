// @ts-check
// The drop zone of templates/ui/dropzone.html: each file goes by itself, three at a time, with its progress; the network
// and the server get three more tries, a refused file says why and stays in the list with a button to try again.
// The other fields of the form (csrf token, side, ...) go along with each file. The answer is JSON; an error is
// {"error": {code, message, field, retryable, request_id}}. When all are in, the page goes to the last answer's `next`,
// or loads itself again; while one has failed it stays.
import { KINDS, wrongWith } from "./photos.js";

const AT_ONCE = 3;
const TRIES = 4;
const FIRST_WAIT = 1000;

/** What the answer to one file was. `again` says whether trying once more may help. */
class Refusal extends Error {
  /**
   * @param {string} words
   * @param {boolean} again
   */
  constructor(words, again) {
    super(words);
    this.again = again;
  }
}

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One line of the list. */
class Line {
  /**
   * @param {File} file
   * @param {HTMLElement} list
   */
  constructor(file, list) {
    this.file = file;
    this.item = document.createElement("li");
    this.item.className = "upload";
    const image = document.createElement("img");
    image.className = "thumb";
    image.alt = "";
    image.src = URL.createObjectURL(file);
    image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
    image.addEventListener("error", () => image.removeAttribute("src"), { once: true });
    const name = document.createElement("span");
    name.className = "truncate";
    name.textContent = file.name;
    this.state = document.createElement("span");
    this.state.className = "upload-state num";
    this.below = document.createElement("div");
    this.below.className = "upload-line";
    this.item.append(image, name, this.state, this.below);
    list.append(this.item);
  }

  /** @param {string} words */
  say(words) {
    this.item.classList.remove("failed");
    this.state.textContent = words;
    this.below.replaceChildren();
  }

  /** @param {number} fraction */
  move(fraction) {
    let bar = this.below.querySelector("progress");
    if (!bar) {
      bar = document.createElement("progress");
      bar.className = "progress";
      bar.max = 100;
      this.below.replaceChildren(bar);
    }
    bar.value = 100 * fraction;
    this.state.textContent = `${Math.round(100 * fraction)} %`;
  }

  /**
   * @param {string} words
   * @param {string} label of the button
   * @param {(() => void) | null} retry
   */
  fail(words, label, retry) {
    this.item.classList.add("failed");
    this.state.textContent = "";
    this.below.textContent = words;
    if (!retry) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button compact";
    button.textContent = label;
    button.addEventListener("click", retry);
    this.state.replaceChildren(button);
  }
}

class DropZone {
  /**
   * @param {HTMLElement} box
   * @param {HTMLFormElement} form
   * @param {HTMLInputElement} input
   * @param {HTMLElement} list
   */
  constructor(box, form, input, list) {
    this.box = box;
    this.form = form;
    this.input = input;
    this.list = list;
    this.url = box.dataset.upload || form.action;
    this.field = box.dataset.field || input.name;
    /** @type {Line[]} */
    this.waiting = [];
    this.busy = 0;
    this.failed = 0;
    this.next = "";
    /** @type {HTMLElement | null} */
    this.veil = null;
    box.dataset.ready = "";
    this.listen();
  }

  listen() {
    this.input.addEventListener("change", () => {
      this.take([...(this.input.files ?? [])]);
      this.input.value = "";
    });
    // Anywhere on the page is the drop zone; without preventDefault the browser would open the file instead.
    document.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.over(true);
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) this.over(false);
    });
    document.addEventListener("drop", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.over(false);
      this.come([...event.dataTransfer.files]);
    });
    document.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])].filter((file) => KINDS.includes(file.type));
      if (!files.length) return;
      event.preventDefault();
      this.come(files);
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.busy) event.preventDefault();
    });
  }

  /**
   * While a file is carried over the page the whole window says that it may be let go.
   * @param {boolean} on
   */
  over(on) {
    this.box.classList.toggle("over", on);
    if (on && !this.veil) {
      this.veil = document.createElement("div");
      this.veil.className = "drop-veil";
      this.veil.textContent = this.box.dataset.sayDrop ?? "";
      document.body.append(this.veil);
    } else if (!on) {
      this.veil?.remove();
      this.veil = null;
    }
  }

  /**
   * From wherever on the page: the list of what is sent comes into view.
   * @param {File[]} files
   */
  come(files) {
    this.take(files);
    this.list.scrollIntoView({ block: "nearest" });
  }

  /** @param {File[]} files */
  take(files) {
    for (const file of files) {
      const line = new Line(file, this.list);
      const wrong = this.wrong(file);
      if (wrong) line.fail(wrong, "", null);
      else this.enqueue(line);
    }
  }

  /**
   * @param {File} file
   * @returns {string | undefined} why it is refused before it is sent
   */
  wrong(file) {
    const wrong = wrongWith(file);
    return wrong ? { big: this.box.dataset.sayBig, type: this.box.dataset.sayType }[wrong] : undefined;
  }

  /** @param {Line} line */
  enqueue(line) {
    line.say(this.box.dataset.sayWaiting ?? "");
    this.waiting.push(line);
    this.fill();
  }

  fill() {
    while (this.busy < AT_ONCE) {
      const line = this.waiting.shift();
      if (!line) break;
      this.busy += 1;
      void this.work(line).finally(() => {
        this.busy -= 1;
        this.fill();
        if (!this.busy && !this.waiting.length && !this.failed) this.leave();
      });
    }
  }

  leave() {
    if (this.next) location.assign(this.next);
    else location.reload();
  }

  /** @param {Line} line */
  async work(line) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.next = (await this.send(line)) || this.next;
        return line.say(this.box.dataset.sayDone ?? "");
      } catch (error) {
        const refusal = error instanceof Refusal ? error : new Refusal(String(error), false);
        if (!refusal.again || attempt === TRIES) return this.giveUp(line, refusal.message);
        line.say(this.box.dataset.sayRetrying ?? "");
        await sleep(FIRST_WAIT * 2 ** (attempt - 1));
      }
    }
  }

  /**
   * @param {Line} line
   * @param {string} words
   */
  giveUp(line, words) {
    this.failed += 1;
    line.fail(words, this.box.dataset.sayRetry ?? "", () => {
      this.failed -= 1;
      this.enqueue(line);
    });
  }

  /**
   * XMLHttpRequest, because fetch cannot tell how far an upload is.
   * @param {Line} line
   * @returns {Promise<string>} where to go next, if the answer says so
   */
  send(line) {
    line.move(0);
    const body = new FormData(this.form);
    body.delete(this.input.name);
    body.set(this.field, line.file, line.file.name);
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", this.url);
      request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
      request.setRequestHeader("Accept", "application/json");
      request.upload.addEventListener("progress", (event) => line.move(event.loaded / event.total));
      request.addEventListener("error", () => reject(new Refusal(this.box.dataset.sayOffline ?? "", true)));
      request.addEventListener("timeout", () => reject(new Refusal(this.box.dataset.sayOffline ?? "", true)));
      request.addEventListener("load", () => {
        const answer = readJson(request.responseText);
        if (request.status >= 200 && request.status < 300) resolve(answer.next ?? "");
        else reject(this.refusal(request.status, answer));
      });
      request.timeout = 180_000;
      request.send(body);
    });
  }

  /**
   * @param {number} status
   * @param {Answer} answer
   */
  refusal(status, answer) {
    const again = answer.error?.retryable ?? status >= 500;
    return new Refusal(answer.error?.message || (this.box.dataset.sayServer ?? ""), again);
  }
}

/** @typedef {{next?: string, error?: {code: string, message: string, retryable: boolean}}} Answer */

/**
 * @param {string} text
 * @returns {Answer}
 */
function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {}; // a proxy's own error page
  }
}

for (const box of document.querySelectorAll("[data-upload]")) {
  const form = box.closest("form");
  const input = box.querySelector("input[type=file]");
  const list = form?.querySelector(".upload-list");
  if (box instanceof HTMLElement && form && input instanceof HTMLInputElement && list instanceof HTMLElement) {
    new DropZone(box, form, input, list);
  }
}
