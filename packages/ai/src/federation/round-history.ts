import type { RoundSummary, RunEventBody } from "./events.ts";

/** Takes an event into the history of a run: a committed round, or how an earlier one's model does. Others change nothing. */
export function addToHistory(rounds: RoundSummary[], event: RunEventBody): void {
  if (event.type === "round-committed") rounds.push(event.payload);
  if (event.type !== "round-judged") return;
  const { round, evaluated } = event.payload;
  const index = rounds.findLastIndex((known) => known.round === round);
  if (index >= 0) rounds[index] = { ...rounds[index]!, evaluated };
}
