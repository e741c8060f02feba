import { NexusError } from "@ciphernx/core/errors";
import { runs, type Store } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import type { Preprocessing } from "../../data/preprocess/index.ts";
import type { RunPlan, RunSpec } from "../../spec/index.ts";
import { createStrategy, type Strategy } from "../../strategy/index.ts";

/** The run that a host serves. */
export interface HostedRun {
  readonly runId: string;
  readonly spec: RunSpec;
  readonly plan: RunPlan;
  readonly strategy: Strategy;
  /** How rows become inputs; null before the parties' statistics have been added, and where nothing is prepared. */
  readonly preprocessing: Preprocessing | null;
}

/** A run as its row has it. @throws NexusError RUN_NOT_FOUND */
export async function hostedRun({ db }: Store, runId: string): Promise<HostedRun> {
  const [row] = await db.select({ spec: runs.spec, plan: runs.plan, preprocessing: runs.preprocessing }).from(runs).where(eq(runs.id, runId));
  if (row === undefined) throw new NexusError("RUN_NOT_FOUND", `No run has the id ${runId}.`);
  const spec = row.spec as RunSpec;
  return {
    runId,
    spec,
    plan: row.plan as RunPlan,
    strategy: createStrategy(spec.strategy),
    preprocessing: row.preprocessing as Preprocessing | null,
  };
}
