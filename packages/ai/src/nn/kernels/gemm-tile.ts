// Packing of the left operand in tiles of 4 rows. A tile holds, step after step of k, the 4 numbers that are
// multiplied with one row of a panel. Steps whose 4 numbers are all zero add nothing and are left out when the right
// operand is finite (images and one-hot columns are mostly zeros), so a tile comes with the panel offset of each step.

/** Bytes of a panel row, and so the offset between two steps. */
const PANEL_ROW: usize = 32;

/** Packs up to 4 rows of row-major A[rows][k], `stride` bytes apart. Returns the steps kept. */
export function packTileRows(from: usize, stride: usize, rows: i32, k: i32, to: usize, offsets: usize, keepZeros: i32): i32 {
  const start = to;
  const zero = f32x4.splat(0);
  let offset: usize = 0;
  let step = 0;
  if (rows == 4) {
    let row0 = from;
    let row1 = from + stride;
    let row2 = row1 + stride;
    let row3 = row2 + stride;
    for (; step + 4 <= k; step += 4) {
      const r0 = v128.load(row0);
      const r1 = v128.load(row1);
      const r2 = v128.load(row2);
      const r3 = v128.load(row3);
      row0 += 16;
      row1 += 16;
      row2 += 16;
      row3 += 16;
      const any = v128.or(v128.or(r0, r1), v128.or(r2, r3));
      if (keepZeros == 0 && !v128.any_true(f32x4.ne(any, zero))) {
        offset += PANEL_ROW * 4;
        continue;
      }
      const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      const c0 = v128.shuffle<f64>(low01, low23, 0, 2);
      const c1 = v128.shuffle<f64>(low01, low23, 1, 3);
      const c2 = v128.shuffle<f64>(high01, high23, 0, 2);
      const c3 = v128.shuffle<f64>(high01, high23, 1, 3);
      // Written always, counted only when kept: no branch to mispredict.
      v128.store(to, c0);
      store<usize>(offsets, offset);
      let kept = <usize>(keepZeros | <i32>v128.any_true(f32x4.ne(c0, zero)));
      to += kept << 4;
      offsets += kept << 2;
      v128.store(to, c1);
      store<usize>(offsets, offset + PANEL_ROW);
      kept = <usize>(keepZeros | <i32>v128.any_true(f32x4.ne(c1, zero)));
      to += kept << 4;
      offsets += kept << 2;
      v128.store(to, c2);
      store<usize>(offsets, offset + PANEL_ROW * 2);
      kept = <usize>(keepZeros | <i32>v128.any_true(f32x4.ne(c2, zero)));
      to += kept << 4;
      offsets += kept << 2;
      v128.store(to, c3);
      store<usize>(offsets, offset + PANEL_ROW * 3);
      kept = <usize>(keepZeros | <i32>v128.any_true(f32x4.ne(c3, zero)));
      to += kept << 4;
      offsets += kept << 2;
      offset += PANEL_ROW * 4;
    }
  }
  for (; step < k; step++, offset += PANEL_ROW) {
    v128.store(to, zero);
    for (let row = 0; row < rows; row++) {
      store<f32>(to + ((<usize>row) << 2), load<f32>(from + <usize>row * stride + ((<usize>step) << 2)));
    }
    store<usize>(offsets, offset);
    const kept = <usize>(keepZeros | <i32>v128.any_true(f32x4.ne(v128.load(to), zero)));
    to += kept << 4;
    offsets += kept << 2;
  }
  return <i32>((to - start) >> 4);
}

/** Packs up to 4 columns of row-major A[k][columns], rows `stride` bytes apart: a tile of the transpose. Returns the steps kept. */
export function packTileColumns(from: usize, stride: usize, columns: i32, k: i32, to: usize, offsets: usize, keepZeros: i32): i32 {
  const start = to;
  const zero = f32x4.splat(0);
  let offset: usize = 0;
  for (let step = 0; step < k; step++, from += stride, offset += PANEL_ROW) {
    let column = zero;
    if (columns == 4) {
      column = v128.load(from);
    } else {
      v128.store(to, zero);
      for (let i: usize = 0, size = (<usize>columns) << 2; i < size; i += 4) store<f32>(to + i, load<f32>(from + i));
      column = v128.load(to);
    }
    v128.store(to, column);
    store<usize>(offsets, offset);
    const kept = <usize>(keepZeros | <i32>v128.any_true(f32x4.ne(column, zero)));
    to += kept << 4;
    offsets += kept << 2;
  }
  return <i32>((to - start) >> 4);
}
