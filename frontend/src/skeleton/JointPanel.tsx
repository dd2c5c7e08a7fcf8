import { createMemo, For, Show } from "solid-js";
import { isSure, percentOf, sayJoint, stateOf, type Editing } from "./editing";
import { Icon } from "./Icon";
import { nudge } from "./keys";
import { at, isDrawn, type Point } from "./logic/figure";

const WAYS: readonly (readonly [string, Point])[] = [
  ["up", { x: 0, y: -1 }],
  ["left", { x: -1, y: 0 }],
  ["right", { x: 1, y: 0 }],
  ["down", { x: 0, y: 1 }],
];

/** The chosen joint: what is known of it, and a way to move it without a steady hand. */
export function JointPanel(props: { editing: Editing }) {
  const { say } = props.editing;
  const chosen = () => props.editing.selected();
  return (
    <section class="card stack tight" aria-labelledby="sk-joint-title">
      <h2 id="sk-joint-title">{say("joint")}</h2>
      <select
        aria-label={say("choose-joint")}
        value={chosen() ?? ""}
        onChange={(event) => props.editing.select(event.currentTarget.value === "" ? null : Number(event.currentTarget.value))}
      >
        <option value="">{say("choose-joint")}</option>
        <For each={props.editing.handles()}>
          {(index) => <option value={index} selected={chosen() === index}>{sayJoint(say, index, at(props.editing.figure(), index))}</option>}
        </For>
      </select>
      <Show when={chosen() !== null}>
        <Chosen editing={props.editing} index={chosen() ?? 0} />
      </Show>
    </section>
  );
}

function Chosen(props: { editing: Editing; index: number }) {
  const { say } = props.editing;
  const joint = createMemo(() => at(props.editing.figure(), props.index));
  return (
    <>
      <p class="row fixed between">
        <span class={`badge sk-badge is-${stateOf(joint())}`}>{say(stateOf(joint()))}</span>
        <Show when={!isSure(joint())}>
          <span class="small num muted">{percentOf(joint())}</span>
        </Show>
      </p>
      <Show when={props.editing.canWrite()}>
        <div class="sk-pad">
          <For each={WAYS}>
            {([name, way]) => (
              <button
                class={`button icon-only sk-${name}`}
                type="button"
                aria-label={say(name)}
                title={say(name)}
                onClick={() => nudge(props.editing, { view: () => null }, props.index, way, true)}
              >
                <Icon name="arrow" />
              </button>
            )}
          </For>
        </div>
        <div class="row tight">
          <Show
            when={isDrawn(joint())}
            fallback={<button class="button compact" type="button" onClick={() => props.editing.putBack(props.index)}>{say("put-back")}</button>}
          >
            <button class="button compact" type="button" onClick={() => props.editing.leaveOut(props.index)}>{say("leave-out")}</button>
          </Show>
          <button class="button compact" type="button" disabled={!props.editing.isMoved(props.index)} onClick={() => props.editing.restore(props.index)}>
            {say("back")}
          </button>
        </div>
      </Show>
    </>
  );
}
