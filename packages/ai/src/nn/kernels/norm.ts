// Normalisation of planes: y = (x − mean)·inverse·weight + bias, `inverse` being 1 / √(variance + ε), the variance the
// mean square of x − mean. Group norm (Wu, He 2018) takes mean and variance of a group of channels of one example, batch
// norm (Ioffe, Szegedy 2015) those of a channel over the examples of a batch. Gradients as in the latter's §3.
import { centredSquares, normalisedProducts } from "./plane-sums";
import { sum16 } from "./reduce";

/** y of one plane; x and y may not overlap in part. */
function normalise(x: usize, y: usize, count: i32, mean: f32, inverse: f32, weight: f32, bias: f32): void {
  const size = (<usize>count) << 2;
  const vectors = size & ~15;
  let i: usize = 0;
  for (; i < vectors; i += 16) {
    const normal = f32x4.mul(f32x4.sub(v128.load(x + i), f32x4.splat(mean)), f32x4.splat(inverse));
    v128.store(y + i, f32x4.add(f32x4.mul(normal, f32x4.splat(weight)), f32x4.splat(bias)));
  }
  for (; i < size; i += 4) store<f32>(y + i, (load<f32>(x + i) - mean) * inverse * weight + bias);
}

/** dx = ((dy·weight − mean of dy·weight) − x̂ × mean of dy·weight·x̂) × inverse of one plane. */
function normaliseBackward(x: usize, dy: usize, dx: usize, count: i32, mean: f32, inverse: f32, weight: f32, m1: f32, m2: f32): void {
  const size = (<usize>count) << 2;
  const vectors = size & ~15;
  let i: usize = 0;
  for (; i < vectors; i += 16) {
    const normal = f32x4.mul(f32x4.sub(v128.load(x + i), f32x4.splat(mean)), f32x4.splat(inverse));
    const g = f32x4.sub(f32x4.mul(v128.load(dy + i), f32x4.splat(weight)), f32x4.splat(m1));
    v128.store(dx + i, f32x4.mul(f32x4.sub(g, f32x4.mul(normal, f32x4.splat(m2))), f32x4.splat(inverse)));
  }
  for (; i < size; i += 4) {
    const normal = (load<f32>(x + i) - mean) * inverse;
    store<f32>(dx + i, (load<f32>(dy + i) * weight - m1 - normal * m2) * inverse);
  }
}

/** to[i] = 1 / √(variances[i] + epsilon). */
export function inverseRoots(variances: usize, to: usize, count: i32, epsilon: f32): void {
  for (let i: usize = 0, size = (<usize>count) << 2; i < size; i += 4) {
    store<f32>(to + i, <f32>1 / sqrt<f32>(load<f32>(variances + i) + epsilon));
  }
}

/** Each group of `perGroup` channels of `spatial` numbers by itself; keeps a mean and an inverse for each example and group. */
export function groupNorm(
  x: usize,
  y: usize,
  weight: usize,
  bias: usize,
  means: usize,
  inverses: usize,
  rows: i32,
  groups: i32,
  perGroup: i32,
  spatial: i32,
  epsilon: f32,
): void {
  const plane = (<usize>spatial) << 2;
  const count = perGroup * spatial;
  for (let row = 0; row < rows; row++) {
    let channel: usize = 0;
    for (let group = 0; group < groups; group++, means += 4, inverses += 4) {
      const mean = sum16(x, count) / <f32>count;
      const inverse = <f32>1 / sqrt<f32>(centredSquares(x, count, mean) / <f32>count + epsilon);
      store<f32>(means, mean);
      store<f32>(inverses, inverse);
      for (let c = 0; c < perGroup; c++, channel += 4, x += plane, y += plane) {
        normalise(x, y, spatial, mean, inverse, load<f32>(weight + channel), load<f32>(bias + channel));
      }
    }
  }
}

