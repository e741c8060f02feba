/**
 * What a node remembers of protected sums, so that it never masks twice under one attempt and never helps to unmask two sums of one round: two that differ by one
 * party would show that party's update. A masked vector and an answer are on the disk before they leave the node. Keys and seeds are never kept: after a crash the
 * node sends exactly what it had made ready, or counts as dropped.
 *
 * @module
 */

/** An attempt at a sum, as a task names it. */
export interface JournalledSum {
  /** The run, as its start was signed: under whatever id a coordinator shows it. */
  readonly run: string;
  readonly kind: string;
  readonly round: number;
  readonly attempt: number;
}

/** What was noted of an attempt: that keys were made, that shares may have left, that they arrived; that the coordinator was told to expect no more. */
export type JournalEntry =
  | (JournalledSum & { readonly step: "begun"; readonly taskId: string })
  | (JournalledSum & { readonly step: "arrived" | "left" })
  /** The answer as it was to be sent. */
  | (JournalledSum & { readonly step: "answered"; readonly taskId: string; readonly message: Uint8Array<ArrayBuffer> });

/** What somebody may still wait for: an answer that may not have arrived, or any after an attempt was begun. */
export type UnfinishedSum = Extract<JournalEntry, { readonly step: "begun" | "answered" }>;

/** Where a node remembers. */
export interface SumJournal {
  /** Entries of a run, oldest first. */
  entries(run: string): Promise<readonly JournalEntry[]>;
  /** Notes something; an answer is on the disk when this resolves, anything else need not be: losing it costs an attempt and no more. */
  append(entry: JournalEntry): Promise<void>;
  /** Keeps a masked vector, in the place of the run's one before; it is on the disk when this resolves. */
  keepVector(sum: JournalledSum, bytes: Uint8Array): Promise<void>;
  vector(sum: JournalledSum): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** What `unfinished` says of all runs. */
  unfinished(): Promise<readonly UnfinishedSum[]>;
}

/** How an attempt stands with this node. */
export type SumStanding =
  | { readonly kind: "fresh" }
  /** The vector was made ready: exactly that one may be sent again. */
  | { readonly kind: "masked" }
  /** The attempt, or the round, must not be taken part in any more. */
  | { readonly kind: "spent"; readonly reason: string };

/** How an attempt stands, by what is remembered. Pure. */
export function sumStanding(entries: readonly JournalEntry[], { kind, round, attempt }: JournalledSum, hasVector: boolean): SumStanding {
  const ofRound = entries.filter((entry) => entry.kind === kind && entry.round === round);
  const answered = ofRound.find(({ step }) => step === "answered");
  if (answered !== undefined && answered.attempt !== attempt) {
    return { kind: "spent", reason: `this node helped to unmask attempt ${answered.attempt} at this round, and takes part in no other` };
  }
  const later = ofRound.find((entry) => entry.attempt > attempt);
  if (later !== undefined) return { kind: "spent", reason: `attempt ${later.attempt} at this round was begun already` };
  if (answered !== undefined) return { kind: "spent", reason: "this node has given its answer in this attempt" };
  if (hasVector) return { kind: "masked" };
  return ofRound.some((entry) => entry.attempt === attempt)
    ? { kind: "spent", reason: "this node began the attempt and lost its keys: it was restarted" }
    : { kind: "fresh" };
}

/** Of each attempt of a run that is not over as far as this node knows, its last entry. Pure. */
export function unfinished(entries: readonly JournalEntry[]): readonly UnfinishedSum[] {
  const last = new Map(entries.map((entry) => [sumName(entry), entry]));
  return [...last.values()].filter((entry) => entry.step === "begun" || entry.step === "answered");
}

/** A journal that ends with the process: what a node that forgets everything needs, whose keys end with it as well. */
export function memorySumJournal(): SumJournal {
  const byRun = new Map<string, JournalEntry[]>();
  let last: { readonly key: string; readonly bytes: Uint8Array<ArrayBuffer> } | undefined;
  return {
    entries: (run) => Promise.resolve(byRun.get(run) ?? []),
    append: (entry) => {
      byRun.set(entry.run, [...(byRun.get(entry.run) ?? []), entry]);
      return Promise.resolve();
    },
    keepVector: (sum, bytes) => {
      last = { key: sumName(sum), bytes: Uint8Array.from(bytes) };
      return Promise.resolve();
    },
    vector: (sum) => Promise.resolve(last?.key === sumName(sum) ? last.bytes : undefined),
    unfinished: () => Promise.resolve([...byRun.values()].flatMap(unfinished)),
  };
}

/** A name of an attempt within a folder of all runs. */
export function sumName({ run, kind, round, attempt }: JournalledSum): string {
  return `${run}.${kind}.${round}.${attempt}`;
}
