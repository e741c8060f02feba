/**
 * Fills `rows` rows of `columns` with the bias, from which a matrix product then goes on adding. Adding 0 turns a
 * bias of -0 into +0: a sum that starts from +0 never becomes -0, so terms that are zero may be left out.
 */
export function addBiasRows(bias: usize, to: usize, rows: i32, columns: i32): void {
  const size = (<usize>columns) << 2;
  for (let i: usize = 0; i < size; i += 4) store<f32>(to + i, load<f32>(bias + i) + 0);
  for (let row = 1; row < rows; row++) memory.copy(to + <usize>row * size, to, size);
}

/** to[j] = sum over rows of from[row][j], in order of rows. */
export function columnSums(from: usize, to: usize, rows: i32, columns: i32): void {
  const size = (<usize>columns) << 2;
  const vectors = size & ~15;
  let j: usize = 0;
  for (; j < vectors; j += 16) {
    let sum = f32x4.splat(0);
    let at = from + j;
    for (let row = 0; row < rows; row++, at += size) sum = f32x4.add(sum, v128.load(at));
    v128.store(to + j, sum);
  }
  for (; j < size; j += 4) {
    let sum: f32 = 0;
    let at = from + j;
    for (let row = 0; row < rows; row++, at += size) sum += load<f32>(at);
    store<f32>(to + j, sum);
  }
}

/** Copies `count` numbers. */
export function copy(from: usize, to: usize, count: i32): void {
  memory.copy(to, from, (<usize>count) << 2);
}
