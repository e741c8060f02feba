import { describe, expect, it } from "vitest";
import { encodeSafetensors } from "../tensor/index.ts";
import { loadModel } from "./load-model.ts";

const WANTED = [
  { name: "w", shape: [2, 2] },
  { name: "b", shape: [1] },
];

describe("a model file is loaded in canonical order, and only when it has the tensors that are wanted", () => {
  const tensor = (shape: readonly number[], from: number) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, index) => from + index),
  });

  it("loads", () => {
    const { parameters, layout } = loadModel(
      encodeSafetensors(
        new Map([
          ["w", tensor([2, 2], 1)],
          ["b", tensor([1], 9)],
        ]),
      ),
      WANTED,
    );
    expect([...parameters]).toEqual([9, 1, 2, 3, 4]);
    expect(layout.entries.map(({ name, offset }) => [name, offset])).toEqual([
      ["b", 0],
      ["w", 1],
    ]);
  });

  it.each([
    ["a tensor missing", [["w", tensor([2, 2], 0)]], 'has nothing under "b"'],
    [
      "another shape",
      [
        ["w", tensor([4], 0)],
        ["b", tensor([1], 0)],
      ],
      'has F32[4] under "w"; it should hold F32[2, 2]',
    ],
    [
      "a tensor too many",
      [
        ["w", tensor([2, 2], 0)],
        ["b", tensor([1], 0)],
        ["c", tensor([1], 0)],
      ],
      "has 3 tensors; it should hold 2",
    ],
  ] as const)("refuses %s", (_name, tensors, message) => {
    expect(() => loadModel(encodeSafetensors(new Map(tensors)), WANTED)).toThrow(
      expect.objectContaining({ code: "DATA_INVALID", message: expect.stringContaining(message) as string }),
    );
  });
});
