// What can be done to a figure. Nothing is changed in place.
import { at, hangingOn, isDrawn, PAIRS, tipsOf, TRUNK, type Figure, type Joint, type Point } from "./figure";

const NEAR = 0.005; // pixels: half of what is kept when a figure is sent

/** A joint elsewhere; `limb` takes all that hangs on it along, else only the points that the drawing does not show. */
export function moved(figure: Figure, joint: number, by: Point, limb: boolean): Figure {
  const along = new Set(limb ? hangingOn(joint) : tipsOf(joint));
  return figure.map((one, index) => {
    if (index === joint) return { ...shifted(one, by), sure: 1 };
    return along.has(index) ? shifted(one, by) : one;
  });
}

function shifted(joint: Joint, by: Point): Joint {
  return { ...joint, x: joint.x + by.x, y: joint.y + by.y, state: "placed" };
}

/** Left and right change places about the upright axis through the middle of shoulders and hips, which stays. */
export function mirrored(figure: Figure): Figure {
  const axis = TRUNK.reduce((sum, index) => sum + at(figure, index).x, 0) / TRUNK.length;
  const flipped = figure.map((joint): Joint => ({ ...joint, x: 2 * axis - joint.x, state: "placed" }));
  for (const [left, right] of PAIRS) {
    const kept = at(flipped, left);
    flipped[left] = at(flipped, right);
    flipped[right] = kept;
  }
  return flipped;
}

/** Without a joint: neither it nor its limbs are drawn. */
export function withoutJoint(figure: Figure, joint: number): Figure {
  return replaced(figure, joint, (one) => ({ ...one, sure: 0, state: "placed" }));
}

/** With a joint that was left out, as sure as it was. */
export function withJoint(figure: Figure, joint: number, start: Figure): Figure {
  const was = at(start, joint);
  return replaced(figure, joint, (one) => ({ ...one, sure: isDrawn(was) ? was.sure : 1, state: "placed" }));
}

/** A joint and its tips where they were at first. */
export function restored(figure: Figure, joint: number, start: Figure): Figure {
  const back = new Set([joint, ...tipsOf(joint)]);
  return figure.map((one, index) => (back.has(index) ? at(start, index) : one));
}

/** What came from elsewhere, each joint that did not move still known as it was. */
export function taken(figure: Figure, fresh: Figure): Figure {
  return fresh.map((joint, index) => {
    const was = at(figure, index);
    return isSame(joint, was) ? was : { ...joint, state: "placed" };
  });
}

/** Whether two figures would be kept alike. */
export function sameFigure(one: Figure, other: Figure): boolean {
  return one.every((joint, index) => isSame(joint, at(other, index)));
}

export function isSame(one: Joint, other: Joint): boolean {
  return Math.abs(one.x - other.x) <= NEAR && Math.abs(one.y - other.y) <= NEAR && Math.abs(one.sure - other.sure) < 1e-3;
}

function replaced(figure: Figure, joint: number, change: (one: Joint) => Joint): Figure {
  return figure.map((one, index) => (index === joint ? change(one) : one));
}
