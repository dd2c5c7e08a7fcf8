import { createMemo, For, onCleanup, onMount, Show } from "solid-js";
import { isSure, percentOf, sayJoint, stateOf, type Editing } from "./editing";
import { at, colourOfLandmark, halfWidth, limbsOf, MAIN, type Limb } from "./logic/figure";
import { toScreen, type Size, type View } from "./logic/view";
import { followPointers } from "./pointers";

export interface StageProps {
  readonly editing: Editing;
  readonly alt: string;
  readonly view: () => View | null;
  readonly setView: (view: View) => void;
  readonly whole: () => View;
  readonly onResize: (size: Size) => void;
}

/** Landmarks that lie so close to others that a number beside each could not be read. */
const CROWDED = (index: number) => (index > 0 && index < 11) || !MAIN.includes(index);

/** The photo with the figure over it. Limbs are drawn, joints are buttons. */
export function Stage(props: StageProps) {
  let stage!: HTMLDivElement;
  onMount(() => {
    const measure = () => props.onResize({ width: stage.clientWidth, height: stage.clientHeight });
    const watch = new ResizeObserver(measure);
    watch.observe(stage);
    measure();
    onCleanup(() => watch.disconnect());
    onCleanup(followPointers(stage, props));
  });
  return (
    <div class="sk-stage" ref={stage} tabindex="0" role="group" aria-busy={props.editing.busy()} aria-label={props.editing.say("stage")}>
      <Show when={props.view()}>{(view) => <Drawing {...props} now={view()} size={() => ({ width: stage.clientWidth, height: stage.clientHeight })} />}</Show>
    </div>
  );
}

function Drawing(props: StageProps & { now: View; size: () => Size }) {
  const photo = () => props.editing.state().photo;
  const limbs = createMemo(() => limbsOf(props.editing.figure()));
  // The studio's own width, and never so thin that one does not see it.
  const half = () => Math.max(halfWidth(photo().width, photo().height), 2 / props.now.scale);
  const box = () => `${props.now.x} ${props.now.y} ${props.size().width / props.now.scale} ${props.size().height / props.now.scale}`;
  return (
    <>
      <svg class="sk-drawing" viewBox={box()} preserveAspectRatio="none" aria-hidden="true">
        <image href={photo().url} x="0" y="0" width={photo().width} height={photo().height} preserveAspectRatio="none" />
        <rect class="sk-edge" x="0" y="0" width={photo().width} height={photo().height} />
        <For each={limbs()}>{(limb) => <LimbDrawn limb={limb} half={half()} />}</For>
      </svg>
      <span class="visually-hidden">{props.alt}</span>
      <For each={props.editing.handles()}>{(index) => <Handle index={index} editing={props.editing} now={props.now} />}</For>
    </>
  );
}

/** An ellipse as the studio draws it; dashed, to tell it apart, where an end of it was guessed. */
function LimbDrawn(props: { limb: Limb; half: number }) {
  const turn = () => `translate(${props.limb.x} ${props.limb.y}) rotate(${props.limb.degrees})`;
  return (
    <Show
      when={props.limb.guessed}
      fallback={<ellipse class="sk-limb" rx={props.limb.halfLength} ry={props.half} transform={turn()} fill={props.limb.colour} />}
    >
      <line class="sk-limb guessed" x1={-props.limb.halfLength} x2={props.limb.halfLength} transform={turn()} stroke={props.limb.colour} />
    </Show>
  );
}

function Handle(props: { index: number; editing: Editing; now: View }) {
  const joint = () => at(props.editing.figure(), props.index);
  const place = () => toScreen(props.now, joint());
  const percent = () => (isSure(joint()) ? "" : percentOf(joint()));
  return (
    <button
      type="button"
      class={`sk-joint is-${stateOf(joint())}`}
      classList={{ chosen: props.editing.selected() === props.index, crowded: CROWDED(props.index) }}
      data-joint={props.index}
      data-sure={percent()}
      aria-label={sayJoint(props.editing.say, props.index, joint())}
      aria-pressed={props.editing.selected() === props.index}
      onFocus={() => props.editing.select(props.index)}
      style={{ "--x": `${place().x}px`, "--y": `${place().y}px`, "--c": colourOfLandmark(props.index) }}
    />
  );
}
