// @ts-check
// One key for one link or button: [data-key="j"]. Left alone while somebody types or a dialog is open.

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const key = { ArrowLeft: "k", ArrowRight: "j" }[event.key] ?? event.key;
  if (key.length !== 1) return;
  const found = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (found instanceof HTMLElement) found.click();
});
