// Planes: one channel of one example is `height` rows of `width` numbers.
import { sum16 } from "./reduce";

/** Copies a row of `size` bytes, nothing beyond its end. */
export function copyRow(from: usize, to: usize, size: usize): void {
  const vectors = size & ~15;
  let i: usize = 0;
  for (; i < vectors; i += 16) v128.store(to + i, v128.load(from + i));
  for (; i < size; i += 4) store<f32>(to + i, load<f32>(from + i));
}

/** Puts planes into the middle of planes that are `top` rows higher and `left` columns wider on each side, zeros around. */
export function padPlanes(from: usize, to: usize, planes: i32, height: i32, width: i32, top: i32, left: i32): void {
  const size = (<usize>width) << 2;
  const pitch = (<usize>(width + 2 * left)) << 2;
  memory.fill(to, 0, <usize>planes * <usize>(height + 2 * top) * pitch);
  to += <usize>top * pitch + ((<usize>left) << 2);
  for (let plane = 0; plane < planes; plane++, to += <usize>(2 * top) * pitch) {
    for (let y = 0; y < height; y++, from += size, to += pitch) copyRow(from, to, size);
  }
}

/** The way back: takes planes out of the middle of padded ones. */
export function cropPlanes(from: usize, to: usize, planes: i32, height: i32, width: i32, top: i32, left: i32): void {
  const size = (<usize>width) << 2;
  const pitch = (<usize>(width + 2 * left)) << 2;
  from += <usize>top * pitch + ((<usize>left) << 2);
  for (let plane = 0; plane < planes; plane++, from += <usize>(2 * top) * pitch) {
    for (let y = 0; y < height; y++, from += pitch, to += size) copyRow(from, to, size);
  }
}

/** to[row][…] = from[row] × factor, `columns` times; never -0, since a matrix product may go on adding to it (rows.ts). */
export function spreadRows(from: usize, to: usize, rows: i32, columns: i32, factor: f32): void {
  const size = (<usize>columns) << 2;
  const vectors = size & ~15;
  for (let row = 0; row < rows; row++, from += 4, to += size) {
    const value = load<f32>(from) * factor + 0;
    const spread = f32x4.splat(value);
    let i: usize = 0;
    for (; i < vectors; i += 16) v128.store(to + i, spread);
    for (; i < size; i += 4) store<f32>(to + i, value);
  }
}

/** to = a + b, element by element; padded to 4 numbers, and all three may be the same. */
export function add(a: usize, b: usize, to: usize, count: i32): void {
  for (const end = a + ((<usize>count) << 2); a < end; a += 16, b += 16, to += 16) v128.store(to, f32x4.add(v128.load(a), v128.load(b)));
}

/** `count` zeros. */
export function zeros(to: usize, count: i32): void {
  memory.fill(to, 0, (<usize>count) << 2);
}

/** to[c] += sum16 of plane c, for each channel of an example. */
export function addPlaneSums(from: usize, to: usize, channels: i32, spatial: i32): void {
  for (let c = 0; c < channels; c++, to += 4, from += (<usize>spatial) << 2) store<f32>(to, load<f32>(to) + sum16(from, spatial));
}
