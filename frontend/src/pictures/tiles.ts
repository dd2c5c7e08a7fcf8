// One tile between its template, the page that came from the server, and what is known of it.
import type { Words } from "../shared/words";
import { fill } from "../shared/words";
import type { Tile } from "./shelf";

/** Clones the template that the page brings (templates/generation/tile.html with every=True). */
export class Tiles {
  constructor(
    private readonly template: HTMLTemplateElement,
    private readonly words: Words,
  ) {}

  draw(tile: Tile): HTMLElement {
    const drawn = this.clone();
    drawn.dataset.id = tile.id;
    const pick = part<HTMLInputElement>(drawn, ".tile-pick");
    pick.value = tile.id;
    pick.setAttribute("aria-label", fill(this.words.choose ?? "", { name: tile.name }));
    part<HTMLAnchorElement>(drawn, "a.picture").href = tile.href;
    part(drawn, ".tile-name").textContent = tile.name;
    this.picture(drawn, tile);
    for (const badge of drawn.querySelectorAll<HTMLElement>("[data-verdict]")) {
      if (badge.dataset.verdict !== tile.verdict) badge.remove();
    }
    favour(drawn, tile);
    return drawn;
  }

  /** A place whose picture is not loaded yet. */
  blank(): HTMLElement {
    const drawn = document.createElement("div");
    drawn.className = "tile blank";
    drawn.setAttribute("aria-hidden", "true");
    const picture = document.createElement("div");
    picture.className = "skeleton picture";
    const line = document.createElement("div");
    line.className = "tile-line";
    drawn.append(picture, line);
    return drawn;
  }

  private clone(): HTMLElement {
    const root = this.template.content.firstElementChild;
    if (!root) throw new Error("the page brings no tile");
    return document.importNode(root as HTMLElement, true); // a template's own document resolves no addresses
  }

  private picture(drawn: HTMLElement, tile: Tile): void {
    const image = part<HTMLImageElement>(drawn, "a.picture > img");
    if (!tile.image) return image.remove();
    drawn.querySelector(".withheld")?.remove();
    image.alt = tile.name;
    image.width = tile.width;
    image.height = tile.height;
    image.loading = "eager"; // only what is near the view is drawn at all
    image.src = tile.image;
  }
}

/** The heart as it is now; people who may only look have none. */
export function favour(drawn: HTMLElement, tile: Tile): void {
  const heart = drawn.querySelector<HTMLButtonElement>("[data-favourite]");
  if (!heart) return;
  heart.classList.toggle("on", tile.favourite);
  heart.value = tile.favourite ? "0" : "1";
  heart.setAttribute("aria-pressed", String(tile.favourite));
  heart.setAttribute("formaction", (heart.getAttribute("formaction") ?? "").replace(/[0-9a-f-]{36}/, tile.id));
}

/** What the server drew, read back, so that the first page is not fetched twice. */
export function readTile(drawn: HTMLElement): Tile {
  const image = drawn.querySelector<HTMLImageElement>("a.picture > img");
  return {
    id: drawn.dataset.id ?? "",
    image: image?.getAttribute("src") ?? "",
    name: part(drawn, ".tile-name").textContent ?? "",
    href: part<HTMLAnchorElement>(drawn, "a.picture").getAttribute("href") ?? "",
    width: Number(image?.getAttribute("width") ?? 2),
    height: Number(image?.getAttribute("height") ?? 3),
    verdict: drawn.querySelector<HTMLElement>("[data-verdict]")?.dataset.verdict ?? "none",
    favourite: drawn.querySelector("[data-favourite]")?.getAttribute("aria-pressed") === "true",
  };
}

function part<E extends HTMLElement = HTMLElement>(drawn: ParentNode, selector: string): E {
  const found = drawn.querySelector<E>(selector);
  if (!found) throw new Error(`a tile has no ${selector}`);
  return found;
}
