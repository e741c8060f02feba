import type { RunEvent } from "@ciphernx/ai/federation";
import type { Round } from "@ciphernx/protocol/proto";
import { inMetricOrder } from "./metric-order.ts";

/** Figures of one round by name: `fit.loss` as measured while training, `evaluated.loss` on held-out rows. Only finite numbers. */
export type RoundFigures = Readonly<Record<string, number>>;

/** One committed round in one row. */
export interface RoundRow {
  readonly round: number;
  readonly attempt: number;
  /** When it was committed, ISO 8601 in UTC. */
  readonly committedAt: string;
  /** Parties whose updates were added. */
  readonly accepted: number;
  /** Parties that were asked and whose update was not added. */
  readonly missed: readonly string[];
  /** Coordinates that were clipped to the declared range. */
  readonly saturated: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly seconds: number;
  readonly figures: RoundFigures;
  readonly modelHash: string;
}

/** Takes an event into the rows of a run, by round: a commit, or how the model of an earlier round does. Whether that changed them. */
export function addToRows(rows: Map<number, RoundRow>, event: RunEvent): boolean {
  switch (event.type) {
    case "round-committed":
      rows.set(event.payload.round, roundRow(event));
      return true;
    case "round-judged": {
      const { round, evaluated } = event.payload;
      const row = rows.get(round);
      if (row !== undefined) rows.set(round, { ...row, figures: { ...row.figures, ...roundFigures({ evaluated }) } });
      return row !== undefined;
    }
    default:
      return false;
  }
}

function roundRow(event: Extract<RunEvent, { readonly type: "round-committed" }>): RoundRow {
  const { round, attempt, accepted, missed, saturated, bytesUp, bytesDown, seconds, modelHash, fit, evaluated } = event.payload;
  return {
    ...{ round, attempt, committedAt: event.at, accepted, missed, saturated, bytesUp, bytesDown, seconds },
    ...{ figures: roundFigures({ fit, evaluated }), modelHash },
  };
}

/** The figures of the committed rounds among a run's attempts, by round. */
export function figuresByRound(rounds: readonly Round[]): ReadonlyMap<number, RoundFigures> {
  // Round 0 prepares rows and has no figures.
  const committed = rounds.filter(({ round, state, metricsJson }) => round > 0 && state === "committed" && metricsJson !== "");
  return new Map(committed.map(({ round, metricsJson }) => [round, roundFigures(JSON.parse(metricsJson))]));
}

/** What a round's metrics, as they come over the wire, say in numbers. */
export function roundFigures(metrics: unknown): RoundFigures {
  const { fit, evaluated } = record(metrics);
  return Object.fromEntries([...numbers("fit", fit), ...numbers("evaluated", evaluated)]);
}

/** The names of the figures that any round has: those of training first, although a run's first round may be judged late. */
export function figureNames(rounds: Iterable<RoundFigures>): readonly string[] {
  const names = new Set<string>();
  for (const figures of rounds) for (const name of Object.keys(figures)) names.add(name);
  return ["fit.", "evaluated."].flatMap((kind) => {
    const metrics = [...names].filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length));
    return inMetricOrder(metrics).map((metric) => kind + metric);
  });
}

/** Not a number and infinities travel as null, since JSON has no word for them. */
function numbers(kind: string, values: unknown): readonly (readonly [string, number])[] {
  const figures = record(values);
  return inMetricOrder(Object.keys(figures)).flatMap((name) => {
    const value = figures[name];
    return typeof value === "number" && Number.isFinite(value) ? [[`${kind}.${name}`, value] as const] : [];
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
