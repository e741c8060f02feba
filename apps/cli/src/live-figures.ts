import type { RunEvent } from "@ciphernx/ai/federation";
import type { Output } from "./output/index.ts";
import { addToRows, type RoundRow } from "./runs/round-row.ts";
import { formatFigures } from "./views/figures.ts";

/** Least time between two drawings: a reader sees no more, and a run that is over tells its rounds in one go. */
const FRAME_MS = 50;

/** Charts that stand under a run's lines while a person watches them in a terminal; elsewhere nothing is drawn. */
export interface LiveFigures {
  /** Takes a run's next event in. */
  add(event: RunEvent): void;
  /** Draws what has come since the last drawing. */
  finish(): void;
}

export function liveFigures({ terminal, stand, colours }: Pick<Output, "terminal" | "stand" | "colours">): LiveFigures {
  const rows = new Map<number, RoundRow>();
  let rounds = 0;
  let isDrawn = true;
  let drawnAtMs = -Infinity;

  function draw(): void {
    if (terminal === undefined || isDrawn) return;
    isDrawn = true;
    drawnAtMs = performance.now();
    const byRound = new Map([...rows].map(([round, { figures }]) => [round, figures]));
    const charts = formatFigures(byRound, { rounds, columns: terminal.columns() }, colours);
    if (charts !== undefined) stand(charts);
  }

  return {
    add(event) {
      if (!addToRows(rows, event)) return;
      if (event.type === "round-committed") rounds = event.payload.rounds;
      isDrawn = false;
      if (performance.now() - drawnAtMs >= FRAME_MS) draw();
    },
    finish: draw,
  };
}
