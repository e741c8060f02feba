import { beforeAll, expect, it } from "vitest";
import { createNetwork, type Kernel, loadKernel, type NetworkSpec } from "../index.ts";
import { kernelMemory } from "../test/kernel-memory.ts";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

it("takes the first of equals, lets NaN win and sees nothing around the image", () => {
  const spec: NetworkSpec = { inputLength: 16, inputShape: [1, 4, 4], layers: [{ kind: "max-pool", size: 2, padding: 1, stride: 3 }], loss: "mse" };
  const network = createNetwork(kernel, spec, { maxBatch: 1 });
  const image = Float32Array.from({ length: 16 }, (_, i) => -1 - i);
  expect(Array.from(network.predict(image))).toEqual([-1, -3, -9, -11]);
  const whole: NetworkSpec = { ...spec, layers: [{ kind: "max-pool", size: 4 }] };
  for (const at of [0, 7, 15]) expect(createNetwork(kernel, whole, { maxBatch: 1 }).predict(image.with(at, NaN))[0]).toBeNaN();
});

it("sends a gradient to the number that was chosen, and adds up where windows overlap", async () => {
  const { run, put, room, get } = await kernelMemory();
  const [to, chosen, back] = [room(4), room(4), room(9)];
  run.maxPool(put([1, 5, 5, 0, 5, 2, 7, 1, 5]), to, chosen, 1, 3, 3, 2, 2, 1, 1, 0, 0, 2, 2);
  expect(Array.from(get(to, 4))).toEqual([5, 5, 7, 5]);
  run.maxPoolBackward(put([1, 10, 100, 1000]), chosen, back, 1, 9, 4);
  expect(Array.from(get(back, 9))).toEqual([0, 11, 0, 0, 1000, 0, 100, 0, 0]);
});
