import { plural } from "@ciphernx/core/errors";
import type { KnownParty } from "./choose-parties.ts";

/** Fewer training rows than this, and the counts and sums of a party tell of single ones: of one row they are that row. */
const FEW_ROWS = 20;
/** Parties that a label names one by one. */
const NAMED_PARTIES = 10;

/** Whose rows are too few to be counted before the first round without telling of single ones, as a sentence; undefined when nobody's are. */
export function labelFewRows(parties: readonly KnownParty[]): string | undefined {
  const few = parties.filter(({ dataset }) => dataset.trainExamples < FEW_ROWS);
  if (few.length === 0) return undefined;
  const named = few.slice(0, NAMED_PARTIES).map(({ name, dataset }) => `${name} (${plural(dataset.trainExamples, "row")})`);
  const rest = few.length - named.length;
  const who = `${named.join(", ")}${rest > 0 ? ` and ${plural(rest, "more party", "more parties")}` : ""}`;
  return `Fewer than ${FEW_ROWS} training rows are counted at ${who}: what the coordinator receives of them tells of single rows.`;
}
