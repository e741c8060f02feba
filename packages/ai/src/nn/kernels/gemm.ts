// Matrix product C = A·B (or C += A·B) in f32: A packed in tiles of 4 rows, B in panels of 8 columns (panels.ts), both
// cut so that a piece of each stays in the first-level cache. For every element of C the products are added in
// ascending order of k, each rounded before it is added; cutting k stores and reloads C, which changes no bit.
import { packTileColumns, packTileRows } from "./gemm-tile";

/**
 * The build with relaxed SIMD, `fma`: the host may leave the product unrounded before it is added, so its last bits are
 * the host's. Settled when the module is compiled; the other build has no trace of it.
 */
const FUSED: bool = ASC_FEATURE_RELAXED_SIMD;

/** Steps of k taken at once. */
const STEPS: i32 = 256;
/** Numbers of packed A held at once: 16 KiB. */
const PACKED: i32 = 4096;
/** Tiles held at once, at most. */
const TILES: i32 = 64;

const OFFSETS_AT: usize = <usize>PACKED * 4;
const COUNTS_AT: usize = OFFSETS_AT + <usize>PACKED;
const EDGE_AT: usize = COUNTS_AT + <usize>TILES * 4;
const SCRATCH: usize = EDGE_AT + 128;

/** Bytes of scratch that a product needs. */
export function gemmScratchBytes(): usize {
  return SCRATCH;
}

/** 4 × 8 elements of C from one tile and one panel; every step of k is there. */
function multiplyDense(a: usize, b: usize, c: usize, stride: usize, steps: i32, accumulate: bool): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  const row1 = c + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  if (accumulate) {
    c00 = v128.load(c, 0);
    c01 = v128.load(c, 16);
    c10 = v128.load(row1, 0);
    c11 = v128.load(row1, 16);
    c20 = v128.load(row2, 0);
    c21 = v128.load(row2, 16);
    c30 = v128.load(row3, 0);
    c31 = v128.load(row3, 16);
  }
  for (const end = a + ((<usize>steps) << 4); a < end; a += 16, b += 32) {
    const b0 = v128.load(b, 0);
    const b1 = v128.load(b, 16);
    const a0 = v128.load32_splat(a, 0);
    c00 = FUSED ? f32x4.relaxed_madd(a0, b0, c00) : f32x4.add(c00, f32x4.mul(a0, b0));
    c01 = FUSED ? f32x4.relaxed_madd(a0, b1, c01) : f32x4.add(c01, f32x4.mul(a0, b1));
    const a1 = v128.load32_splat(a, 4);
    c10 = FUSED ? f32x4.relaxed_madd(a1, b0, c10) : f32x4.add(c10, f32x4.mul(a1, b0));
    c11 = FUSED ? f32x4.relaxed_madd(a1, b1, c11) : f32x4.add(c11, f32x4.mul(a1, b1));
    const a2 = v128.load32_splat(a, 8);
    c20 = FUSED ? f32x4.relaxed_madd(a2, b0, c20) : f32x4.add(c20, f32x4.mul(a2, b0));
    c21 = FUSED ? f32x4.relaxed_madd(a2, b1, c21) : f32x4.add(c21, f32x4.mul(a2, b1));
    const a3 = v128.load32_splat(a, 12);
    c30 = FUSED ? f32x4.relaxed_madd(a3, b0, c30) : f32x4.add(c30, f32x4.mul(a3, b0));
    c31 = FUSED ? f32x4.relaxed_madd(a3, b1, c31) : f32x4.add(c31, f32x4.mul(a3, b1));
  }
  v128.store(c, c00, 0);
  v128.store(c, c01, 16);
  v128.store(row1, c10, 0);
  v128.store(row1, c11, 16);
  v128.store(row2, c20, 0);
  v128.store(row2, c21, 16);
  v128.store(row3, c30, 0);
  v128.store(row3, c31, 16);
}

/** The same where steps are left out: `offsets` names the panel row of each step that is there. */
function multiplySparse(a: usize, offsets: usize, b: usize, c: usize, stride: usize, steps: i32, accumulate: bool): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  const row1 = c + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  if (accumulate) {
    c00 = v128.load(c, 0);
    c01 = v128.load(c, 16);
    c10 = v128.load(row1, 0);
    c11 = v128.load(row1, 16);
    c20 = v128.load(row2, 0);
    c21 = v128.load(row2, 16);
    c30 = v128.load(row3, 0);
    c31 = v128.load(row3, 16);
  }
  for (const end = a + ((<usize>steps) << 4); a < end; a += 16, offsets += 4) {
    const at = b + load<usize>(offsets);
    const b0 = v128.load(at, 0);
    const b1 = v128.load(at, 16);
    const a0 = v128.load32_splat(a, 0);
    c00 = FUSED ? f32x4.relaxed_madd(a0, b0, c00) : f32x4.add(c00, f32x4.mul(a0, b0));
    c01 = FUSED ? f32x4.relaxed_madd(a0, b1, c01) : f32x4.add(c01, f32x4.mul(a0, b1));
    const a1 = v128.load32_splat(a, 4);
    c10 = FUSED ? f32x4.relaxed_madd(a1, b0, c10) : f32x4.add(c10, f32x4.mul(a1, b0));
    c11 = FUSED ? f32x4.relaxed_madd(a1, b1, c11) : f32x4.add(c11, f32x4.mul(a1, b1));
    const a2 = v128.load32_splat(a, 8);
    c20 = FUSED ? f32x4.relaxed_madd(a2, b0, c20) : f32x4.add(c20, f32x4.mul(a2, b0));
    c21 = FUSED ? f32x4.relaxed_madd(a2, b1, c21) : f32x4.add(c21, f32x4.mul(a2, b1));
    const a3 = v128.load32_splat(a, 12);
    c30 = FUSED ? f32x4.relaxed_madd(a3, b0, c30) : f32x4.add(c30, f32x4.mul(a3, b0));
    c31 = FUSED ? f32x4.relaxed_madd(a3, b1, c31) : f32x4.add(c31, f32x4.mul(a3, b1));
  }
  v128.store(c, c00, 0);
  v128.store(c, c01, 16);
  v128.store(row1, c10, 0);
  v128.store(row1, c11, 16);
  v128.store(row2, c20, 0);
  v128.store(row2, c21, 16);
  v128.store(row3, c30, 0);
  v128.store(row3, c31, 16);
}

