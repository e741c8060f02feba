import type { LayerPlanning, Shape } from "./layer.ts";

/** A shape as people write it. */
export function shapeText(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Refuses a setting that is no whole number from `least`. */
export function requireWhole(planning: LayerPlanning, name: string, value: number, least = 1): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw planning.refuse(`has ${value} ${name}; it needs a whole number from ${least}.`, { setting: name, value });
}

/** Refuses a number outside [least, below). */
export function requireWithin(planning: LayerPlanning, name: string, value: number, least: number, below: number): void {
  if (value >= least && value < below) return;
  throw planning.refuse(`has the ${name} ${value}; it must be at least ${least} and below ${below}.`, { setting: name, value });
}

/** Channels and the numbers of each, of a shape whose first size is that of channels. */
export function channelsOf(shape: Shape): { readonly channels: number; readonly spatial: number } {
  const [channels = 1, ...rest] = shape;
  return { channels, spatial: rest.reduce((product, size) => product * size, 1) };
}

/** Refuses what is no image; returns its sizes. */
export function requireImage(planning: LayerPlanning, shape: Shape): readonly [channels: number, height: number, width: number] {
  if (shape.length === 3) return shape as unknown as readonly [number, number, number];
  throw planning.refuse(`is given ${shapeText(shape)}; it takes [channels, height, width].`, {
    given: [...shape],
    wanted: ["channels", "height", "width"],
  });
}
