// @ts-check
// On a phone a row of tabs is wider than the page: the one that is open comes into view.

for (const tab of document.querySelectorAll('.tabs [aria-current="page"]')) {
  const row = tab.parentElement;
  if (row && tab instanceof HTMLElement) row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}
