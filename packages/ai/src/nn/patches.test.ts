import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../random/index.ts";
import { createNetwork, type Kernel, loadKernel, type NetworkSpec } from "./index.ts";
import { type KernelMemory, kernelMemory } from "./test/kernel-memory.ts";

let memory: KernelMemory;
let kernel: Kernel;
beforeAll(async () => {
  memory = await kernelMemory();
  kernel = await loadKernel();
});

const side = (max: number) => fc.integer({ min: 1, max });

/** Padded sizes, windows and strides that fit. */
const geometries = fc
  .record({
    channels: side(5),
    kernelHeight: side(4),
    kernelWidth: side(4),
    strideY: side(3),
    strideX: side(3),
    outHeight: side(6),
    outWidth: side(11),
  })
  .chain((sizes) => fc.record({ moreY: fc.nat(sizes.strideY - 1), moreX: fc.nat(sizes.strideX - 1) }).map((more) => ({ ...sizes, ...more })))
  .map(({ moreY, moreX, ...sizes }) => ({
    ...sizes,
    height: (sizes.outHeight - 1) * sizes.strideY + sizes.kernelHeight + moreY,
    width: (sizes.outWidth - 1) * sizes.strideX + sizes.kernelWidth + moreX,
  }));

type Sizes = Parameters<Parameters<typeof geometries.map>[0]>[0];

/** Index in the padded example of each patch element (row) and position (column). */
function patchIndices({ channels, height, width, kernelHeight, kernelWidth, strideY, strideX, outHeight, outWidth }: Sizes): number[][] {
  const rows: number[][] = [];
  for (let c = 0; c < channels; c += 1) {
    for (let ky = 0; ky < kernelHeight; ky += 1) {
      for (let kx = 0; kx < kernelWidth; kx += 1) {
        const row: number[] = [];
        for (let y = 0; y < outHeight; y += 1) {
          for (let x = 0; x < outWidth; x += 1) row.push((c * height + y * strideY + ky) * width + x * strideX + kx);
        }
        rows.push(row);
      }
    }
  }
  return rows;
}

function argumentsOf(sizes: Sizes) {
  const { channels, height, width, kernelHeight, kernelWidth, strideY, strideX, outHeight, outWidth } = sizes;
  return [channels, height, width, kernelHeight, kernelWidth, strideY, strideX, outHeight, outWidth] as const;
}

/** The columns of a matrix of `k` rows out of panels of 8 columns, without those behind the last. */
function unpacked(panels: Float32Array, k: number, n: number): number[][] {
  return Array.from({ length: k }, (_, row) => Array.from({ length: n }, (_none, j) => panels[(Math.floor(j / 8) * k + row) * 8 + (j % 8)]!));
}

describe("patches", () => {
  it("are packed as the indices say, either way round, for any geometry", async () => {
    await fc.assert(
      fc.asyncProperty(geometries, async (sizes) => {
        const { run, put, room, get } = await kernelMemory();
        const length = sizes.channels * sizes.height * sizes.width;
        const example = put(Float32Array.from({ length }, (_, i) => i + 1));
        const indices = patchIndices(sizes);
        const [k, n] = [indices.length, indices[0]!.length];
        const panels = room(k * Math.ceil(n / 8) * 8);
        expect(run.packPatches(example, panels, ...argumentsOf(sizes))).toBe(1);
        expect(unpacked(get(panels, k * Math.ceil(n / 8) * 8), k, n)).toEqual(indices.map((row) => row.map((i) => i + 1)));
        const transposed = room(n * Math.ceil(k / 8) * 8);
        expect(run.packPatchesTransposed(example, transposed, ...argumentsOf(sizes))).toBe(1);
        const columns = Array.from({ length: n }, (_, j) => indices.map((row) => row[j]! + 1));
        expect(unpacked(get(transposed, n * Math.ceil(k / 8) * 8), n, k)).toEqual(columns);
      }),
      { numRuns: 60 },
    );
  });

  it("are added back where they came from, patch element by patch element", async () => {
    await fc.assert(
      fc.asyncProperty(geometries, fc.nat(1e6), async (sizes, seed) => {
        const { run, put, room, get } = await kernelMemory();
        const random = randomStream(seed, "patches");
        const indices = patchIndices(sizes);
        const values = indices.map((row) => row.map(() => Math.fround(random.uniform() - 0.5)));
        const length = sizes.channels * sizes.height * sizes.width;
        const want = new Float32Array(length);
        for (const [i, row] of indices.entries()) for (const [j, at] of row.entries()) want[at]! += values[i]![j]!;
        const to = room(length);
        run.addPatches(put(values.flat()), to, ...argumentsOf(sizes));
        expect(get(to, length)).toEqual(want);
      }),
      { numRuns: 60 },
    );
  });

  it("tell when a number that is seen is not finite", () => {
    const { run, put, room } = memory;
    const sizes: Sizes = { channels: 1, height: 3, width: 7, kernelHeight: 2, kernelWidth: 2, strideY: 1, strideX: 1, outHeight: 2, outWidth: 6 };
    const panels = room(1000);
    for (const value of [NaN, Infinity, -Infinity]) {
      for (let at = 0; at < 21; at += 1) {
        const example = put(Float32Array.from({ length: 21 }, (_, i) => (i === at ? value : i)));
        expect(run.packPatches(example, panels, ...argumentsOf(sizes))).toBe(0);
        expect(run.packPatchesTransposed(example, panels, ...argumentsOf(sizes))).toBe(0);
      }
    }
  });
});

describe("a convolution", () => {
  it("has the bits of the plain loop: from the bias on, ascending over input channel, row, column", () => {
    const spec: NetworkSpec = { inputLength: 3 * 6 * 9, inputShape: [3, 6, 9], layers: [{ kind: "conv2d", channels: 5, size: 3 }], loss: "mse" };
    const network = createNetwork(kernel, spec, { maxBatch: 2 });
    const random = randomStream(8, "conv");
    const numbers = (length: number) => Float32Array.from({ length }, () => (random.uniform() - 0.5) * 10 ** random.below(3));
    const parameters = numbers(network.layout.length);
    const features = numbers(2 * spec.inputLength);
    network.load(parameters);
    const [bias, weight] = [parameters.subarray(0, 5), parameters.subarray(5)];
    const want: number[] = [];
    for (let example = 0; example < 2; example += 1) {
      for (let out = 0; out < 5; out += 1) {
        for (let y = 0; y < 4; y += 1) {
          for (let x = 0; x < 7; x += 1) {
            let sum = bias[out]!;
            for (let c = 0; c < 3; c += 1) {
              for (let ky = 0; ky < 3; ky += 1) {
                for (let kx = 0; kx < 3; kx += 1) {
                  const pixel = features[example * 162 + (c * 6 + y + ky) * 9 + x + kx]!;
                  sum = Math.fround(sum + Math.fround(pixel * weight[((out * 3 + c) * 3 + ky) * 3 + kx]!));
                }
              }
            }
            want.push(sum);
          }
        }
      }
    }
    expect(network.predict(features)).toEqual(Float32Array.from(want));
  });
});
