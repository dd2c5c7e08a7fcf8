// A toast with a button, for what a person may answer now or later.
export interface Offer {
  words: string;
  label: string;
  take: () => void;
}

/** Shown until it is taken or closed; a second one of the same kind replaces the first. */
export function offer(kind: string, { words, label, take }: Offer): void {
  const shelf = document.querySelector<HTMLElement>(".toasts");
  if (!shelf) return;
  shelf.querySelector(`[data-offer="${kind}"]`)?.remove();
  const toast = document.createElement("div");
  toast.className = "toast offer";
  toast.dataset.offer = kind;
  const text = document.createElement("span");
  text.textContent = words;
  toast.append(text, button(label, "button compact primary", take), closing(shelf, toast));
  shelf.append(toast);
}

function button(label: string, classes: string, press: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = classes;
  made.textContent = label;
  made.addEventListener("click", press);
  return made;
}

function closing(shelf: HTMLElement, toast: HTMLElement): HTMLButtonElement {
  const made = button("×", "button ghost icon-only compact", () => toast.remove());
  made.setAttribute("aria-label", shelf.dataset.closeLabel ?? "");
  return made;
}
