import { dirname, resolve } from "node:path";
import type { PartyDataset } from "@ciphernx/ai/data";
import type { RunSpec } from "@ciphernx/ai/spec";
import { NexusError } from "@ciphernx/core/errors";
import { readSpec } from "./spec-file.ts";

/** A spec, and the parts that its simulation section deals to each party. */
export interface SimulatedParties {
  readonly spec: RunSpec;
  readonly parties: readonly PartyDataset[];
}

/**
 * Reads a spec and splits its built-in data among its parties in memory. `shared`: other threads can read the rows.
 * @throws NexusError SPEC_UNREADABLE, SPEC_INVALID (also without a simulation section), DATA_UNREADABLE, DATA_INVALID
 */
export async function simulatedParties(
  specFile: string,
  { signal, shared }: { readonly signal: AbortSignal; readonly shared: boolean },
): Promise<SimulatedParties> {
  const spec = await readSpec(specFile, signal);
  if (spec.simulation === undefined) {
    throw new NexusError("SPEC_INVALID", `${specFile} has no simulation section, which says what data to split, among how many parties, and how.`, {
      hint: "Add `simulation: { source: { data: rows.csv, schema: schema.yaml }, parties: 3, partition: { kind: iid } }` for files of your own; `source: mnist` is built in.",
    });
  }
  return { spec, parties: await splitParties(spec, { folder: specFile === "-" ? process.cwd() : dirname(resolve(specFile)), signal, shared }) };
}

/** The parts that a spec's simulation section deals to each party; paths in it are relative to `folder`. */
export async function splitParties(
  { simulation, seed }: RunSpec,
  { folder, signal, shared }: { readonly folder: string; readonly signal: AbortSignal; readonly shared: boolean },
): Promise<readonly PartyDataset[]> {
  if (simulation === undefined) throw new NexusError("SPEC_INVALID", "The spec has no simulation section.");
  const [{ splitDataset }, { loadFiles, loadSource }] = await Promise.all([import("@ciphernx/ai/data"), import("@ciphernx/ai/data/node")]);
  const { source, parties, partition, examplesPerParty, holdOut } = simulation;
  const keep = "column" in partition ? { keep: [partition.column] } : {};
  const dataset = typeof source === "string" ? await loadSource(source, { signal }) : await loadFiles({ ...source, folder }, { signal, ...keep });
  return splitDataset(dataset, { parties, partition, seed, shared, holdOut, ...(examplesPerParty === undefined ? {} : { examplesPerParty }) });
}
