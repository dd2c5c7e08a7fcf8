import { createSignal, getOwner, onMount, runWithOwner, Show } from "solid-js";
import { keepDrafts, takeUpDraft } from "./drafts";
import type { Editing } from "./editing";
import { JointPanel } from "./JointPanel";
import { Keep } from "./Keep";
import { keysOf } from "./keys";
import { Library } from "./Library";
import type { Figure } from "./logic/figure";
import { fitted, boxOf, type Size, type View } from "./logic/view";
import { Preview } from "./Preview";
import { Stage } from "./Stage";
import { Saving, Tools } from "./Tools";

/** A figure that reaches farther than this beyond the photo is not shown whole at first: the photo would be tiny. */
const TALL = 1.6;

export function Editor(props: { editing: Editing; crops: readonly (readonly [string, string])[]; alt: string }) {
  const editing = props.editing;
  const [stage, setStage] = createSignal<Size>({ width: 0, height: 0 });
  const [view, setView] = createSignal<View | null>(null);
  const whole = () => fitted(boxOf(editing.state().photo, editing.figure()), stage());
  const resized = (size: Size) => {
    setStage(size);
    if (view() === null && size.width > 0) setView(firstView(editing, size));
  };
  let root!: HTMLDivElement;
  const keys = keysOf(editing, { view, setView, stage, whole });
  onMount(() => root.addEventListener("keydown", keys));
  const scope = getOwner();
  onMount(() => void takeUpDraft(editing).then(() => runWithOwner(scope, () => keepDrafts(editing))));

  return (
    <div class="sk-editor" ref={root}>
      <Tools editing={editing} stage={stage} view={view} setView={setView} whole={whole} />
      <div class="sk-main">
        <Show when={editing.canWrite() && editing.conflict()}>{(mine) => <Conflict editing={editing} mine={mine()} />}</Show>
        <Stage editing={editing} alt={props.alt} view={view} setView={setView} whole={whole} onResize={resized} />
        <p class="sk-keys small muted">{editing.say("keys")}</p>
      </div>
      <div class="sk-aside">
        <JointPanel editing={editing} />
        <Preview editing={editing} crops={props.crops} />
        <Show when={editing.canWrite()}>
          <Keep editing={editing} />
        </Show>
      </div>
      <Show when={editing.canWrite()}>
        <Library editing={editing} />
        <Saving editing={editing} />
      </Show>
    </div>
  );
}

/** Two people, or one on two devices: neither figure goes unasked. */
function Conflict(props: { editing: Editing; mine: Figure }) {
  const { say, setConflict, takeUp } = props.editing;
  const keepMine = () => {
    takeUp(props.mine);
    setConflict(null);
  };
  return (
    <div class="notice warn" role="alert">
      <div class="stack tight">
        <p>{say("conflict")}</p>
        <p class="row">
          <button class="button compact" type="button" onClick={keepMine}>{say("keep-mine")}</button>
          <button class="button compact" type="button" onClick={() => setConflict(null)}>{say("take-theirs")}</button>
        </p>
      </div>
    </div>
  );
}

function firstView(editing: Editing, size: Size): View {
  const photo = editing.state().photo;
  const box = boxOf(photo, editing.figure());
  const tall = box.bottom - box.top > TALL * photo.height || box.right - box.left > TALL * photo.width;
  return fitted(tall ? { left: 0, top: 0, right: photo.width, bottom: photo.height } : box, size);
}
