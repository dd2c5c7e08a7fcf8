// Another photo: its column comes from the server, and a line that breaks throws nobody out of the wizard.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Wizard } from "./wizard";

let answers: { resolve: (answer: Response) => void; reject: (error: Error) => void }[];
const assigned = vi.fn();
const said = vi.fn();

beforeEach(() => {
  answers = [];
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve, reject) => answers.push({ resolve, reject })));
  vi.spyOn(location, "assign").mockImplementation(assigned);
  document.addEventListener("imodel:toast", heard);
  document.body.innerHTML = `<form data-say-lost="No connection">
    <div data-step="1"><input type="radio" name="photo" value="a"><input type="radio" name="photo" value="b"></div></form>`;
  new Wizard(document.querySelector("form")!);
});
afterEach(() => {
  document.removeEventListener("imodel:toast", heard);
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  assigned.mockReset();
  said.mockReset();
});

function heard(event: Event): void {
  said((event as CustomEvent<{ words: string }>).detail.words);
}

function choose(photo: string): void {
  document.querySelector<HTMLInputElement>(`input[value="${photo}"]`)!.click();
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 0));

test("without a connection it is said, and one stays", async () => {
  choose("a");
  answers[0]!.reject(new TypeError("no line"));
  await soon();
  expect(said).toHaveBeenCalledWith("No connection");
  expect(assigned).not.toHaveBeenCalled();
});

test("an answer that was overtaken fails for nobody", async () => {
  choose("a");
  choose("b");
  answers[0]!.resolve(new Response("", { status: 404 }));
  await soon();
  expect(assigned).not.toHaveBeenCalled();
  answers[1]!.resolve(new Response("", { status: 404 }));
  await soon();
  expect(assigned).toHaveBeenCalledOnce();
});
