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
      hint: "Add `simulation: { source: mnist, parties: 10, partition: { kind: iid } }`.",
    });
  }
  const [{ splitDataset }, { loadSource }] = await Promise.all([import("@ciphernx/ai/data"), import("@ciphernx/ai/data/node")]);
  const { source, parties, partition, examplesPerParty } = spec.simulation;
  const limit = examplesPerParty === undefined ? {} : { examplesPerParty };
  const dataset = await loadSource(source, { signal });
  return { spec, parties: splitDataset(dataset, { parties, partition, seed: spec.seed, shared, ...limit }) };
}
