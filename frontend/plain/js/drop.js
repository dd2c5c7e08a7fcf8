// @ts-check
// A file that is let go where nothing takes it would open in the tab, and what one was at would be gone. On the window, so
// that whoever takes files on the page has had the event before.

/** @param {DragEvent} event */
function isMissed(event) {
  const field = event.target instanceof Element && event.target.closest("input[type=file]"); // takes files by itself
  return !event.defaultPrevented && !field && Boolean(event.dataTransfer?.types.includes("Files"));
}

window.addEventListener("dragover", (event) => {
  if (!isMissed(event)) return;
  event.preventDefault();
  if (event.dataTransfer) event.dataTransfer.dropEffect = "none";
});
window.addEventListener("drop", (event) => isMissed(event) && event.preventDefault());

export {}; // a module, for the tests too
