// The Lucide drawings that the templates use as well; raw, so that they are one file each.
import brush from "../../../../templates/icons/brush.svg?raw";
import check from "../../../../templates/icons/check.svg?raw";
import minus from "../../../../templates/icons/circle-minus.svg?raw";
import plus from "../../../../templates/icons/circle-plus.svg?raw";
import offline from "../../../../templates/icons/cloud-off.svg?raw";
import eraser from "../../../../templates/icons/eraser.svg?raw";
import hidden from "../../../../templates/icons/eye-off.svg?raw";
import shown from "../../../../templates/icons/eye.svg?raw";
import hand from "../../../../templates/icons/hand.svg?raw";
import upload from "../../../../templates/icons/image-plus.svg?raw";
import keyboard from "../../../../templates/icons/keyboard.svg?raw";
import layers from "../../../../templates/icons/layers.svg?raw";
import whole from "../../../../templates/icons/maximize-2.svg?raw";
import add from "../../../../templates/icons/plus.svg?raw";
import redo from "../../../../templates/icons/redo-2.svg?raw";
import reset from "../../../../templates/icons/rotate-ccw.svg?raw";
import sliders from "../../../../templates/icons/sliders-horizontal.svg?raw";
import bin from "../../../../templates/icons/trash-2.svg?raw";
import undo from "../../../../templates/icons/undo-2.svg?raw";
import wand from "../../../../templates/icons/wand-sparkles.svg?raw";
import close from "../../../../templates/icons/x.svg?raw";
import closer from "../../../../templates/icons/zoom-in.svg?raw";
import further from "../../../../templates/icons/zoom-out.svg?raw";

const DRAWINGS = {
  add, bin, brush, check, close, closer, eraser, further, hand, hidden, keyboard, layers, minus, offline, plus, redo, reset,
  shown, sliders, undo, upload, wand, whole,
} as const; // prettier-ignore

export type IconName = keyof typeof DRAWINGS;

export function Icon(props: { name: IconName }) {
  return <span class="cutter-icon" aria-hidden="true" innerHTML={DRAWINGS[props.name]} />;
}
