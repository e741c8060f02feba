import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRunSpec, runSpecSchema } from "@ciphernx/ai/spec";
import { describe, expect, it } from "vitest";
import { RUN_SPEC_SCHEMA_FILE, runSpecSchemaFile } from "../scripts/run-spec-schema.ts";
import { ROOT } from "./workspaces.ts";

describe("docs/run-spec.schema.json", () => {
  const text = readFileSync(RUN_SPEC_SCHEMA_FILE, "utf8");

  it("is what the sections say; `npm run docs` writes it anew", () => {
    expect(text).toBe(runSpecSchemaFile());
  });

  it("describes every key of a spec, and admits no other", () => {
    const schema = JSON.parse(text) as { properties: Record<string, { description?: string }>; additionalProperties: boolean };
    expect(Object.keys(schema.properties)).toEqual(Object.keys(runSpecSchema.shape));
    expect(schema.additionalProperties).toBe(false);
  });
});

describe("the run specs of examples/", () => {
  it.each(globSync("examples/*/run*.yaml", { cwd: ROOT }).toSorted())("%s can be read", (file) => {
    expect(parseRunSpec(readFileSync(join(ROOT, file), "utf8"), file).version).toBe(1);
  });
});
