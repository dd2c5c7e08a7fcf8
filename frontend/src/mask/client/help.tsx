// The shortcuts, in a dialog of the browser's own: Esc closes it and the focus goes back.
import { createEffect, For } from "solid-js";
import { Press } from "./controls";
import { say } from "./words";

const KEYS: readonly (readonly [keys: readonly string[], word: string])[] = [
  [["A"], "tool_add"],
  [["R"], "tool_remove"],
  [["B"], "tool_brush"],
  [["E"], "tool_eraser"],
  [["H", "Space"], "tool_hand"],
  [["["], "smaller_brush"],
  [["]"], "larger_brush"],
  [["Alt"], "opposite"],
  [["N"], "new_part"],
  [["1", "2", "3"], "candidates"],
  [["Del"], "delete_part"],
  [["Ctrl Z"], "undo"],
  [["Ctrl Shift Z", "Ctrl Y"], "redo"],
  [["V"], "look"],
  [["+", "-", "0"], "zoom_keys"],
  [["←", "↑", "→", "↓"], "move_cursor"],
  [["Enter"], "click_cursor"],
  [["Shift ←"], "pan_keys"],
  [["S"], "save"],
  [["Esc"], "escape"],
];

export function Help(props: { open: boolean; onClose: () => void }) {
  let dialog!: HTMLDialogElement;
  createEffect(() => {
    if (props.open && !dialog.open) dialog.showModal();
    if (!props.open && dialog.open) dialog.close();
  });
  return (
    <dialog ref={dialog} class="dialog cutter-help" aria-labelledby="cutter-help-name" onClose={() => props.onClose()}>
      <div class="cutter-side-head">
        <h2 id="cutter-help-name">{say("help")}</h2>
        <Press icon="close" name={say("close")} onPress={() => props.onClose()} class="quiet" />
      </div>
      <dl class="cutter-keys">
        <For each={KEYS}>
          {([keys, word]) => (
            <div>
              <dt>
                <For each={keys}>{(key) => <kbd>{key}</kbd>}</For>
              </dt>
              <dd>{say(word)}</dd>
            </div>
          )}
        </For>
      </dl>
    </dialog>
  );
}
