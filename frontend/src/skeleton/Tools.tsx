import { Show } from "solid-js";
import type { Editing } from "./editing";
import { Icon, type IconName } from "./Icon";
import { CLOSER, type Looking } from "./keys";
import { zoomed } from "./logic/view";

export function Tools(props: { editing: Editing } & Looking) {
  const { say } = props.editing;
  const zoom = (factor: number) => {
    const now = props.view();
    if (now) props.setView(zoomed(now, factor, { x: props.stage().width / 2, y: props.stage().height / 2 }, props.whole()));
  };
  return (
    <div class="sk-tools" role="group" aria-label={say("tools")}>
      <Show when={props.editing.canWrite()}>
        <div class="sk-group">
          <Tool icon="undo" label={say("undo")} off={!props.editing.canUndo()} press={props.editing.undo} />
          <Tool icon="redo" label={say("redo")} off={!props.editing.canRedo()} press={props.editing.redo} />
          <Tool icon="mirror" label={say("mirror")} press={props.editing.mirror} />
          <Tool icon="reset" label={say("reset")} off={props.editing.asSeen()} press={props.editing.back} />
        </div>
      </Show>
      <div class="sk-group">
        <Tool icon="farther" label={say("zoom-out")} press={() => zoom(1 / CLOSER)} />
        <Tool icon="closer" label={say("zoom-in")} press={() => zoom(CLOSER)} />
        <Tool icon="fit" label={say("fit")} press={() => props.setView(props.whole())} />
      </div>
      <div class="sk-group sk-switches">
        <Show when={props.editing.canWrite()}>
          <Switch label={say("limb")} on={props.editing.limb()} set={props.editing.setLimb} />
        </Show>
        <Switch label={say("all")} on={props.editing.all()} set={props.editing.setAll} />
      </div>
    </div>
  );
}

export function Saving(props: { editing: Editing }) {
  const { say } = props.editing;
  const standing = () => say(props.editing.dirty() ? "unsaved" : props.editing.asSeen() ? "as-seen" : "is-saved");
  return (
    <div class="sk-saving action-bar">
      <span class="small muted" role="status">
        {standing()}
      </span>
      <button
        class="button primary"
        type="button"
        disabled={!props.editing.dirty() || props.editing.conflict() !== null}
        aria-busy={props.editing.busy()}
        onClick={() => void props.editing.save()}
      >
        <Icon name="save" />
        {say("save")}
      </button>
    </div>
  );
}

function Tool(props: { icon: IconName; label: string; off?: boolean; press: () => void }) {
  return (
    <button class="button icon-only" type="button" aria-label={props.label} title={props.label} disabled={props.off ?? false} onClick={() => props.press()}>
      <Icon name={props.icon} />
    </button>
  );
}

export function Switch(props: { label: string; on: boolean; set: (on: boolean) => void }) {
  return (
    <label class="check switch">
      <input type="checkbox" checked={props.on} onChange={(event) => props.set(event.currentTarget.checked)} />
      <span>{props.label}</span>
    </label>
  );
}
