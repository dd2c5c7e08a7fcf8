// The skeleton editor: joints over the photo, to be dragged where they belong.
import { render } from "solid-js/web";
import { islands, whenReady } from "../shared/dom";
import { readData, readWords } from "../shared/words";
import { load } from "./client";
import { Editor } from "./Editor";
import { editing, sayer } from "./editing";

async function mount(place: HTMLElement): Promise<void> {
  const words = readWords("skeleton");
  try {
    const state = await load(null, place.dataset.state ?? "");
    const crops = readData<[string, string][]>("skeleton-crops") ?? [];
    place.replaceChildren();
    render(() => <Editor editing={editing(state, sayer(words))} crops={crops} alt={place.dataset.alt ?? ""} />, place);
  } catch (error) {
    const notice = document.createElement("p");
    notice.className = "notice bad";
    notice.textContent = sayer(words)("not-loaded");
    place.append(notice); // the still picture stays
    console.warn("skeleton editor:", error);
  }
}

whenReady(() => islands("skeleton").forEach((place) => void mount(place)));
