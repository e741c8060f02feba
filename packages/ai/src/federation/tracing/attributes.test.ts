import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allowedAttributes, SPAN_ATTRIBUTES } from "./attributes.ts";

describe("attributes of spans", () => {
  it("are ids, codes and names from one list", () => {
    const said = {
      "nexus.run.id": "run_0123456789abcdefghij",
      "nexus.round": 0,
      "error.type": "NODE_LIMIT",
      "rpc.method": "ciphernx.node.v1.NodeService/Report",
    };
    expect(allowedAttributes(said)).toEqual(said);
  });

  it.each([
    ["a loss", { "nexus.loss": 0.25 }],
    ["a count of examples", { "nexus.examples": 4 }],
    ["a message", { "exception.message": "row 7 has the age 200" }],
    ["a measured value under an allowed name", { "nexus.round": 0.25 }],
    ["a negative number", { "nexus.round": -1 }],
    ["a path", { "nexus.run.id": "/data/clinic-a/visits.csv" }],
    ["a path within a folder", { "nexus.run.id": "data/clinic-a/visits.csv" }],
    ["a sentence", { "error.type": "The row 7 cannot be read" }],
    ["a list", { "nexus.task.id": ["task_1"] }],
    ["a text at length", { "nexus.run.id": "r".repeat(200) }],
    ["a text with a line's end", { "nexus.run.id": "run_1\n" }],
  ])("leave out %s", (_, said) => {
    expect(allowedAttributes(said)).toEqual({});
  });

  it("never are anything else", () => {
    const names = fc.oneof(fc.constantFrom(...SPAN_ATTRIBUTES), fc.string());
    fc.assert(
      fc.property(fc.dictionary(names, fc.anything()), (said) => {
        for (const [name, value] of Object.entries(allowedAttributes(said))) {
          expect(SPAN_ATTRIBUTES).toContain(name);
          expect(String(value)).toMatch(/^[\w./-]{1,97}$/);
        }
      }),
    );
  });
});
