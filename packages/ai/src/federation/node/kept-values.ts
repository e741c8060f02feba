import type { ParameterSet } from "../../tensor/index.ts";

/** The attempt at a round after which values were kept. */
export interface KeptAfter {
  readonly round: number;
  readonly attempt: number;
}

/** What was found of the values that a party should have. */
export type FoundValues = { readonly values: ParameterSet } | { readonly lost: string };

/**
 * The values that a party keeps to itself from round to round: tensors that it does not share. A fit leaves new values before
 * its update is sent; whether they count is known when the round is committed, so each task says after which attempt the party's values
 * stand. An attempt that was given up leaves nothing behind.
 */
export interface KeptValues {
  /** Values as they were kept, or why they are gone. */
  read(runId: string, after: KeptAfter): Promise<FoundValues>;
  /** Keeps values; they survive a crash once this resolves. Values of the same attempt are replaced. */
  write(runId: string, after: KeptAfter, values: ParameterSet): Promise<void>;
  /** Forgets what was kept earlier than after this attempt. */
  forgetBefore(runId: string, after: KeptAfter): Promise<void>;
}

/** What an earlier process of a node without a folder has lost. */
const NOT_HERE = "they are not in this process's memory";

/** Values in memory: for nodes that have no folder. They are lost with the process. */
export function memoryKeptValues(): KeptValues {
  const runs = new Map<string, Map<string, { readonly after: KeptAfter; readonly values: ParameterSet }>>();
  const of = (runId: string) => runs.get(runId) ?? runs.set(runId, new Map()).get(runId)!;
  return {
    read(runId, after) {
      const found = of(runId).get(keyOf(after));
      return Promise.resolve(found === undefined ? { lost: NOT_HERE } : { values: found.values });
    },
    write(runId, after, values) {
      of(runId).set(keyOf(after), { after, values });
      return Promise.resolve();
    },
    forgetBefore(runId, after) {
      const kept = of(runId);
      for (const [key, entry] of kept) if (isBefore(entry.after, after)) kept.delete(key);
      return Promise.resolve();
    },
  };
}

/** Text of an attempt, as files and maps are named by it: `12.1`. */
export function keyOf({ round, attempt }: KeptAfter): string {
  return `${round}.${attempt}`;
}

/** Whether one attempt comes before another. */
export function isBefore(a: KeptAfter, b: KeptAfter): boolean {
  return a.round < b.round || (a.round === b.round && a.attempt < b.attempt);
}
