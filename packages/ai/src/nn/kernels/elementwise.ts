// Elementwise functions over buffers that are padded to 16 numbers; `from` and `to` may be the same.
import { exp4, log4, sigmoid4, tanh4 } from "./math";

export function exp(from: usize, to: usize, count: i32): void {
  for (const end = from + ((<usize>count) << 2); from < end; from += 16, to += 16) v128.store(to, exp4(v128.load(from)));
}

export function log(from: usize, to: usize, count: i32): void {
  for (const end = from + ((<usize>count) << 2); from < end; from += 16, to += 16) v128.store(to, log4(v128.load(from)));
}

export function sigmoid(from: usize, to: usize, count: i32): void {
  for (const end = from + ((<usize>count) << 2); from < end; from += 16, to += 16) v128.store(to, sigmoid4(v128.load(from)));
}

/** dx = dy × y × (1 − y), y being the output. */
export function sigmoidBackward(y: usize, dy: usize, dx: usize, count: i32): void {
  for (const end = y + ((<usize>count) << 2); y < end; y += 16, dy += 16, dx += 16) {
    const output = v128.load(y);
    v128.store(dx, f32x4.mul(v128.load(dy), f32x4.mul(output, f32x4.sub(f32x4.splat(1), output))));
  }
}

export function tanh(from: usize, to: usize, count: i32): void {
  for (const end = from + ((<usize>count) << 2); from < end; from += 16, to += 16) v128.store(to, tanh4(v128.load(from)));
}

/** dx = dy × (1 − y²), y being the output. */
export function tanhBackward(y: usize, dy: usize, dx: usize, count: i32): void {
  for (const end = y + ((<usize>count) << 2); y < end; y += 16, dy += 16, dx += 16) {
    const output = v128.load(y);
    v128.store(dx, f32x4.mul(v128.load(dy), f32x4.sub(f32x4.splat(1), f32x4.mul(output, output))));
  }
}
