import { createSignal } from "solid-js";
import { render } from "solid-js/web";
import { expect, test, vi } from "vitest";
import { newPart, type Edits, NOTHING, type Part, withoutPart, withPart } from "../logic/model";
import { Parts } from "./controls";
import type { Room } from "./room";

vi.mock("./icons", () => ({ Icon: () => null })); // drawings of templates/, outside vitest's root

/** Two parts that were painted. */
function room(): Room {
  const strokes = [{ add: true, radius: 1, path: [1, 1] }];
  const both = ["p1", "p2"].reduce((edits, id) => withPart(edits, newPart(id, { strokes })), NOTHING);
  const [edits, setEdits] = createSignal<Edits>(both);
  const session = {
    get edits() {
      return edits();
    },
    change: (part: Part, change: Partial<Part>) => setEdits(withPart(edits(), { ...part, ...change })),
    remove: (id: string) => setEdits(withoutPart(edits(), id)),
    select: () => undefined,
  };
  return { session, proposals: [] } as unknown as Room;
}

test("hiding and deleting a part by keys keeps the focus in the list", () => {
  const made = room();
  const end = render(() => <Parts room={made} />, document.body);
  const press = (name: string, at: number): void => {
    const button = document.querySelectorAll<HTMLButtonElement>(`button[aria-label="${name}"]`)[at]!;
    button.focus();
    button.click();
  };
  press("hide_part", 0);
  expect(document.activeElement?.getAttribute("aria-label")).toBe("show_part");
  press("delete_part", 1);
  expect(document.activeElement?.getAttribute("aria-label")).toBe("delete_part");
  end();
});