/** Copies the part of a tile of C that exists. */
function copyPart(from: usize, fromStride: usize, to: usize, toStride: usize, rows: i32, size: usize): void {
  for (let row = 0; row < rows; row++, from += fromStride, to += toStride) {
    for (let j: usize = 0; j < size; j += 4) store<f32>(to + j, load<f32>(from + j));
  }
}

/** The packed tiles of a piece of A times all panels. */
function multiplyTiles(scratch: usize, panels: usize, panelSize: usize, c: usize, m: i32, n: i32, steps: i32, accumulate: bool): void {
  const stride = (<usize>n) << 2;
  const edge = scratch + EDGE_AT;
  for (let column = 0; column < n; column += 8, panels += panelSize) {
    const width = (<usize>min(8, n - column)) << 2;
    let a = scratch;
    let offsets = scratch + OFFSETS_AT;
    let counts = scratch + COUNTS_AT;
    let to = c + ((<usize>column) << 2);
    for (let row = 0; row < m; row += 4) {
      const rows = min(4, m - row);
      const kept = load<i32>(counts);
      const whole = rows == 4 && width == 32;
      const target = whole ? to : edge;
      const targetStride = whole ? stride : 32;
      if (!whole && accumulate) copyPart(to, stride, edge, 32, rows, width);
      if (kept == steps) multiplyDense(a, panels, target, targetStride, kept, accumulate);
      else multiplySparse(a, offsets, panels, target, targetStride, kept, accumulate);
      if (!whole) copyPart(edge, 32, to, stride, rows, width);
      a += (<usize>steps) << 4;
      offsets += (<usize>steps) << 2;
      counts += 4;
      to += stride << 2;
    }
  }
}

function rowsAtOnce(steps: i32): i32 {
  return min(TILES, PACKED / (4 * steps)) * 4;
}

/**
 * C[m][n] = A[m][k]·B[k][n], or C += A·B where `accumulate` is not 0; A row-major, B as packPanels left it.
 * `finite` says that B is: only then may zeros of A be left out. C and what is added to must not hold -0.
 */
export function gemmRows(a: usize, panels: usize, c: usize, m: i32, n: i32, k: i32, accumulate: i32, finite: i32, scratch: usize): void {
  const stride = (<usize>k) << 2;
  for (let first = 0; first < k; first += STEPS) {
    const steps = min(STEPS, k - first);
    const block = rowsAtOnce(steps);
    for (let row = 0; row < m; row += block) {
      const rows = min(block, m - row);
      for (let i = 0, tile: usize = 0; i < rows; i += 4, tile++) {
        const from = a + <usize>(row + i) * stride + ((<usize>first) << 2);
        const kept = packTileRows(
          from,
          stride,
          min(4, rows - i),
          steps,
          scratch + ((tile * <usize>steps) << 4),
          scratch + OFFSETS_AT + ((tile * <usize>steps) << 2),
          finite ^ 1,
        );
        store<i32>(scratch + COUNTS_AT + (tile << 2), kept);
      }
      const to = c + ((<usize>row * <usize>n) << 2);
      multiplyTiles(scratch, panels + ((<usize>first) << 5), (<usize>k) << 5, to, rows, n, steps, accumulate != 0 || first > 0);
    }
  }
}

/** The same with A given transposed: A[k][m], row-major. */
export function gemmColumns(a: usize, panels: usize, c: usize, m: i32, n: i32, k: i32, accumulate: i32, finite: i32, scratch: usize): void {
  const stride = (<usize>m) << 2;
  for (let first = 0; first < k; first += STEPS) {
    const steps = min(STEPS, k - first);
    const block = rowsAtOnce(steps);
    for (let row = 0; row < m; row += block) {
      const rows = min(block, m - row);
      for (let i = 0, tile: usize = 0; i < rows; i += 4, tile++) {
        const from = a + <usize>first * stride + ((<usize>(row + i)) << 2);
        const kept = packTileColumns(
          from,
          stride,
          min(4, rows - i),
          steps,
          scratch + ((tile * <usize>steps) << 4),
          scratch + OFFSETS_AT + ((tile * <usize>steps) << 2),
          finite ^ 1,
        );
        store<i32>(scratch + COUNTS_AT + (tile << 2), kept);
      }
      const to = c + ((<usize>row * <usize>n) << 2);
      multiplyTiles(scratch, panels + ((<usize>first) << 5), (<usize>k) << 5, to, rows, n, steps, accumulate != 0 || first > 0);
    }
  }
}
