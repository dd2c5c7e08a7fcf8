// Exact Euclidean distances: Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions" (2012), section 2.
import type { Size } from "./geometry";

const FAR = 1e10;

/**
 * For each pixel the squared distance, centre to centre, to the nearest one that ``is`` says yes to; FAR when there is none.
 * What lies outside of the picture is unknown and counts for nothing, as in studio.segmentation.masks.
 */
export function squaredDistances(is: (at: number) => boolean, size: Size): Float32Array {
  const { width, height } = size;
  const grid = new Float32Array(width * height);
  for (let at = 0; at < grid.length; at += 1) grid[at] = is(at) ? 0 : FAR;
  const pass = new Pass(Math.max(width, height));
  for (let x = 0; x < width; x += 1) pass.along(grid, x, width, height);
  for (let y = 0; y < height; y += 1) pass.along(grid, y * width, 1, width);
  return grid;
}

/** One line's lower envelope of parabolas; the buffers are kept between lines. */
class Pass {
  private readonly heights: Float32Array;
  private readonly seats: Int32Array;
  private readonly borders: Float32Array;

  constructor(longest: number) {
    this.heights = new Float32Array(longest);
    this.seats = new Int32Array(longest);
    this.borders = new Float32Array(longest + 1);
  }

  along(grid: Float32Array, start: number, step: number, count: number): void {
    const { heights, seats, borders } = this;
    for (let q = 0; q < count; q += 1) heights[q] = grid[start + q * step]!;
    this.envelope(count);
    let k = 0;
    for (let q = 0; q < count; q += 1) {
      while (borders[k + 1]! < q) k += 1;
      const seat = seats[k]!;
      grid[start + q * step] = Math.min(FAR, (q - seat) * (q - seat) + heights[seat]!);
    }
  }

  private envelope(count: number): void {
    const { heights, seats, borders } = this;
    let k = 0;
    seats[0] = 0;
    borders[0] = -FAR;
    borders[1] = FAR;
    for (let q = 1; q < count; q += 1) {
      let crossing = this.crossing(q, seats[k]!);
      while (k > 0 && crossing <= borders[k]!) {
        k -= 1;
        crossing = this.crossing(q, seats[k]!);
      }
      if (heights[q]! >= FAR && heights[seats[k]!]! >= FAR) continue; // two parabolas that are not there
      k = crossing <= borders[k]! ? k : k + 1;
      seats[k] = q;
      borders[k] = k === 0 ? -FAR : crossing;
      borders[k + 1] = FAR;
    }
  }

  private crossing(q: number, seat: number): number {
    return (this.heights[q]! + q * q - (this.heights[seat]! + seat * seat)) / (2 * (q - seat));
  }
}

/**
 * How far each pixel is from the edge of where ``field`` is above 0: positive inside, half a pixel at the edge's own pixels.
 * All inside or all outside has no edge: FAR or -FAR everywhere.
 */
export function signedDistances(field: Float32Array, size: Size): Float32Array {
  const toGarment = squaredDistances((at) => field[at]! > 0, size);
  const toRest = squaredDistances((at) => field[at]! <= 0, size);
  const signed = new Float32Array(field.length);
  for (let at = 0; at < field.length; at += 1) {
    signed[at] = field[at]! > 0 ? Math.sqrt(toRest[at]!) - 0.5 : 0.5 - Math.sqrt(toGarment[at]!);
  }
  return signed;
}
