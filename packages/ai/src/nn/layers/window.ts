import { shapeText } from "./checks.ts";
import type { LayerPlanning, Shape } from "./layer.ts";

/** One number for both directions, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

/** How a window moves over an image. */
export interface WindowSpec {
  /** Height and width of the window, in pixels. */
  readonly size: Pair;
  /** Pixels from one window to the next. */
  readonly stride: Pair;
  /** Pixels added on each side. */
  readonly padding: Pair;
}

/** A window over images of one size. */
export interface Window {
  readonly height: number;
  readonly width: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly top: number;
  readonly left: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** The positions of a window over an image: ⌊(side + 2·padding − size) / stride⌋ + 1 in each direction. Throws SPEC_INVALID. */
export function planWindow(planning: LayerPlanning, { size, stride, padding }: WindowSpec, [channels, height, width]: Shape): Window {
  const [kernelHeight, kernelWidth] = pairOf(planning, "size", size, 1);
  const [strideY, strideX] = pairOf(planning, "stride", stride, 1);
  const [top, left] = pairOf(planning, "padding", padding, 0);
  const padded = [height! + 2 * top, width! + 2 * left] as const;
  if (kernelHeight > padded[0] || kernelWidth > padded[1]) {
    throw planning.refuse(
      `is given ${shapeText([channels!, height!, width!])}; its window of ${kernelHeight} × ${kernelWidth} wants at least ` +
        `[${channels}, ${Math.max(1, kernelHeight - 2 * top)}, ${Math.max(1, kernelWidth - 2 * left)}].`,
      { given: [channels, height, width], wanted: [channels, Math.max(1, kernelHeight - 2 * top), Math.max(1, kernelWidth - 2 * left)] },
    );
  }
  return {
    height: height!,
    width: width!,
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    top,
    left,
    outHeight: Math.floor((padded[0] - kernelHeight) / strideY) + 1,
    outWidth: Math.floor((padded[1] - kernelWidth) / strideX) + 1,
  };
}

/** Refuses padding that makes windows which see nothing of the image. */
export function requireInside(planning: LayerPlanning, { top, left, kernelHeight, kernelWidth }: Window): void {
  if (top < kernelHeight && left < kernelWidth) return;
  throw planning.refuse(`has the padding [${top}, ${left}]; it must be below its size [${kernelHeight}, ${kernelWidth}].`);
}

function pairOf(planning: LayerPlanning, name: string, pair: Pair, least: number): readonly [number, number] {
  const both: readonly number[] = typeof pair === "number" ? [pair, pair] : pair;
  if (Array.isArray(both) && both.length === 2 && both.every((value) => Number.isSafeInteger(value) && value >= least))
    return both as unknown as readonly [number, number];
  throw planning.refuse(`has the ${name} ${JSON.stringify(pair)}; it takes a whole number from ${least}, or two of them.`, { setting: name });
}
