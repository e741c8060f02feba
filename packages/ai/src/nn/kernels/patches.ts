// Patches of one padded example [channels][height][width] as operands of a matrix product (im2col and its way back).
// A patch is what one output position sees: channel by channel, row by row, `kernelHeight` × `kernelWidth` numbers, its
// top left corner `strideY`, `strideX` apart from that of its neighbours. Positions count along rows of the output.
// Columns of a panel behind the last one repeat the last: what a product makes of them is not kept.
import { finite4, storeTransposed } from "./panels";

/** Byte offsets of the 8 columns of a panel. */
const OFFSETS = memory.data(32, 16);

function gather(from: usize, offsets: usize): v128 {
  let four = v128.load32_zero(from + load<usize>(offsets, 0));
  four = v128.load_lane<f32>(from + load<usize>(offsets, 4), four, 1);
  four = v128.load_lane<f32>(from + load<usize>(offsets, 8), four, 2);
  return v128.load_lane<f32>(from + load<usize>(offsets, 12), four, 3);
}

/** Whether four numbers lie side by side. */
function areNeighbours(offsets: usize): bool {
  const first = load<usize>(offsets, 0);
  return load<usize>(offsets, 4) == first + 4 && load<usize>(offsets, 8) == first + 8 && load<usize>(offsets, 12) == first + 12;
}

/**
 * Packs the matrix [patch element][position] in panels of 8 positions, as packPanels would. Returns 1 when every number
 * is finite, else 0.
 */
export function packPatches(
  from: usize,
  to: usize,
  channels: i32,
  height: i32,
  width: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideY: i32,
  strideX: i32,
  outHeight: i32,
  outWidth: i32,
): i32 {
  const pitch = (<usize>width) << 2;
  const plane = <usize>height * pitch;
  const positions = outHeight * outWidth;
  const rowEnd = (<usize>kernelWidth) << 2;
  const end = from + <usize>channels * plane;
  let finite = i32x4.splat(-1);
  let y = 0;
  let x = 0;
  let offset: usize = 0;
  for (let first = 0; first < positions; first += 8) {
    for (let i: usize = 0; i < 32; i += 4) {
      if (y < outHeight) offset = <usize>(y * strideY) * pitch + ((<usize>(x * strideX)) << 2);
      store<usize>(OFFSETS + i, offset);
      if (++x == outWidth) {
        x = 0;
        y++;
      }
    }
    const low = load<usize>(OFFSETS, 0);
    const high = load<usize>(OFFSETS, 16);
    const lowTogether = areNeighbours(OFFSETS);
    const highTogether = areNeighbours(OFFSETS + 16);
    for (let channel = from; channel < end; channel += plane) {
      for (let row = channel, lastRow = channel + <usize>kernelHeight * pitch; row < lastRow; row += pitch) {
        for (let at = row, rowLast = row + rowEnd; at < rowLast; at += 4, to += 32) {
          const b0 = lowTogether ? v128.load(at + low) : gather(at, OFFSETS);
          const b1 = highTogether ? v128.load(at + high) : gather(at, OFFSETS + 16);
          finite = v128.and(finite, v128.and(finite4(b0), finite4(b1)));
          v128.store(to, b0, 0);
          v128.store(to, b1, 16);
        }
      }
    }
  }
  return <i32>i32x4.all_true(finite);
}

