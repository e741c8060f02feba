import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRunSpec } from "@ciphernx/ai/spec";
import { describe, expect, it } from "vitest";
import { SPEC_SCHEMA, specSchema } from "../scripts/spec-schema.ts";
import { ROOT } from "./workspaces.ts";

describe("docs/run-spec.schema.json", () => {
  it("is what the sections say; `npm run docs` writes it anew", () => {
    expect(readFileSync(SPEC_SCHEMA, "utf8")).toBe(specSchema());
  });
});

describe("the run specs of examples/", () => {
  it.each(globSync("examples/*/run*.yaml", { cwd: ROOT }).toSorted())("%s can be read", (file) => {
    expect(parseRunSpec(readFileSync(join(ROOT, file), "utf8"), file).version).toBe(1);
  });
});
