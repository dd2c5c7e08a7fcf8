import { createSignal } from "solid-js";
import type { Editing } from "./editing";

/** What is drawn, as a pose for any shoot. */
export function Keep(props: { editing: Editing }) {
  const { say } = props.editing;
  const [title, setTitle] = createSignal("");
  const keep = async (event: SubmitEvent) => {
    event.preventDefault();
    const known = props.editing.poses().length;
    await props.editing.keep(title());
    if (props.editing.poses().length > known) setTitle("");
  };
  return (
    <details class="disclosure">
      <summary>{say("keep")}</summary>
      <form class="form" onSubmit={(event) => void keep(event)}>
        <div class="field">
          <label for="sk-title">{say("keep-name")}</label>
          <input id="sk-title" type="text" required maxlength="80" value={title()} onInput={(event) => setTitle(event.currentTarget.value)} />
        </div>
        <button class="button" type="submit" disabled={props.editing.busy()}>{say("keep-do")}</button>
      </form>
    </details>
  );
}
