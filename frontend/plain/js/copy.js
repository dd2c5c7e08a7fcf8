// @ts-check
// <button data-copy="#id" data-copied="Copied"> copies the text of #id.
import { toast } from "./toast.js";

document.addEventListener("click", async (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
  if (!(button instanceof HTMLElement)) return;
  const source = document.querySelector(button.dataset.copy ?? "");
  await navigator.clipboard.writeText(source?.textContent?.trim() ?? "");
  toast(button.dataset.copied ?? "Copied", "good");
});
