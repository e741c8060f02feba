/**
 * What a node remembers of protected sums, so that it never masks twice under one attempt and never helps to unmask two sums of one round: two that differ by one
 * party would show that party's update. Every entry is on the disk before what it speaks of leaves the node. Keys and seeds are never kept: after a crash the node
 * sends exactly what it had made ready, or counts as dropped.
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

/** begun: keys may have left; masked: the masked vector may have left; answered: shares may have left. */
export type JournalStep = "begun" | "masked" | "answered";

export interface JournalEntry extends JournalledSum {
  readonly step: JournalStep;
}

/** An answer that may not have arrived. */
export interface KeptAnswer {
  readonly taskId: string;
  /** The message as it was to be sent. */
  readonly message: Uint8Array;
}

/** Where a node remembers. */
export interface SumJournal {
  /** Entries of a run, oldest first. */
  entries(run: string): Promise<readonly JournalEntry[]>;
  /** Keeps an entry. */
  append(entry: JournalEntry): Promise<void>;
  /** Keeps a masked vector, in the place of the run's one before. */
  keepVector(sum: JournalledSum, bytes: Uint8Array): Promise<void>;
  vector(sum: JournalledSum): Promise<Uint8Array<ArrayBuffer> | undefined>;
  keepAnswer(answer: KeptAnswer): Promise<void>;
  answers(): Promise<readonly KeptAnswer[]>;
  forgetAnswer(taskId: string): Promise<void>;
}

/** How an attempt stands with this node. */
export type SumStanding =
  | { readonly kind: "fresh" }
  /** The vector was made ready: exactly that one may be sent again. */
  | { readonly kind: "masked" }
  /** The attempt, or the round, must not be taken part in any more. */
  | { readonly kind: "spent"; readonly reason: string };

/** How an attempt stands, by what is remembered. Pure. */
export function sumStanding(entries: readonly JournalEntry[], { kind, round, attempt }: JournalledSum): SumStanding {
  const ofRound = entries.filter((entry) => entry.kind === kind && entry.round === round);
  const steps = new Set(ofRound.filter((entry) => entry.attempt === attempt).map(({ step }) => step));
  const other = ofRound.find((entry) => entry.step === "answered" && entry.attempt !== attempt);
  if (other !== undefined) {
    return { kind: "spent", reason: `this node helped to unmask attempt ${other.attempt} at this round, and takes part in no other` };
  }
  const later = ofRound.find((entry) => entry.attempt > attempt);
  if (later !== undefined) return { kind: "spent", reason: `attempt ${later.attempt} at this round was begun already` };
  if (steps.has("answered")) return { kind: "spent", reason: "this node has given its answer in this attempt" };
  if (steps.has("masked")) return { kind: "masked" };
  return steps.has("begun") ? { kind: "spent", reason: "this node began the attempt and lost its keys: it was restarted" } : { kind: "fresh" };
}

/** A journal that ends with the process: what a node that forgets everything needs, whose keys end with it as well. */
export function memorySumJournal(): SumJournal {
  const byRun = new Map<string, JournalEntry[]>();
  const answers = new Map<string, KeptAnswer>();
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
    keepAnswer: (answer) => {
      answers.set(answer.taskId, answer);
      return Promise.resolve();
    },
    answers: () => Promise.resolve([...answers.values()]),
    forgetAnswer: (taskId) => {
      answers.delete(taskId);
      return Promise.resolve();
    },
  };
}

/** A name of an attempt within its run's folder. */
export function sumName({ run, kind, round, attempt }: JournalledSum): string {
  return `${run}.${kind}.${round}.${attempt}`;
}
