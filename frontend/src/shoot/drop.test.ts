import { beforeAll, expect, test } from "vitest";

beforeAll(async () => {
  await import("../../plain/js/drop.js");
});

/** Whether the browser would be left to open the file. */
function opens(at: EventTarget, kind: "dragover" | "drop", types: string[]): boolean {
  const event = new Event(kind, { bubbles: true, cancelable: true });
  Object.defineProperty(event, "dataTransfer", { value: { types, dropEffect: "copy" } });
  return at.dispatchEvent(event);
}

test("a file beside its place opens nothing; a field for files, and what is no file, stay the browser's", () => {
  document.body.innerHTML = `<input type="file">`;
  const field = document.querySelector("input")!;
  for (const kind of ["dragover", "drop"] as const) {
    expect(opens(document.body, kind, ["Files"])).toBe(false);
    expect(opens(field, kind, ["Files"])).toBe(true);
    expect(opens(document.body, kind, ["text/plain"])).toBe(true);
  }
});
