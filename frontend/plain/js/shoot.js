// @ts-check
// The Shoot page: another photo is looked at as soon as it is picked, and the button says how many pictures it makes.
// Without this the page has a button "Show this photo".

for (const form of document.querySelectorAll("form[data-shoot]")) {
  if (!(form instanceof HTMLFormElement)) continue;
  form.dataset.ready = "";
  const show = form.querySelector("button[data-show]");
  const count = form.querySelector("select[data-count-of]");
  const words = form.querySelector("[data-make-words]");
  const make = form.querySelector("[data-make]");

  const say = () => {
    if (!(count instanceof HTMLSelectElement) || !words) return;
    const { makeOne = "", makeMany = "" } = form.dataset;
    words.textContent = count.value === "1" ? makeOne : makeMany.replace("%s", count.value);
  };
  count?.addEventListener("change", say);
  say();

  form.addEventListener("change", (event) => {
    const { target } = event;
    if (!(target instanceof HTMLInputElement) || target.name !== "photo") return;
    if (show instanceof HTMLButtonElement) form.requestSubmit(show);
  });
  // While the photo is still being looked at: once the masks are there, the page shows them and keeps the choices.
  const look = form.querySelector("[data-look]");
  const ask = async () => {
    if (!(look instanceof HTMLElement) || !(show instanceof HTMLButtonElement)) return;
    try {
      const answer = await fetch(look.dataset.look ?? "", { headers: { Accept: "application/json" } });
      if (answer.ok && (await answer.json()).done) return form.requestSubmit(show);
    } catch {
      // no connection: ask again later
    }
    setTimeout(ask, 2000);
  };
  if (look) setTimeout(ask, 2000);

  form.addEventListener("submit", (event) => {
    if (event.submitter === make) make?.setAttribute("aria-busy", "true");
  });
}

// Coming back by the browser's own button shows the page as it was left: busy.
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-make]")) button.removeAttribute("aria-busy");
});
