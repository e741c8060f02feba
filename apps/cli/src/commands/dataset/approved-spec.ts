import { NexusError } from "@ciphernx/core/errors";
import { sha256Schema } from "@ciphernx/core/spec";
import { readSpec } from "../../spec-file.ts";

/**
 * The spec that an approval is for: its hash, or a spec file, which is read.
 * @throws NexusError SPEC_UNREADABLE, SPEC_INVALID; USAGE when the spec learns from another dataset
 */
export async function approvedSpec(
  written: string,
  dataset: string,
  signal: AbortSignal,
): Promise<{ readonly specHash: string; readonly name?: string }> {
  if (sha256Schema.safeParse(written).success) return { specHash: written };
  const [spec, { runSpecHash }] = await Promise.all([readSpec(written, signal), import("@ciphernx/ai/spec")]);
  if (spec.data.dataset !== dataset) {
    throw new NexusError("USAGE", `The spec ${written} learns from "${spec.data.dataset}", not from "${dataset}".`, {
      hint: "Name the dataset that the spec's data.dataset names.",
    });
  }
  return { specHash: runSpecHash(spec), name: spec.name };
}
