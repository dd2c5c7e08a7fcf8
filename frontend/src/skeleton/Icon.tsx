import armUp from "../../../templates/icons/arrow-left.svg?raw";
import check from "../../../templates/icons/check.svg?raw";
import closer from "../../../templates/icons/zoom-in.svg?raw";
import farther from "../../../templates/icons/zoom-out.svg?raw";
import mirror from "../../../templates/icons/flip-horizontal-2.svg?raw";
import fit from "../../../templates/icons/maximize-2.svg?raw";
import redo from "../../../templates/icons/redo-2.svg?raw";
import reset from "../../../templates/icons/rotate-ccw.svg?raw";
import save from "../../../templates/icons/save.svg?raw";
import undo from "../../../templates/icons/undo-2.svg?raw";

const DRAWINGS = { arrow: armUp, check, closer, farther, fit, mirror, redo, reset, save, undo };
export type IconName = keyof typeof DRAWINGS;

/** One of the templates' own drawings; decoration. */
export function Icon(props: { name: IconName }) {
  return <span class="sk-icon" aria-hidden="true" innerHTML={DRAWINGS[props.name].replace("<svg", '<svg class="icon"')} />;
}
