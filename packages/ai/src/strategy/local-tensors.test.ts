import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matches, matchTensors } from "./local-tensors.ts";
import { STRATEGY_SCHEMAS } from "./registry.ts";

describe("a pattern", () => {
  it.each([
    ["layer1.weight", "layer1.weight", true],
    ["layer1.weight", "layer1xweight", false],
    ["layer1.*", "layer1.bias", true],
    ["layer1.*", "layer10.bias", false],
    ["*norm*", "bn.norm.scale", true],
    ["*.bias", "bias", false],
    ["*", "", true],
    ["**", "a", true],
    ["a*b*c", "aXbYbZc", true],
    ["a*b*c", "acb", false],
    ["", "", true],
    ["", "a", false],
  ])("%s means %s: %s", (pattern, word, meant) => {
    expect(matches(pattern, word)).toBe(meant);
  });

  it("means what the regular expression with .* for * means", () => {
    const text = fc.array(fc.constantFrom("a", "b", "*", "."), { maxLength: 7 }).map((all) => all.join(""));
    const word = fc.array(fc.constantFrom("a", "b", "."), { maxLength: 9 }).map((all) => all.join(""));
    fc.assert(
      fc.property(text, word, (pattern, subject) => {
        const expression = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
        expect(matches(pattern, subject)).toBe(expression.test(subject));
      }),
      { numRuns: 1_000 },
    );
  });

  it("of many stars is answered at once", () => {
    expect(matches(`${"*a".repeat(99)}b`, "a".repeat(200))).toBe(false);
  });
});

describe("the tensors that patterns mean", () => {
  const tensors = [
    { name: "layer0.weight", layerKinds: ["conv2d"] },
    { name: "layer1.bias", layerKinds: ["group-norm"] },
    { name: "layer2.layer0.weight", layerKinds: ["residual", "batch-norm"] },
  ];

  it("are those of a name or in a layer of a kind, in the order given", () => {
    expect(matchTensors(["*-norm"], tensors)).toEqual({ local: ["layer1.bias", "layer2.layer0.weight"], unmatched: [] });
    expect(matchTensors(["residual", "*.bias"], tensors).local).toEqual(["layer1.bias", "layer2.layer0.weight"]);
    expect(matchTensors(["*.weight", "dense", "layer3"], tensors)).toEqual({
      local: ["layer0.weight", "layer2.layer0.weight"],
      unmatched: ["dense", "layer3"],
    });
  });
});

it.each(STRATEGY_SCHEMAS.map((schema) => [schema.shape.kind.value, schema] as const))("%s may leave tensors at the parties", (kind, schema) => {
  expect(schema.parse({ kind, local: ["*-norm"] })).toMatchObject({ kind, local: ["*-norm"] });
  expect(schema.parse({ kind })).not.toHaveProperty("local");
  expect(schema.safeParse({ kind, local: [] }).success).toBe(false);
});
