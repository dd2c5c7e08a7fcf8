// @ts-check
// The page of a new batch: form[data-batch-form="URL"] is sent there after each change, and [data-sum] shows what comes back:
// the count, the price and the time. Without this a button counts again.

for (const form of document.querySelectorAll("form[data-batch-form]")) {
  if (!(form instanceof HTMLFormElement)) continue;
  form.dataset.ready = "";
  const sum = form.querySelector("[data-sum]");
  /** @type {AbortController | undefined} */
  let asking;
  /** @type {number | undefined} */
  let timer;

  const count = async () => {
    asking?.abort();
    asking = new AbortController();
    try {
      const body = new FormData(form);
      const answer = await fetch(form.dataset.batchForm ?? "", { method: "POST", body, signal: asking.signal });
      if (answer.ok && sum) {
        const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
        sum.replaceChildren(...document.adoptNode(drawn.body).childNodes);
      }
    } catch {
      // A newer question, or no connection: the server counts once more before anything starts.
    }
  };

  form.addEventListener("change", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-search]")) return;
    clearTimeout(timer);
    timer = window.setTimeout(count, 150);
  });
  form.addEventListener("submit", (event) => {
    const start = form.querySelector("[data-start]");
    if (event.submitter === start) start?.setAttribute("aria-busy", "true");
  });
}

// Coming back by the browser's own button shows the page as it was left: busy.
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-start]")) button.removeAttribute("aria-busy");
});
