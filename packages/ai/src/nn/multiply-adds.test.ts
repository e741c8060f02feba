import { describe, expect, it } from "vitest";
import { inferShapes, multiplyAdds, type NetworkLayerSpec } from "./index.ts";

function workOf(layers: readonly NetworkLayerSpec[], inputShape: readonly number[]): readonly number[] {
  return inferShapes(layers, inputShape).map(multiplyAdds);
}

describe("the work of a layer", () => {
  it("is that of its sums, as one counts them by hand", () => {
    const layers: readonly NetworkLayerSpec[] = [
      { kind: "conv2d", channels: 32, size: 5, padding: 2 },
      { kind: "relu" },
      { kind: "max-pool", size: 2 },
      { kind: "depthwise-conv2d", size: 3, stride: 2 },
      { kind: "group-norm", groups: 4 },
      { kind: "dropout", rate: 0.5 },
      { kind: "dense", units: 7 },
    ];
    expect(workOf(layers, [1, 28, 28])).toEqual([
      28 * 28 * 32 * (25 + 1),
      0,
      32 * 28 * 28,
      6 * 6 * 32 * (9 + 1),
      3 * 32 * 6 * 6,
      0,
      7 * (32 * 36 + 1),
    ]);
  });

  it("is the sum of what is inside a residual block", () => {
    const body: NetworkLayerSpec = { kind: "conv2d", channels: 4, size: 3, padding: 1, stride: 2 };
    const shortcut: NetworkLayerSpec = { kind: "conv2d", channels: 4, size: 1, stride: 2 };
    const [block] = workOf([{ kind: "residual", layers: [body], shortcut: [shortcut] }], [2, 8, 8]);
    expect(block).toBe(4 * 4 * 4 * (2 * 9 + 1) + 4 * 4 * 4 * (2 + 1));
  });
});
