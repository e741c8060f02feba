import { type Json, hashDocument, nameSchema, parseDocumentWith, readDocument, seedSchema } from "@ciphernx/core/spec";
import { z } from "zod";
import { encodingSection } from "../aggregation/section.ts";
import { preprocessSection } from "../data/preprocess/section.ts";
import { dataSection } from "../data/section.ts";
import { cohortSection, evaluateSection, protectionSection, reproducibilitySection, roundsSection } from "../federation/sections.ts";
import { checkpointSection, modelSection } from "../models/section.ts";
import { simulationSection } from "../simulation/section.ts";
import { strategySection } from "../strategy/section.ts";
import { trainSection } from "../training/section.ts";

/**
 * The one declarative document of a run. Each section belongs to the room whose concern it is; a new one is a
 * `section.ts` in its room and one line here.
 */
export const runSpecSchema = z
  .strictObject({
    version: z.literal(1).describe("Version of this document's form"),
    name: nameSchema.describe("Name of the run"),
    seed: seedSchema,
    [dataSection.key]: dataSection.schema,
    [preprocessSection.key]: preprocessSection.schema,
    [modelSection.key]: modelSection.schema,
    [checkpointSection.key]: checkpointSection.schema,
    [trainSection.key]: trainSection.schema,
    [strategySection.key]: strategySection.schema,
    [roundsSection.key]: roundsSection.schema,
    [cohortSection.key]: cohortSection.schema,
    [encodingSection.key]: encodingSection.schema,
    [evaluateSection.key]: evaluateSection.schema,
    [protectionSection.key]: protectionSection.schema,
    [reproducibilitySection.key]: reproducibilitySection.schema,
    [simulationSection.key]: simulationSection.schema,
  })
  .describe("A run of Cipher Nexus");

/** A run spec with every default filled in. */
export type RunSpec = z.output<typeof runSpecSchema>;
/** A run spec as people write it. */
export type RunSpecInput = z.input<typeof runSpecSchema>;

/**
 * Reads a run spec from YAML or JSON text, or checks one given as a value.
 * @throws NexusError SPEC_UNREADABLE, SPEC_INVALID (with every mistake, its path and the nearest known key)
 */
export function parseRunSpec(spec: string | RunSpecInput, source = "The spec"): RunSpec {
  const document = typeof spec === "string" ? readDocument(spec, source) : spec;
  return parseDocumentWith(runSpecSchema, document, source);
}

/** The spec's hash: every party signs under it. Two texts with the same meaning have the same hash. */
export function runSpecHash(spec: RunSpec): string {
  return hashDocument("ciphernx/run-spec/v1", spec);
}

/** JSON Schema (draft 2020-12) of the run spec, for editors and other languages. */
export function runSpecJsonSchema(): Json {
  return { title: "Cipher Nexus run spec, version 1", ...(z.toJSONSchema(runSpecSchema, { io: "input" }) as { [key: string]: Json }) };
}
