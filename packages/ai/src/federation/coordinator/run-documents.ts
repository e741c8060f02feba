import { NexusError } from "@ciphernx/core/errors";
import { runs, type StartedBy, type Store } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import type { RunPlan, RunSpec } from "../../spec/index.ts";

/** Runs whose documents are kept: those at work, of which a coordinator has few at a time. */
const KEPT_RUNS = 16;

/** What a run was started with, and what its rows are prepared by once that is known. Neither ever changes. */
export interface RunDocuments {
  readonly spec: RunSpec;
  readonly specHash: string;
  readonly plan: RunPlan;
  /** Both as they go to nodes. */
  readonly specJson: string;
  readonly planJson: string;
  /** How rows become inputs; null before the parties' statistics have been added, and where nothing is prepared. */
  readonly preprocessingJson: string | null;
  /** What an organisation signed when it started the run; undefined where the project has no roster. */
  readonly start: (StartedBy & { readonly idempotencyKey: string }) | undefined;
}

/** Documents of runs, read once: the plan names every party, and each task of each round needs it. */
export interface RunDocumentCache {
  /** @throws NexusError RUN_NOT_FOUND */
  of(runId: string): Promise<RunDocuments>;
}

export function createRunDocumentCache(store: Store): RunDocumentCache {
  const kept = new Map<string, Promise<RunDocuments>>();
  return {
    of(runId) {
      const documents = kept.get(runId) ?? readDocuments(store, runId);
      // The latest used is the last to go.
      kept.delete(runId);
      kept.set(runId, documents);
      documents.then(
        // What is not known yet is read again.
        ({ plan, preprocessingJson }) => plan.preprocess !== undefined && preprocessingJson === null && kept.delete(runId),
        () => kept.delete(runId), // whoever waits for it gets the error; the next one reads again
      );
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT_RUNS) break;
        kept.delete(oldest);
      }
      return documents;
    },
  };
}

async function readDocuments({ db }: Store, runId: string): Promise<RunDocuments> {
  const { spec: asked, specHash: askedHash, plan: planned, preprocessing: prepared, startedBy: by, idempotencyKey: key } = runs;
  const [row] = await db
    .select({ spec: asked, specHash: askedHash, plan: planned, preprocessing: prepared, startedBy: by, idempotencyKey: key })
    .from(runs)
    .where(eq(runs.id, runId));
  if (row === undefined) throw new NexusError("RUN_NOT_FOUND", `No run has the id ${runId}.`);
  const { spec, specHash, plan, preprocessing, startedBy, idempotencyKey } = row;
  return {
    ...{ spec: spec as RunSpec, specHash, plan: plan as RunPlan, specJson: JSON.stringify(spec), planJson: JSON.stringify(plan) },
    preprocessingJson: preprocessing === null ? null : JSON.stringify(preprocessing),
    start: startedBy === null ? undefined : { ...startedBy, idempotencyKey: idempotencyKey ?? "" },
  };
}
