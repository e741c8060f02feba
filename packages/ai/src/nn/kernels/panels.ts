// The right operand of a matrix product in panels of 8 columns: panel j / 8 holds rows 0 … k − 1 of columns j … j + 7,
// 8 numbers a row, zeros behind the last column. The micro kernel then reads it front to back.
// Both functions return 1 when every number is finite, else 0.

export function finite4(x: v128): v128 {
  return f32x4.eq(f32x4.sub(x, x), f32x4.splat(0));
}

/** Rows packed at a time, so that they are still in the first-level cache when the next panel takes its columns. */
const ROWS: i32 = 16;

/** Packs B[k][n], row-major. */
export function packPanels(from: usize, to: usize, k: i32, n: i32): i32 {
  const row = (<usize>n) << 2;
  const panel = (<usize>k) << 5;
  let finite = i32x4.splat(-1);
  for (let first = 0; first < k; first += ROWS, from += row * ROWS, to += 32 * ROWS) {
    const rows = min(ROWS, k - first);
    let target = to;
    let source = from;
    let rest = n;
    for (; rest >= 8; rest -= 8, source += 32, target += panel) {
      let at = source;
      for (let put = target, end = target + ((<usize>rows) << 5); put < end; put += 32, at += row) {
        const b0 = v128.load(at, 0);
        const b1 = v128.load(at, 16);
        finite = v128.and(finite, v128.and(finite4(b0), finite4(b1)));
        v128.store(put, b0, 0);
        v128.store(put, b1, 16);
      }
    }
    if (rest == 0) continue;
    let at = source;
    for (let put = target, end = target + ((<usize>rows) << 5); put < end; put += 32, at += row) {
      v128.store(put, f32x4.splat(0), 0);
      v128.store(put, f32x4.splat(0), 16);
      for (let j: usize = 0, size = (<usize>rest) << 2; j < size; j += 4) store<f32>(put + j, load<f32>(at + j));
      finite = v128.and(finite, v128.and(finite4(v128.load(put, 0)), finite4(v128.load(put, 16))));
    }
  }
  return <i32>i32x4.all_true(finite);
}

/** Stores the transpose of 4 rows of 4 numbers: row i of the result at `to` + 32 i. */
export function storeTransposed(r0: v128, r1: v128, r2: v128, r3: v128, to: usize): void {
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2), 0);
  v128.store(to, v128.shuffle<f64>(low01, low23, 1, 3), 32);
  v128.store(to, v128.shuffle<f64>(high01, high23, 0, 2), 64);
  v128.store(to, v128.shuffle<f64>(high01, high23, 1, 3), 96);
}

/** Packs the transpose of B[n][k], row-major: panel columns are rows of B. */
export function packPanelsTransposed(from: usize, to: usize, k: i32, n: i32): i32 {
  const row = (<usize>k) << 2;
  const whole = row & ~15;
  let finite = i32x4.splat(-1);
  for (let first = 0; first < n; first += 8, from += row << 3) {
    const columns = min(8, n - first);
    let step: usize = 0;
    if (columns == 8) {
      for (; step < whole; step += 16, to += 128) {
        let at = from + step;
        let r0 = v128.load(at);
        let r1 = v128.load((at += row));
        let r2 = v128.load((at += row));
        let r3 = v128.load((at += row));
        finite = v128.and(finite, v128.and(v128.and(finite4(r0), finite4(r1)), v128.and(finite4(r2), finite4(r3))));
        storeTransposed(r0, r1, r2, r3, to);
        r0 = v128.load((at += row));
        r1 = v128.load((at += row));
        r2 = v128.load((at += row));
        r3 = v128.load((at += row));
        finite = v128.and(finite, v128.and(v128.and(finite4(r0), finite4(r1)), v128.and(finite4(r2), finite4(r3))));
        storeTransposed(r0, r1, r2, r3, to + 16);
      }
    }
    for (; step < row; step += 4, to += 32) {
      v128.store(to, f32x4.splat(0), 0);
      v128.store(to, f32x4.splat(0), 16);
      let at = from + step;
      for (let j: usize = 0, size = (<usize>columns) << 2; j < size; j += 4, at += row) store<f32>(to + j, load<f32>(at));
      finite = v128.and(finite, v128.and(finite4(v128.load(to, 0)), finite4(v128.load(to, 16))));
    }
  }
  return <i32>i32x4.all_true(finite);
}
