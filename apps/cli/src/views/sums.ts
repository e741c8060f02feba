import type { Round, Sum } from "@ciphernx/protocol/proto";
import { formatSeconds, formatTable } from "../output/index.ts";

/** What parties give up together: `fit` is what they learnt. */
const SUM_TITLES: Readonly<Record<string, string>> = { statistics: "statistics", fit: "updates", evaluate: "evaluations" };
/** Steps, by what a party hands in. */
const STEP_TITLES: Readonly<Record<string, string>> = {
  keys: "KEYS",
  holders: "HOLDERS",
  shares: "SHARES",
  vector: "VECTORS",
  survivors: "SIGNED",
  unmask: "ANSWERED",
};

/** A protected sum for programs. */
export function sumData({ kind, graph, parties, holders, threshold, corrupt, steps }: Sum) {
  return {
    ...{ kind, graph, parties, holders, threshold, corrupt },
    steps: steps.map(({ step, taken, dropped, durationMs }) => ({ step, taken, dropped, durationMs })),
  };
}

/** Each protected sum of a run: who held shares, how many parties took each step and how long it lasted, and who dropped out where. Empty when there is none. */
export function formatSums(rounds: readonly Round[]): string {
  const sums = rounds.flatMap(({ round, attempt, sums: ofRound }) => ofRound.map((sum) => ({ round, attempt, ...sum })));
  if (sums.length === 0) return "";
  type Row = (typeof sums)[number];
  const taken = Object.keys(STEP_TITLES).filter((step) => sums.some(({ steps }) => steps.some((one) => one.step === step)));
  const table = formatTable<Row>(
    [
      { title: "ROUND", align: "right", cell: ({ round }) => String(round) },
      { title: "ATTEMPT", align: "right", cell: ({ attempt }) => String(attempt) },
      { title: "SUM OF", cell: ({ kind }) => SUM_TITLES[kind] ?? kind },
      { title: "NEIGHBOURS", cell: ({ graph, parties, holders }) => (graph === "complete" ? `all ${parties}` : `${holders} of ${parties}`) },
      { title: "OPENED BY", align: "right", cell: ({ threshold }) => String(threshold) },
      ...taken.map((step) => ({
        title: STEP_TITLES[step] ?? step,
        align: "right" as const,
        cell: ({ steps }: Row) => {
          const ended = steps.find((one) => one.step === step);
          return ended === undefined ? "-" : `${ended.taken} (${formatSeconds(ended.durationMs / 1000)})`;
        },
      })),
    ],
    sums,
    "",
  );
  const drops = sums.flatMap(({ round, steps }) =>
    steps.flatMap(({ step, dropped }) => (dropped.length === 0 ? [] : [`round ${round}: ${dropped.join(", ")} dropped out ${DROPPED[step] ?? ""}`])),
  );
  return [table, drops.join("\n")].filter((part) => part !== "").join("\n\n");
}

/** What became of a party that did not take a step. */
const DROPPED: Readonly<Record<string, string>> = {
  holders: "after the keys: not in the sum",
  shares: "after the keys: not in the sum",
  vector: "after dealing shares: the others took the masks off, not in the sum",
  survivors: "after the masked vector: in the sum",
  unmask: "after signing: in the sum",
};

/** What the coordinator saw of the updates, in one line; empty before it saw any. */
export function coordinatorSaw(isProtected: boolean, rounds: readonly Round[]): string {
  if (!isProtected) return "each update, until its round was committed";
  const opened = rounds.flatMap(({ sums }) => sums).filter(({ steps }) => steps.some(({ step }) => step === "unmask"));
  if (opened.length === 0) return "";
  const sizes = opened.map(({ steps }) => steps.find(({ step }) => step === "vector")!.taken);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const corrupt = Math.min(...opened.map((sum) => sum.corrupt));
  const sums = opened.length === 1 ? "one sum" : `${opened.length} sums`;
  return `${sums} of ${least === most ? least : `${least} to ${most}`} parties; no party's own update, as long as at most ${corrupt} of a sum's parties were on its side`;
}
