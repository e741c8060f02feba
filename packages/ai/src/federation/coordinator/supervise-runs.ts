import { toNexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";
import { runs } from "@ciphernx/core/store";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { ne } from "@ciphernx/core/store/sql";
import type { EngineContext } from "./engine-context.ts";

/** Time between two looks at the unfinished runs. */
const LOOK_INTERVAL_MS = 2_000;
/** A workflow that the database counts as alive gets this long to appear in the process, where DBOS starts it within a second. */
const STRANDED_AFTER_MS = 15_000;

/** An unfinished run as its row has it. */
export interface UnfinishedRun {
  readonly id: string;
}

export interface SupervisionOptions {
  /** Whether a workflow of the run is at work in this process. */
  underway(runId: string): boolean;
  /** Starts a workflow for a run that has none. */
  takeUp(run: UnfinishedRun): Promise<void>;
}

/**
 * Sees to it that every unfinished run has a workflow, at start-up and ever after: a crash between a commit and the start of the next
 * round leaves none, a database that goes away at the wrong moment can end one or leave it claimed with nobody at work. Ends when it
 * is disposed of.
 */
export function superviseRuns(context: EngineContext, { underway, takeUp }: SupervisionOptions): Disposable {
  const { store, log } = context;
  const ending = new AbortController();
  /** Since when a run's workflow has been alive in the database alone. */
  const strandedSince = new Map<string, number>();

  async function look(): Promise<void> {
    const unfinished = await store.db.select({ id: runs.id }).from(runs).where(ne(runs.state, "finished"));
    for (const run of unfinished) {
      if (ending.signal.aborted) return;
      if (underway(run.id)) strandedSince.delete(run.id);
      else await lookAfter(run);
    }
    const known = new Set(unfinished.map(({ id }) => id));
    for (const id of strandedSince.keys()) if (!known.has(id)) strandedSince.delete(id);
  }

  async function lookAfter(run: UnfinishedRun): Promise<void> {
    const alive = await DBOS.listWorkflows({
      workflow_id_prefix: `${run.id}/`,
      status: ["PENDING", "ENQUEUED"],
      loadInput: false,
      loadOutput: false,
    });
    if (alive.length > 0) {
      const since = strandedSince.get(run.id) ?? performance.now();
      strandedSince.set(run.id, since);
      if (performance.now() - since < STRANDED_AFTER_MS) return;
      log("warn", `A workflow of ${run.id} is claimed, but nobody works at it; another takes its place.`, { run: run.id });
      await DBOS.cancelWorkflows(alive.map(({ workflowID }) => workflowID));
    }
    // The round may have ended between the two looks, and the next begun.
    if (underway(run.id)) return;
    await takeUp(run);
    strandedSince.delete(run.id);
  }

  void (async () => {
    while (!ending.signal.aborted) {
      await look().catch((error: unknown) => {
        if (!ending.signal.aborted)
          log("warn", `The unfinished runs could not be looked after; the next look tries again: ${toNexusError(error).message}`);
      });
      await sleep(LOOK_INTERVAL_MS, { signal: ending.signal }).catch(() => {}); // an abort ends the loop
    }
  })();

  // A look under way is not waited for: with the database away it takes as long as that is away.
  return { [Symbol.dispose]: () => ending.abort() };
}