/** Overwrites the gradients of weight and bias (sums over examples in order) and, unless `dx` is 0, that of the input. */
export function groupNormBackward(
  x: usize,
  dy: usize,
  dx: usize,
  weight: usize,
  weightGradient: usize,
  biasGradient: usize,
  means: usize,
  inverses: usize,
  rows: i32,
  groups: i32,
  perGroup: i32,
  spatial: i32,
): void {
  const plane = (<usize>spatial) << 2;
  const size = (<usize>(groups * perGroup)) << 2;
  const whole = <f32>(perGroup * spatial);
  memory.fill(weightGradient, 0, size);
  memory.fill(biasGradient, 0, size);
  for (let row = 0; row < rows; row++) {
    let channel: usize = 0;
    for (let group = 0; group < groups; group++, means += 4, inverses += 4) {
      const mean = load<f32>(means);
      const inverse = load<f32>(inverses);
      let m1: f32 = 0;
      let m2: f32 = 0;
      for (let c = 0; c < perGroup; c++) {
        const at = channel + ((<usize>c) << 2);
        const sum = sum16(dy + <usize>c * plane, spatial);
        const products = normalisedProducts(x + <usize>c * plane, dy + <usize>c * plane, spatial, mean, inverse);
        store<f32>(biasGradient + at, load<f32>(biasGradient + at) + sum);
        store<f32>(weightGradient + at, load<f32>(weightGradient + at) + products);
        m1 += load<f32>(weight + at) * sum;
        m2 += load<f32>(weight + at) * products;
      }
      m1 /= whole;
      m2 /= whole;
      for (let c = 0; c < perGroup; c++, channel += 4, x += plane, dy += plane) {
        if (dx == 0) continue;
        normaliseBackward(x, dy, dx, spatial, mean, inverse, load<f32>(weight + channel), m1, m2);
        dx += plane;
      }
    }
  }
}

/** Mean and variance of each channel over the examples: sums of planes added in order of examples. */
export function channelMoments(x: usize, means: usize, variances: usize, rows: i32, channels: i32, spatial: i32): void {
  const plane = (<usize>spatial) << 2;
  const example = <usize>channels * plane;
  const count = <f32>(rows * spatial);
  for (let c = 0; c < channels; c++, x += plane, means += 4, variances += 4) {
    let sum: f32 = 0;
    for (let row = 0, at = x; row < rows; row++, at += example) sum += sum16(at, spatial);
    const mean = sum / count;
    let squares: f32 = 0;
    for (let row = 0, at = x; row < rows; row++, at += example) squares += centredSquares(at, spatial, mean);
    store<f32>(means, mean);
    store<f32>(variances, squares / count);
  }
}

/** Every channel of every example with the channel's mean and inverse. */
export function batchNorm(
  x: usize,
  y: usize,
  weight: usize,
  bias: usize,
  means: usize,
  inverses: usize,
  rows: i32,
  channels: i32,
  spatial: i32,
): void {
  const plane = (<usize>spatial) << 2;
  for (let row = 0; row < rows; row++) {
    for (let c: usize = 0, size = (<usize>channels) << 2; c < size; c += 4, x += plane, y += plane) {
      normalise(x, y, spatial, load<f32>(means + c), load<f32>(inverses + c), load<f32>(weight + c), load<f32>(bias + c));
    }
  }
}

/** Overwrites the gradients of weight and bias and, unless `dx` is 0, that of the input, mean and variance being those of this batch. */
export function batchNormBackward(
  x: usize,
  dy: usize,
  dx: usize,
  weight: usize,
  weightGradient: usize,
  biasGradient: usize,
  means: usize,
  inverses: usize,
  rows: i32,
  channels: i32,
  spatial: i32,
): void {
  const plane = (<usize>spatial) << 2;
  const example = <usize>channels * plane;
  const count = <f32>(rows * spatial);
  for (let c: usize = 0, size = (<usize>channels) << 2, start: usize = 0; c < size; c += 4, start += plane) {
    const mean = load<f32>(means + c);
    const inverse = load<f32>(inverses + c);
    const scale = load<f32>(weight + c);
    let sum: f32 = 0;
    let products: f32 = 0;
    for (let row = 0, at = start; row < rows; row++, at += example) {
      sum += sum16(dy + at, spatial);
      products += normalisedProducts(x + at, dy + at, spatial, mean, inverse);
    }
    store<f32>(biasGradient + c, sum);
    store<f32>(weightGradient + c, products);
    if (dx == 0) continue;
    const m1 = (scale * sum) / count;
    const m2 = (scale * products) / count;
    for (let row = 0, at = start; row < rows; row++, at += example) {
      normaliseBackward(x + at, dy + at, dx + at, spatial, mean, inverse, scale, m1, m2);
    }
  }
}

/** to[i] = a[i] + (b[i] − a[i]) × share. */
export function blend(a: usize, b: usize, to: usize, count: i32, share: f32): void {
  for (let i: usize = 0, size = (<usize>count) << 2; i < size; i += 4) {
    const from = load<f32>(a + i);
    store<f32>(to + i, from + (load<f32>(b + i) - from) * share);
  }
}
