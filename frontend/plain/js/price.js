// @ts-check
// The price beside a button follows the fields that it is the product of (templates/ui/price.html). The server says
// the price of what was preselected and decides what is charged; this only says it sooner.

for (const place of document.querySelectorAll("[data-price]")) {
  const form = place.closest("form");
  const words = place.querySelector("[data-price-words]");
  const short = place.querySelector("[data-price-short]");
  if (!(place instanceof HTMLElement) || !form || !words) continue;
  const { price: fields = "", balance = "0", sayOne = "", sayMany = "" } = place.dataset;

  const say = () => {
    const given = new FormData(form);
    const price = fields.split(" ").reduce((product, name) => product * Math.max(1, Number(given.get(name)) || 1), 1);
    words.textContent = price === 1 ? sayOne : sayMany.replace("%s", String(price));
    if (short instanceof HTMLElement) short.hidden = price <= Number(balance);
  };
  form.addEventListener("input", say);
  say();
}
