import type { Address, Geometry, KernelExports } from "../kernel-exports.ts";
import type { Window } from "./window.ts";

/** Padding of one example at a time, for kernels that know no edges. */
export interface Padding {
  /** Geometry of the window over the padded planes. */
  readonly geometry: Geometry;
  /** Numbers of one padded example; 0 where nothing is padded. */
  readonly paddedLength: number;
  /** Numbers of one example without padding. */
  readonly inputLength: number;
  bind(kernel: KernelExports, padded: Address): BoundPadding;
}

interface BoundPadding {
  /** Where the padded example is: `padded`, or the example itself where nothing is padded. */
  pad(from: Address): Address;
  /** Lets `write` write a whole padded example and keeps its middle at `to`. */
  unpad(to: Address, write: (padded: Address) => void): void;
}

export function planPadding(channels: number, window: Window): Padding {
  const { height, width, kernelHeight, kernelWidth, strideY, strideX, top, left, outHeight, outWidth } = window;
  const isPadded = top > 0 || left > 0;
  const paddedHeight = height + 2 * top;
  const paddedWidth = width + 2 * left;
  return {
    geometry: [paddedHeight, paddedWidth, kernelHeight, kernelWidth, strideY, strideX, outHeight, outWidth],
    paddedLength: isPadded ? channels * paddedHeight * paddedWidth : 0,
    inputLength: channels * height * width,
    bind: (kernel, padded) => ({
      pad(from) {
        if (!isPadded) return from;
        kernel.padPlanes(from, padded, channels, height, width, top, left);
        return padded;
      },
      unpad(to, write) {
        if (!isPadded) {
          write(to);
          return;
        }
        write(padded);
        kernel.cropPlanes(padded, to, channels, height, width, top, left);
      },
    }),
  };
}
