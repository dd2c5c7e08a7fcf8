// @ts-check
// How many shoots and trainings run, in the top bar: asked now and then while some do and the page is looked at.

const EVERY = 12000; // ms

const link = document.querySelector("a[data-running]");

async function ask() {
  if (!(link instanceof HTMLElement)) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(link.dataset.running ?? "", { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.ok && !answer.redirected) show(link, (await answer.json()).running);
    } catch {
      // no connection: the number stays as it was
    }
  }
  if (!link.hidden) setTimeout(ask, EVERY);
}

/**
 * @param {HTMLElement} place
 * @param {number} running
 */
function show(place, running) {
  const number = place.querySelector(".num");
  if (number) number.textContent = String(running);
  place.hidden = running === 0;
}

if (link) setTimeout(ask, EVERY);
