// Depthwise convolution of one padded example: each channel with a filter of its own. Geometry as in patches.ts.

/** out[c][y][x] = bias[c] + Σ weight[c][ky][kx] × padded[c][y·stride + ky][x·stride + kx], in ascending order of ky, kx. */
export function depthwise(
  from: usize,
  weight: usize,
  bias: usize,
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
  const filter = (<usize>(kernelHeight * kernelWidth)) << 2;
  const kernelSize = (<usize>kernelWidth) << 2;
  for (let c = 0; c < channels; c++, from += plane, weight += filter, bias += 4) {
    const start = load<f32>(bias);
    for (let y = 0; y < outHeight; y++) {
      const row = from + <usize>(y * strideY) * pitch;
      let x = 0;
      if (strideX == 1) {
        for (; x + 4 <= outWidth; x += 4, to += 16) {
          let sum = f32x4.splat(start);
          let w = weight;
          let at = row + ((<usize>x) << 2);
          for (let ky = 0; ky < kernelHeight; ky++, at += pitch, w += kernelSize) {
            for (let kx: usize = 0; kx < kernelSize; kx += 4) sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w + kx), v128.load(at + kx)));
          }
          v128.store(to, sum);
        }
      }
      for (; x < outWidth; x++, to += 4) {
        let sum = start;
        let w = weight;
        let at = row + ((<usize>(x * strideX)) << 2);
        for (let ky = 0; ky < kernelHeight; ky++, at += pitch, w += kernelSize) {
          for (let kx: usize = 0; kx < kernelSize; kx += 4) sum += load<f32>(w + kx) * load<f32>(at + kx);
        }
        store<f32>(to, sum);
      }
    }
  }
}

/** The gradient of the padded example: from 0, contributions in ascending order of ky, kx for each number. */
export function depthwiseBackward(
  gradient: usize,
  weight: usize,
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
  const outPlane = (<usize>(outHeight * outWidth)) << 2;
  memory.fill(to, 0, <usize>channels * plane);
  for (let c = 0; c < channels; c++, to += plane, gradient += outPlane) {
    for (let ky = 0; ky < kernelHeight; ky++) {
      for (let kx = 0; kx < kernelWidth; kx++, weight += 4) {
        const w = load<f32>(weight);
        let dy = gradient;
        for (let y = 0; y < outHeight; y++) {
          let at = to + <usize>(y * strideY + ky) * pitch + ((<usize>kx) << 2);
          let x = 0;
          if (strideX == 1) {
            for (; x + 4 <= outWidth; x += 4, at += 16, dy += 16) {
              v128.store(at, f32x4.add(v128.load(at), f32x4.mul(f32x4.splat(w), v128.load(dy))));
            }
          }
          for (; x < outWidth; x++, at += (<usize>strideX) << 2, dy += 4) store<f32>(at, load<f32>(at) + w * load<f32>(dy));
        }
      }
    }
  }
}

/** 16 partial sums, by column modulo 16. */
const SUMS = memory.data(64, 16);

/**
 * Adds an example's gradient of the filters: for each element the products over the output, column x in partial sum
 * x mod 16 in order of rows, then a halving tree.
 */
export function depthwiseWeights(
  from: usize,
  gradient: usize,
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
  const outPlane = (<usize>(outHeight * outWidth)) << 2;
  for (let c = 0; c < channels; c++, from += plane, gradient += outPlane) {
    for (let ky = 0; ky < kernelHeight; ky++) {
      for (let kx = 0; kx < kernelWidth; kx++, to += 4) {
        memory.fill(SUMS, 0, 64);
        let dy = gradient;
        for (let y = 0; y < outHeight; y++) {
          let at = from + <usize>(y * strideY + ky) * pitch + ((<usize>kx) << 2);
          let x = 0;
          if (strideX == 1) {
            for (; x + 4 <= outWidth; x += 4, at += 16, dy += 16) {
              const sum = SUMS + ((<usize>(x & 15)) << 2);
              v128.store(sum, f32x4.add(v128.load(sum), f32x4.mul(v128.load(dy), v128.load(at))));
            }
          }
          for (; x < outWidth; x++, at += (<usize>strideX) << 2, dy += 4) {
            const sum = SUMS + ((<usize>(x & 15)) << 2);
            store<f32>(sum, load<f32>(sum) + load<f32>(dy) * load<f32>(at));
          }
        }
        const by4 = f32x4.add(f32x4.add(v128.load(SUMS, 0), v128.load(SUMS, 32)), f32x4.add(v128.load(SUMS, 16), v128.load(SUMS, 48)));
        const by2 = f32x4.add(by4, v128.shuffle<f32>(by4, by4, 2, 3, 0, 1));
        store<f32>(to, load<f32>(to) + (f32x4.extract_lane(by2, 0) + f32x4.extract_lane(by2, 1)));
      }
    }
  }
}
