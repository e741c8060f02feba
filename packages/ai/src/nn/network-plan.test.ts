import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { initialParameters, type LayerSpec, networkLayout, type NetworkSpec } from "./index.ts";

const MLP: NetworkSpec = {
  inputLength: 784,
  layers: [{ kind: "dense", units: 128 }, { kind: "relu" }, { kind: "dense", units: 10 }],
  loss: "softmax-cross-entropy",
};

describe("networkLayout", () => {
  it("names parameters by layer, in the order of layers", () => {
    expect(networkLayout(MLP)).toEqual({
      entries: [
        { name: "layer0.bias", shape: [128], offset: 0, length: 128 },
        { name: "layer0.weight", shape: [784, 128], offset: 128, length: 100_352 },
        { name: "layer2.bias", shape: [10], offset: 100_480, length: 10 },
        { name: "layer2.weight", shape: [128, 10], offset: 100_490, length: 1_280 },
      ],
      length: 101_770,
    });
    const deep = { ...MLP, layers: Array.from({ length: 11 }, (): LayerSpec => ({ kind: "dense", units: 2 })) };
    expect(
      networkLayout(deep)
        .entries.filter(({ name }) => name.endsWith("bias"))
        .map(({ name }) => name),
    ).toEqual(Array.from({ length: 11 }, (_, i) => `layer${String(i).padStart(2, "0")}.bias`));
  });

  it.each([
    [{ ...MLP, inputLength: 0 }, /takes 0 features/u],
    [{ ...MLP, layers: [] }, /no layer/u],
    [{ ...MLP, layers: [{ kind: "dense", units: 1.5 }] }, /1\.5 units/u],
    [{ ...MLP, layers: [{ kind: "conv" }] }, /Layer 0 is of kind "conv"; there are dense, relu, tanh, sigmoid/u],
    [{ ...MLP, layers: [{ kind: "toString" }] }, /"toString"/u],
    [{ ...MLP, loss: "hinge" }, /no loss "hinge"; there are softmax-cross-entropy, bce, mse/u],
  ])("refuses what is no network, saying why", (spec, message) => {
    expect(() => networkLayout(spec as NetworkSpec)).toThrow(
      expect.objectContaining({ code: "SPEC_INVALID", message: expect.stringMatching(message) }),
    );
  });
});

describe("initialParameters", () => {
  it("are a pure function of spec and seed, the same bits everywhere", () => {
    const flat = initialParameters(MLP, 42);
    expect(initialParameters(MLP, 42)).toEqual(flat);
    expect(initialParameters(MLP, 43)).not.toEqual(flat);
    const hash = Array.from(sha256(new Uint8Array(flat.buffer)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    expect(hash).toBe("7e81c2f7577a16111e752ae1159e30d73beaad7dc5f55279c4bea555a175c1fd");
  });

  it("spread as He before a ReLU and as Glorot elsewhere, biases at zero", () => {
    const layout = networkLayout(MLP);
    const flat = initialParameters(MLP, 1);
    const [bias0, weight0, bias2, weight2] = layout.entries.map(({ offset, length }) => flat.subarray(offset, offset + length));
    expect(bias0!.every((x) => x === 0) && bias2!.every((x) => x === 0)).toBe(true);
    expectUniform(weight0!, Math.sqrt(6 / 784));
    expectUniform(weight2!, Math.sqrt(6 / 138));
    const glorot = initialParameters({ ...MLP, layers: [{ kind: "dense", units: 128, initial: "glorot" }, ...MLP.layers.slice(1)] }, 1);
    expectUniform(glorot.subarray(128, 100_480), Math.sqrt(6 / 912));
  });
});

/** Within the bound, reaching near it, with the mean and variance of a uniform distribution within five standard errors. */
function expectUniform(values: Float32Array, bound: number): void {
  const count = values.length;
  let sum = 0;
  let squares = 0;
  let largest = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
    largest = Math.max(largest, Math.abs(value));
  }
  expect(largest).toBeLessThanOrEqual(bound * (1 + 2 ** -23));
  expect(largest).toBeGreaterThan(bound * (1 - 10 / count));
  expect(Math.abs(sum / count)).toBeLessThan(5 * bound * Math.sqrt(1 / (3 * count)));
  expect(Math.abs(squares / count / bound ** 2 - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / (45 * count)));
}
