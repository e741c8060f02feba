// Pooling over windows of planes. A window that reaches over the edge sees only what is inside.

/** The largest number of each window, the first of equals; NaN wins. `chosen` takes its i32 index within its plane. */
export function maxPool(
  from: usize,
  to: usize,
  chosen: usize,
  planes: i32,
  height: i32,
  width: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const plane = (<usize>(height * width)) << 2;
  for (let p = 0; p < planes; p++, from += plane) {
    for (let outY = 0; outY < outHeight; outY++) {
      const startY = outY * strideY - top;
      const firstY = max(startY, 0);
      const lastY = min(startY + kernelHeight, height);
      for (let outX = 0; outX < outWidth; outX++, to += 4, chosen += 4) {
        const startX = outX * strideX - left;
        const firstX = max(startX, 0);
        const lastX = min(startX + kernelWidth, width);
        let at = firstY * width + firstX;
        let most = load<f32>(from + ((<usize>at) << 2));
        for (let y = firstY; y < lastY; y++) {
          for (let i = y * width + firstX, end = y * width + lastX; i < end; i++) {
            const value = load<f32>(from + ((<usize>i) << 2));
            // No branch to mispredict: which number is the largest follows no pattern.
            const isTaken = <bool>(<i32>(value > most) | (<i32>(value != value) & <i32>(most == most)));
            most = select<f32>(value, most, isTaken);
            at = select<i32>(i, at, isTaken);
          }
        }
        store<f32>(to, most);
        store<i32>(chosen, at);
      }
    }
  }
}

/** Each gradient goes to the number that was chosen, in the order of outputs. */
export function maxPoolBackward(gradient: usize, chosen: usize, to: usize, planes: i32, inputs: i32, outputs: i32): void {
  const plane = (<usize>inputs) << 2;
  memory.fill(to, 0, <usize>planes * plane);
  for (let p = 0; p < planes; p++, to += plane) {
    for (let i = 0; i < outputs; i++, gradient += 4, chosen += 4) {
      const at = to + ((<usize>load<i32>(chosen)) << 2);
      store<f32>(at, load<f32>(at) + load<f32>(gradient));
    }
  }
}

/** The mean of each window: its numbers added row by row, times the reciprocal of their number. */
export function averagePool(
  from: usize,
  to: usize,
  planes: i32,
  height: i32,
  width: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const plane = (<usize>(height * width)) << 2;
  for (let p = 0; p < planes; p++, from += plane) {
    for (let outY = 0; outY < outHeight; outY++) {
      const startY = outY * strideY - top;
      const firstY = max(startY, 0);
      const lastY = min(startY + kernelHeight, height);
      for (let outX = 0; outX < outWidth; outX++, to += 4) {
        const startX = outX * strideX - left;
        const firstX = max(startX, 0);
        const lastX = min(startX + kernelWidth, width);
        let sum: f32 = 0;
        for (let y = firstY; y < lastY; y++) {
          for (let i = y * width + firstX, end = y * width + lastX; i < end; i++) sum += load<f32>(from + ((<usize>i) << 2));
        }
        store<f32>(to, sum * (<f32>1 / <f32>((lastY - firstY) * (lastX - firstX))));
      }
    }
  }
}

/** Each gradient is spread evenly over its window, in the order of outputs. */
export function averagePoolBackward(
  gradient: usize,
  to: usize,
  planes: i32,
  height: i32,
  width: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const plane = (<usize>(height * width)) << 2;
  memory.fill(to, 0, <usize>planes * plane);
  for (let p = 0; p < planes; p++, to += plane) {
    for (let outY = 0; outY < outHeight; outY++) {
      const startY = outY * strideY - top;
      const firstY = max(startY, 0);
      const lastY = min(startY + kernelHeight, height);
      for (let outX = 0; outX < outWidth; outX++, gradient += 4) {
        const startX = outX * strideX - left;
        const firstX = max(startX, 0);
        const lastX = min(startX + kernelWidth, width);
        const share = load<f32>(gradient) * (<f32>1 / <f32>((lastY - firstY) * (lastX - firstX)));
        for (let y = firstY; y < lastY; y++) {
          for (let i = y * width + firstX, end = y * width + lastX; i < end; i++) {
            const at = to + ((<usize>i) << 2);
            store<f32>(at, load<f32>(at) + share);
          }
        }
      }
    }
  }
}
