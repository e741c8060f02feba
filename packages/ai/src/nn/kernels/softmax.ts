import { exp4, log1 } from "./math";
import { sum16 } from "./reduce";

/** Largest of `count` numbers; NaN is passed over. */
function largest(from: usize, count: i32): f32 {
  let most = load<f32>(from);
  for (let j = 1; j < count; j++) {
    const value = load<f32>(from + ((<usize>j) << 2));
    if (value > most || most != most) most = value;
  }
  return most;
}

/** Writes e^(x − most) of a row to the padded scratch row and returns their sum16. */
function exponentials(row: usize, columns: i32, most: f32, scratch: usize): f32 {
  memory.copy(scratch, row, (<usize>columns) << 2);
  const shift = f32x4.splat(most);
  for (let at = scratch, end = scratch + ((<usize>columns) << 2); at < end; at += 16) {
    v128.store(at, exp4(f32x4.sub(v128.load(at), shift)));
  }
  return sum16(scratch, columns);
}

/** Softmax of each row; `scratch` holds one row, padded to 16 numbers; `logits` and `to` may be the same. */
export function softmax(logits: usize, to: usize, rows: i32, columns: i32, scratch: usize): void {
  const size = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++, logits += size, to += size) {
    const inverse = f32x4.splat(<f32>1 / exponentials(logits, columns, largest(logits, columns), scratch));
    for (let j: usize = 0; j < size; j += 16) v128.store(scratch + j, f32x4.mul(v128.load(scratch + j), inverse));
    memory.copy(to, scratch, size);
  }
}

/**
 * Cross-entropy of the softmax of each row with its class: losses[row] = ln Σ e^(x − max) − (x[class] − max) and, where
 * `gradient` is not 0, gradient = (softmax − onehot) × scale. Returns how many rows have their largest output (the
 * first of equals) at the class. Classes are i32 and must be below `columns`.
 */
export function softmaxCrossEntropy(
  logits: usize,
  classes: usize,
  rows: i32,
  columns: i32,
  scale: f32,
  gradient: usize,
  losses: usize,
  scratch: usize,
): i32 {
  const size = (<usize>columns) << 2;
  let correct = 0;
  for (let row = 0; row < rows; row++) {
    const label = (<usize>load<i32>(classes + ((<usize>row) << 2))) << 2;
    const most = largest(logits, columns);
    let first: usize = 0;
    while (first < size && load<f32>(logits + first) != most) first += 4;
    correct += <i32>(first == label);
    const total = exponentials(logits, columns, most, scratch);
    store<f32>(losses + ((<usize>row) << 2), log1(total) - (load<f32>(logits + label) - most));
    if (gradient != 0) {
      const inverse = <f32>1 / total;
      const factor = f32x4.splat(scale);
      store<f32>(scratch + label, load<f32>(scratch + label) - total);
      const spread = f32x4.splat(inverse);
      for (let j: usize = 0; j < size; j += 16) {
        v128.store(scratch + j, f32x4.mul(f32x4.mul(v128.load(scratch + j), spread), factor));
      }
      memory.copy(gradient, scratch, size);
      gradient += size;
    }
    logits += size;
  }
  return correct;
}
