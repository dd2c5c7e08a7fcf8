// The entry "Install the app" in the account menu: there only while the browser would install it.
import { toast } from "../shared/dom";
import type { Words } from "../shared/words";

interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: "accepted" | "dismissed" }>;
}

export function offerInstall(words: Words): void {
  const entry = document.querySelector<HTMLButtonElement>("[data-install]");
  if (!entry || matchMedia("(display-mode: standalone)").matches) return;
  if (isAppleTouch()) return show(entry, () => toast(words.ios_install ?? ""));
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault(); // no bar of the browser's own over the page
    show(entry, () => void ask(entry, event as InstallPrompt));
  });
  window.addEventListener("appinstalled", () => void (entry.hidden = true));
}

function show(entry: HTMLButtonElement, press: () => void): void {
  entry.hidden = false;
  entry.onclick = press;
}

async function ask(entry: HTMLButtonElement, prompt: InstallPrompt): Promise<void> {
  await prompt.prompt();
  entry.hidden = true; // a prompt may be shown once; the browser makes another when it sees fit
}

/** Safari there has no prompt, only its Share menu. */
function isAppleTouch(): boolean {
  return /iPhone|iPad|iPod/.test(navigator.userAgent) && !("onbeforeinstallprompt" in window);
}
