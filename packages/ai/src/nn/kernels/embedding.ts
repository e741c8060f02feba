/**
 * Looks up rows of a table [vocabulary][dimensions] for `length` tokens an example (whole numbers given as f32):
 * to[row][dimension][place]. Returns -1, or the index of the first token that the table does not have.
 */
export function embedding(tokens: usize, table: usize, to: usize, rows: i32, length: i32, vocabulary: i32, dimensions: i32): i32 {
  const pitch = (<usize>length) << 2;
  for (let row = 0, index = 0; row < rows; row++, to += <usize>dimensions * pitch) {
    for (let place: usize = 0; place < pitch; place += 4, index++) {
      const token = load<f32>(tokens + ((<usize>index) << 2));
      if (!(token >= 0 && token < <f32>vocabulary && token == floor<f32>(token))) return index;
      let from = table + ((<usize>(<i32>token) * <usize>dimensions) << 2);
      let at = to + place;
      for (let d = 0; d < dimensions; d++, from += 4, at += pitch) store<f32>(at, load<f32>(from));
    }
  }
  return -1;
}

/** Overwrites the gradient of the table: sums over examples and places in order. */
export function embeddingBackward(tokens: usize, gradient: usize, to: usize, rows: i32, length: i32, vocabulary: i32, dimensions: i32): void {
  const pitch = (<usize>length) << 2;
  memory.fill(to, 0, (<usize>vocabulary * <usize>dimensions) << 2);
  for (let row = 0; row < rows; row++, gradient += <usize>dimensions * pitch) {
    for (let place: usize = 0; place < pitch; place += 4, tokens += 4) {
      let put = to + ((<usize>(<i32>load<f32>(tokens)) * <usize>dimensions) << 2);
      let at = gradient + place;
      for (let d = 0; d < dimensions; d++, put += 4, at += pitch) store<f32>(put, load<f32>(put) + load<f32>(at));
    }
  }
}
