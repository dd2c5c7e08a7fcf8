// @ts-check
// The before-and-after slider: a range input over two pictures moves the edge between them.

for (const box of document.querySelectorAll("[data-slider]")) {
  const range = box.querySelector("input[type=range]");
  if (!(box instanceof HTMLElement) || !(range instanceof HTMLInputElement)) continue;
  const { sayValue } = range.dataset;
  const move = () => {
    box.style.setProperty("--at", `${range.value}%`);
    if (sayValue) range.setAttribute("aria-valuetext", sayValue.replace("%s", String(Math.round(Number(range.value)))));
  };
  range.addEventListener("input", move);
  box.dataset.ready = "";
  move();
}
