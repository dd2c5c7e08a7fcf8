import { createEffect, createSignal, For, onCleanup, Show, untrack } from "solid-js";
import { control } from "./client";
import type { Editing } from "./editing";

const PAUSE = 220; // ms without a change before the server draws

/** The very picture that the engine is given, drawn by the studio itself. */
export function Preview(props: { editing: Editing; crops: readonly (readonly [string, string])[] }) {
  const { say } = props.editing;
  const [crop, setCrop] = createSignal(props.crops[0]?.[0] ?? "head-to-toe");
  const [url, setUrl] = createSignal("");
  const [lost, setLost] = createSignal(false);
  let asked = new AbortController();
  const show = (next: string) => {
    URL.revokeObjectURL(url());
    setUrl(next);
  };
  createEffect(() => {
    const [state, figure, wanted] = [props.editing.state(), props.editing.figure(), crop()];
    asked.abort();
    const mine = (asked = new AbortController());
    const draw = async () => {
      try {
        const picture = await control(mine.signal, state, figure, wanted);
        if (mine.signal.aborted) return;
        show(URL.createObjectURL(picture));
        setLost(false);
      } catch {
        // An edit that came meanwhile asks anew; without a connection the old drawing stays, and is said to be old.
        if (!mine.signal.aborted) setLost(true);
      }
    };
    const timer = window.setTimeout(() => void draw(), untrack(url) ? PAUSE : 0); // tracked, each drawing would ask for the next
    onCleanup(() => window.clearTimeout(timer));
  });
  onCleanup(() => {
    asked.abort();
    URL.revokeObjectURL(url());
  });
  return (
    <section class="card stack tight" aria-labelledby="sk-preview-title">
      <h2 id="sk-preview-title">{say("preview")}</h2>
      <div class="picture sk-control" classList={{ old: lost() }}>
        <Show when={url()}>{(address) => <img src={address()} alt={say("preview")} width="512" height="768" />}</Show>
      </div>
      <Show when={lost()}>
        <p class="small warn" role="status">{say("no-picture")}</p>
      </Show>
      <div class="segmented" role="radiogroup" aria-label={say("crop")}>
        <For each={props.crops}>
          {([value, label]) => (
            <label>
              <input type="radio" name="sk-crop" value={value} checked={crop() === value} onChange={() => setCrop(value)} />
              <span>{label}</span>
            </label>
          )}
        </For>
      </div>
    </section>
  );
}
