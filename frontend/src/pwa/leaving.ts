// Signing out, or changing the shop, while something waits would drop it: the person is asked first.
import type { Owner } from "../shared/account";
import { waiting } from "../shared/queue";
import { goal, type Pwa } from "./page";

export function askBeforeLeaving(owner: Owner, pwa: Pwa): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form")) {
    if (pwa.leaving.includes(goal(form))) form.addEventListener("submit", (event) => void ask(event, form, owner, pwa));
  }
}

const agreed = new WeakSet<HTMLFormElement>();

async function ask(event: SubmitEvent, form: HTMLFormElement, owner: Owner, pwa: Pwa): Promise<void> {
  if (agreed.has(form) || form.dataset.confirm) return;
  event.preventDefault();
  event.stopPropagation();
  const items = await waiting(owner).catch(() => []);
  if (items.length) {
    const key = goal(form) === pwa.leaving[0] ? "drop" : "drop_switch";
    form.dataset.confirm = pwa.words[`${key}_waiting`] ?? ""; // plain/js/confirm.js asks
    form.dataset.confirmYes = pwa.words[`${key}_yes`] ?? "";
  } else agreed.add(form);
  form.requestSubmit(event.submitter as HTMLElement | null);
}
