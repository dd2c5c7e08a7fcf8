import { createSignal, For, Show } from "solid-js";
import type { Pose } from "./client";
import type { Editing } from "./editing";
import { Switch } from "./Tools";

/** Poses to put on the figure. */
export function Library(props: { editing: Editing }) {
  const { say } = props.editing;
  const [mirror, setMirror] = createSignal(false);
  const [keepTrunk, setKeepTrunk] = createSignal(true);
  const take = (pose: Pose) => void props.editing.take(pose.id, mirror(), keepTrunk());
  return (
    <section class="sk-library card stack tight" aria-labelledby="sk-library-title">
      <div class="row between">
        <h2 id="sk-library-title">{say("library")}</h2>
        <div class="row">
          <Switch label={say("mirrored")} on={mirror()} set={setMirror} />
          <Switch label={say("keep-trunk")} on={keepTrunk()} set={setKeepTrunk} />
        </div>
      </div>
      <p class="small muted">{say("library-hint")}</p>
      <div class="sk-poses">
        <For each={props.editing.poses()}>
          {(pose) => (
            <button class="sk-pose" type="button" disabled={!pose.ready || props.editing.busy()} onClick={() => take(pose)}>
              <span class="picture" classList={{ mirrored: mirror() }}>
                <Show when={pose.image}>
                  <img src={pose.image} alt="" loading="lazy" decoding="async" />
                </Show>
                <Show when={pose.own}>
                  <span class="badge picture-badge">{say("own")}</span>
                </Show>
              </span>
              <span class="sk-pose-name">{pose.label}</span>
            </button>
          )}
        </For>
      </div>
    </section>
  );
}
