import { sum16 } from "./reduce";

/** to[row] = sum16 of the row × factor: element losses of one example become its loss. */
export function rowMeans(from: usize, to: usize, rows: i32, columns: i32, factor: f32): void {
  for (let row = 0; row < rows; row++) {
    store<f32>(to + ((<usize>row) << 2), sum16(from, columns) * factor);
    from += (<usize>columns) << 2;
  }
}

/** Number of rows in which every output is above 0 exactly where its target is above ½. */
export function countAgreeing(outputs: usize, targets: usize, rows: i32, columns: i32): i32 {
  let agreeing = 0;
  for (let row = 0; row < rows; row++) {
    let all = 1;
    for (let j = 0; j < columns; j++) {
      all &= <i32>(load<f32>(outputs) > 0 == load<f32>(targets) > 0.5);
      outputs += 4;
      targets += 4;
    }
    agreeing += all;
  }
  return agreeing;
}
