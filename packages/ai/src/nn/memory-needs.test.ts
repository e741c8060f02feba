import { describe, expect, it } from "vitest";
import { createNetwork, loadKernel, memoryNeeds, type NetworkSpec } from "./index.ts";
import { KERNEL_BYTES } from "./memory-needs.ts";
import { placeBuffers } from "./place-buffers.ts";
import { planNetwork } from "./network-plan.ts";

const SPEC: NetworkSpec = {
  inputLength: 784,
  inputShape: [1, 28, 28],
  layers: [
    { kind: "conv2d", channels: 32, size: 5, padding: 2 },
    { kind: "relu" },
    { kind: "max-pool", size: 2 },
    { kind: "flatten" },
    { kind: "dense", units: 10 },
  ],
  loss: "softmax-cross-entropy",
};

describe("what a network needs of memory", () => {
  it("is no less than what it gets, of the kernels that there are", async () => {
    const kernel = await loadKernel();
    expect(kernel.heapBase).toBeLessThanOrEqual(KERNEL_BYTES.heapBase);
    expect(kernel.gemmScratchBytes).toBeLessThanOrEqual(KERNEL_BYTES.gemmScratchBytes);
    for (const batch of [1, 7, 32]) {
      const { sizeBytes, fits } = memoryNeeds(SPEC, batch);
      const { end } = placeBuffers(kernel, SPEC, planNetwork(SPEC), batch);
      expect(sizeBytes).toBeGreaterThanOrEqual(end);
      expect(sizeBytes - end).toBeLessThan(KERNEL_BYTES.heapBase + KERNEL_BYTES.gemmScratchBytes);
      expect(fits).toBe(true);
      expect(createNetwork(kernel, SPEC, { maxBatch: batch }).maxBatch).toBe(batch);
    }
    expect(memoryNeeds(SPEC, 100_000).fits).toBe(false);
    expect(() => createNetwork(kernel, SPEC, { maxBatch: 100_000 })).toThrow(/4/u);
  });

  it("names the layer that needs the most, which is another for large batches", () => {
    // 7840 × 10 weights five times over, against 32 × 28 × 28 outputs of each example.
    expect(
      memoryNeeds(
        {
          ...SPEC,
          layers: [
            { kind: "dense", units: 10_000 },
            { kind: "dense", units: 10 },
          ],
        },
        1,
      ).largest,
    ).toMatchObject({
      name: "layer0",
      kind: "dense",
    });
    expect(memoryNeeds(SPEC, 4096).largest).toMatchObject({ name: "layer0", kind: "conv2d" });
    expect(memoryNeeds(SPEC, 4096).largest.sizeBytes).toBeGreaterThanOrEqual(4096 * 32 * 28 * 28 * 4);
  });
});
