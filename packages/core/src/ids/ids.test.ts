import { expect, it } from "vitest";
import { ID_PREFIX, isId, newId } from "./index.ts";

it("makes ids that carry their kind and do not repeat", () => {
  for (const kind of Object.keys(ID_PREFIX) as (keyof typeof ID_PREFIX)[]) {
    const ids = new Set(Array.from({ length: 1_000 }, () => newId(kind)));
    expect(ids.size).toBe(1_000);
    for (const id of ids) expect(isId(kind, id)).toBe(true);
  }
});

it("takes nothing else for an id", () => {
  expect(isId("run", newId("node"))).toBe(false);
  expect(isId("run", "run_")).toBe(false);
  expect(isId("run", `${newId("run")}0`)).toBe(false);
  expect(isId("run", "run_ILOU0000000000000000")).toBe(false);
});
