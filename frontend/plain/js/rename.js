// @ts-check
// Names that can be typed over in place: any element with data-rename="URL" (POST name=...) gets a pencil behind it.
// The pencil is the page's <template data-rename-pencil> (templates/ui/rename.html).
// Enter or leaving the field saves, Escape takes back; without JavaScript the garment's own page has a form for it.

class Name {
  /** @param {HTMLElement} shown */
  constructor(shown) {
    this.shown = shown;
    this.url = shown.dataset.rename ?? "";
    this.pencil = pencil();
    this.pencil.setAttribute("aria-label", `${shown.dataset.renameLabel ?? ""} ${shown.textContent}`);
    this.pencil.addEventListener("click", () => this.open());
    shown.after(this.pencil);
  }

  open() {
    const input = document.createElement("input");
    input.className = "rename-input";
    input.value = (this.shown.textContent ?? "").trim();
    input.maxLength = 200;
    input.setAttribute("aria-label", this.shown.dataset.renameLabel ?? "");
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close(input);
      if (event.key === "Enter") {
        event.preventDefault(); // the form around the gallery is another one
        void this.save(input);
      }
    });
    input.addEventListener("blur", () => void this.save(input));
    this.shown.hidden = true;
    this.pencil.hidden = true;
    this.shown.after(input);
    input.focus();
    input.select();
  }

  /** @param {HTMLInputElement} input */
  close(input) {
    if (!input.isConnected) return;
    input.remove();
    this.shown.hidden = false;
    this.pencil.hidden = false;
    this.pencil.focus({ preventScroll: true });
  }

  /** @param {HTMLInputElement} input */
  async save(input) {
    const name = input.value.trim();
    if (!input.isConnected || input.readOnly) return;
    if (!name || name === (this.shown.textContent ?? "").trim()) return this.close(input);
    input.readOnly = true;
    const body = new FormData();
    body.set("name", name);
    body.set("csrfmiddlewaretoken", csrf());
    try {
      const answer = await fetch(this.url, { method: "POST", body, headers: { "X-Requested-With": "XMLHttpRequest", Accept: "application/json" } });
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.error?.message ?? "");
      this.shown.textContent = found.name;
      this.close(input);
    } catch (error) {
      input.readOnly = false;
      input.setCustomValidity(error instanceof Error ? error.message : "");
      input.reportValidity();
      input.addEventListener("input", () => input.setCustomValidity(""), { once: true });
    }
  }
}

/** @returns {HTMLButtonElement} */
function pencil() {
  const drawn = document.querySelector("template[data-rename-pencil]");
  const made = drawn instanceof HTMLTemplateElement ? drawn.content.firstElementChild?.cloneNode(true) : null;
  if (made instanceof HTMLButtonElement) return made;
  throw new Error("the page lacks templates/ui/rename.html");
}

function csrf() {
  const field = document.querySelector("input[name=csrfmiddlewaretoken]");
  return field instanceof HTMLInputElement ? field.value : "";
}

for (const shown of document.querySelectorAll("[data-rename]")) {
  if (shown instanceof HTMLElement) new Name(shown);
}