/** Packs the transpose, [position][patch element], in panels of 8 patch elements. Returns 1 when every number is finite, else 0. */
export function packPatchesTransposed(
  from: usize,
  to: usize,
  channels: i32,
  height: i32,
  width: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideY: i32,
  strideX: i32,
  outHeight: i32,
  outWidth: i32,
): i32 {
  const pitch = (<usize>width) << 2;
  const plane = <usize>height * pitch;
  const elements = channels * kernelHeight * kernelWidth;
  const outPitch = (<usize>outWidth) << 5;
  let finite = i32x4.splat(-1);
  let channel = 0;
  let kernelY = 0;
  let kernelX = 0;
  let offset: usize = 0;
  for (let first = 0; first < elements; first += 8) {
    for (let i: usize = 0; i < 32; i += 4) {
      if (channel < channels) offset = <usize>channel * plane + <usize>kernelY * pitch + ((<usize>kernelX) << 2);
      store<usize>(OFFSETS + i, offset);
      if (++kernelX == kernelWidth) {
        kernelX = 0;
        if (++kernelY == kernelHeight) {
          kernelY = 0;
          channel++;
        }
      }
    }
    const o0 = load<usize>(OFFSETS, 0);
    const o1 = load<usize>(OFFSETS, 4);
    const o2 = load<usize>(OFFSETS, 8);
    const o3 = load<usize>(OFFSETS, 12);
    const o4 = load<usize>(OFFSETS, 16);
    const o5 = load<usize>(OFFSETS, 20);
    const o6 = load<usize>(OFFSETS, 24);
    const o7 = load<usize>(OFFSETS, 28);
    for (let y = 0; y < outHeight; y++, to += outPitch) {
      const row = from + <usize>(y * strideY) * pitch;
      if (strideX == 1 && outWidth >= 4) {
        // Four positions a turn; the last turn goes back so far that it fits, over numbers that are there already.
        for (let x = 0; x < outWidth; x += 4) {
          const start = min(x, outWidth - 4);
          const at = row + ((<usize>start) << 2);
          const put = to + ((<usize>start) << 5);
          let r0 = v128.load(at + o0);
          let r1 = v128.load(at + o1);
          let r2 = v128.load(at + o2);
          let r3 = v128.load(at + o3);
          finite = v128.and(finite, v128.and(v128.and(finite4(r0), finite4(r1)), v128.and(finite4(r2), finite4(r3))));
          storeTransposed(r0, r1, r2, r3, put);
          r0 = v128.load(at + o4);
          r1 = v128.load(at + o5);
          r2 = v128.load(at + o6);
          r3 = v128.load(at + o7);
          finite = v128.and(finite, v128.and(v128.and(finite4(r0), finite4(r1)), v128.and(finite4(r2), finite4(r3))));
          storeTransposed(r0, r1, r2, r3, put + 16);
        }
      } else {
        let put = to;
        for (let at = row, last = row + ((<usize>(outWidth * strideX)) << 2); at < last; at += (<usize>strideX) << 2, put += 32) {
          const b0 = gather(at, OFFSETS);
          const b1 = gather(at, OFFSETS + 16);
          finite = v128.and(finite, v128.and(finite4(b0), finite4(b1)));
          v128.store(put, b0, 0);
          v128.store(put, b1, 16);
        }
      }
    }
  }
  return <i32>i32x4.all_true(finite);
}

/** to += from over a row of `count` numbers of which the targets lie `stride` numbers apart. */
export function addRow(from: usize, to: usize, count: i32, stride: i32): void {
  let i = 0;
  if (stride == 1) {
    for (; i + 4 <= count; i += 4, from += 16, to += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
  }
  for (const step = (<usize>stride) << 2; i < count; i++, from += 4, to += step) store<f32>(to, load<f32>(to) + load<f32>(from));
}

/**
 * Adds the matrix [patch element][position], row-major, to the padded example that its patches were taken from. Each
 * number of the example is the sum, from 0, over patch elements in ascending order.
 */
export function addPatches(
  from: usize,
  to: usize,
  channels: i32,
  height: i32,
  width: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideY: i32,
  strideX: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const pitch = (<usize>width) << 2;
  const plane = <usize>height * pitch;
  const outPitch = (<usize>outWidth) << 2;
  memory.fill(to, 0, <usize>channels * plane);
  for (let channel = 0; channel < channels; channel++, to += plane) {
    for (let kernelY = 0; kernelY < kernelHeight; kernelY++) {
      for (let kernelX = 0; kernelX < kernelWidth; kernelX++) {
        let at = to + <usize>kernelY * pitch + ((<usize>kernelX) << 2);
        for (let y = 0; y < outHeight; y++, from += outPitch, at += <usize>strideY * pitch) addRow(from, at, outWidth, strideX);
      }
    }
  }
}
