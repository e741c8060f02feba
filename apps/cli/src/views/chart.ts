/**
 * A line drawn with Braille patterns (Unicode 2800–28FF): a character holds two columns and four rows of dots.
 *
 * @module
 */

/** Bits of a pattern's dots: left column from the top, then right. Source: The Unicode Standard 16.0, section 21.1. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const FIRST_PATTERN = 0x2800;

/** A point of a line. */
export interface ChartPoint {
  readonly x: number;
  readonly y: number;
}

export interface ChartFrame {
  /** Ends of the horizontal axis. */
  readonly from: number;
  readonly to: number;
  /** Characters. */
  readonly columns: number;
  readonly rows: number;
}

/**
 * Lines of `columns` characters, the topmost first, with a line through the points; the vertical axis goes from their least to their
 * greatest value, and equal ones are in the middle.
 * @param points in the order of their x, finite, at least one
 */
export function drawLine(points: readonly ChartPoint[], { from, to, columns, rows }: ChartFrame): readonly string[] {
  const width = columns * 2;
  const height = rows * 4;
  const patterns = new Uint8Array(columns * rows);
  const [least, greatest] = extent(points);
  const column = (x: number): number => Math.round(to === from ? 0 : ((x - from) / (to - from)) * (width - 1));
  const row = (y: number): number => Math.round(greatest === least ? height / 2 : ((greatest - y) / (greatest - least)) * (height - 1));
  const dot = (x: number, y: number): void => {
    patterns[(y >> 2) * columns + (x >> 1)]! |= DOTS[x & 1]![y & 3]!;
  };
  let last: ChartPoint | undefined;
  for (const point of points) {
    const here = { x: column(point.x), y: row(point.y) };
    for (const { x, y } of last === undefined ? [here] : between(last, here)) dot(x, y);
    last = here;
  }
  return Array.from({ length: rows }, (_, line) =>
    Array.from(patterns.subarray(line * columns, (line + 1) * columns), (pattern) => String.fromCodePoint(FIRST_PATTERN + pattern)).join(""),
  );
}

/** The least and the greatest value of some points. */
export function extent(points: readonly ChartPoint[]): readonly [least: number, greatest: number] {
  return points.reduce<[number, number]>(([least, greatest], { y }) => [Math.min(least, y), Math.max(greatest, y)], [Infinity, -Infinity]);
}

/** Dots of a line without gaps from one dot to another, both included. */
function between(a: ChartPoint, b: ChartPoint): readonly ChartPoint[] {
  const steps = Math.max(Math.abs(b.x - a.x), Math.abs(b.y - a.y), 1);
  return Array.from({ length: steps + 1 }, (_, step) => ({
    x: Math.round(a.x + ((b.x - a.x) * step) / steps),
    y: Math.round(a.y + ((b.y - a.y) * step) / steps),
  }));
}
