import type { Nexus } from "@ciphernx/ai/client";
import { isId } from "@ciphernx/core/ids";

/** How a run may be written on the command line. */
export const RUN_WORD = "id of the run, its beginning, or a name that only one run has";

/**
 * The id of the run that a word means; a whole id is taken at its word, without asking the coordinator.
 * @throws NexusError RUN_NOT_FOUND, RUN_AMBIGUOUS
 */
export async function runId(nexus: Nexus, word: string): Promise<string> {
  if (isId("run", word)) return word;
  const { findRun } = await import("./find-run.ts");
  return findRun(await nexus.runs.list(), word).id;
}
