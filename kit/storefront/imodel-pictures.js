// Puts a garment's published pictures on a product page: no dependency, no key, nothing that is not public.
//
//   <div data-imodel-shop="https://your-imodel/p/<shop id>/pictures.json" data-imodel-sku="PD-17">
//     <img src="/your/own/photo.jpg" alt="Poppy dress">          what is shown until they come, and when there are none
//   </div>
//   <script type="module" src="imodel-pictures.js"></script>
//
// The address is under "In the shop", Feeds. What the element holds is replaced only when there is something to show: the
// first picture large, the others as buttons below it. Several elements of one shop ask once. It never throws: a shop's
// page must not break because ours does not answer.

const AT_ONCE = 50; // SKUs of one question

/**
 * @typedef {{width: number, height: number, webp: string, jpg: string}} Size
 * @typedef {{position: number, alt: string, sizes: {list: Size, card: Size, detail: Size}}} Shown
 * @typedef {{garment: string, sku: string, name: string, pictures: Shown[]}} Item
 */

/**
 * The published pictures of these SKUs, by SKU.
 * @param {string} address of pictures.json
 * @param {string[]} skus
 * @returns {Promise<Map<string, Item>>}
 */
export async function picturesOf(address, skus) {
  const found = new Map();
  for (let first = 0; first < skus.length; first += AT_ONCE) {
    const url = new URL(address);
    for (const sku of skus.slice(first, first + AT_ONCE)) url.searchParams.append("sku", sku);
    const answer = await fetch(url, { credentials: "omit" });
    if (!answer.ok) throw new Error(`${url.origin} answered ${answer.status}`);
    for (const item of (await answer.json()).items) found.set(item.sku, item);
  }
  return found;
}

/**
 * A picture in the size that fits, as WebP where the browser takes it.
 * @param {Shown} shown
 * @param {string} sizes as of an img: how wide it is drawn
 */
export function pictureOf(shown, sizes) {
  const picture = document.createElement("picture");
  const source = document.createElement("source");
  const image = document.createElement("img");
  const all = [...new Map(Object.values(shown.sizes).map((size) => [size.width, size])).values()];
  source.type = "image/webp";
  source.srcset = all.map((size) => `${size.webp} ${size.width}w`).join(", ");
  source.sizes = image.sizes = sizes;
  image.srcset = all.map((size) => `${size.jpg} ${size.width}w`).join(", ");
  image.src = shown.sizes.card.jpg;
  image.alt = shown.alt;
  image.width = shown.sizes.card.width;
  image.height = shown.sizes.card.height;
  image.loading = "lazy";
  picture.append(source, image);
  return picture;
}

/**
 * @param {HTMLElement} place
 * @param {Item} item
 */
function show(place, item) {
  const stage = document.createElement("div");
  stage.className = "imodel-stage";
  const row = document.createElement("div");
  row.className = "imodel-row";
  const choose = (/** @type {Shown} */ shown) => {
    stage.replaceChildren(pictureOf(shown, place.dataset.imodelSizes ?? "(min-width: 800px) 50vw, 100vw"));
    for (const button of row.children) {
      button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.position === String(shown.position)));
    }
  };
  for (const shown of item.pictures.length > 1 ? item.pictures : []) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.position = String(shown.position);
    button.append(pictureOf(shown, "80px"));
    button.addEventListener("click", () => choose(shown));
    row.append(button);
  }
  choose(item.pictures[0]);
  place.replaceChildren(stage, ...(row.children.length ? [row] : []));
  place.dispatchEvent(new CustomEvent("imodel:shown", { bubbles: true, detail: item }));
}

/** Fills every element of the page that asks for pictures. */
export async function fill(root = document) {
  /** @type {Map<string, HTMLElement[]>} */
  const byShop = new Map();
  for (const place of root.querySelectorAll("[data-imodel-shop][data-imodel-sku]")) {
    const element = /** @type {HTMLElement} */ (place);
    const shop = element.dataset.imodelShop ?? "";
    byShop.set(shop, [...(byShop.get(shop) ?? []), element]);
  }
  for (const [shop, places] of byShop) {
    try {
      const found = await picturesOf(shop, [...new Set(places.map((place) => place.dataset.imodelSku ?? ""))]);
      for (const place of places) {
        const item = found.get(place.dataset.imodelSku ?? "");
        if (item?.pictures.length) show(place, item);
      }
    } catch (error) {
      console.warn("iModel:", error); // the page keeps what it had
    }
  }
}

void fill();
