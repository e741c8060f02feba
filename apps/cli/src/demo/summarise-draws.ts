import { NexusError } from "@ciphernx/core/errors";
import { type Draw, FIGURE_NAMES, type FigureName, type Figures, type OwnRows, type Way, WAYS } from "./compare-models.ts";

/** A figure over several draws of held-out rows. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation over the draws (n − 1); 0 of one draw. */
  readonly deviation: number;
}

export type ByWay = Readonly<Record<Way, Spread>>;

/** What becomes of one party: what it gains or loses on its own rows by taking part. */
export interface PartyFigures extends ByWay {
  readonly party: string;
  readonly trainExamples: number;
  readonly testExamples: number;
  /** Held-out rows of the second class, and of the first. */
  readonly positives: number;
  readonly negatives: number;
  /** Whether so few held-out rows are of one class that the figures say little. */
  readonly unreliable: boolean;
  /** Federated minus local. */
  readonly gain: Spread;
}

export interface DrawsSummary {
  /** On the held-out rows of all parties together, by figure; `localOnly` is the mean over the parties' models. */
  readonly union: Readonly<Record<FigureName, ByWay>>;
  /** On each party's own held-out rows, the mean over the parties. */
  readonly own: Readonly<Record<FigureName, ByWay>>;
  /** The AUC on own rows, party by party. */
  readonly parties: readonly PartyFigures[];
}

/** Fewer held-out rows of a class than this tell little: one row more or less on the right side moves the AUC by a tenth and more. */
const RELIABLE_FROM = 5;

export function summariseDraws(draws: readonly Draw[]): DrawsSummary {
  const names = draws[0]!.own.map(({ party }) => party);
  return {
    union: byFigure((figure) =>
      byWay((way) => spread(draws.map(({ union }) => (way === "localOnly" ? meanOf(union.localOnly, figure) : union[way][figure])))),
    ),
    own: byFigure((figure) =>
      byWay((way) =>
        spread(
          draws.map(({ own }) =>
            meanOf(
              own.map((rows) => rows[way]),
              figure,
            ),
          ),
        ),
      ),
    ),
    parties: names.map((name) => partyFigures(draws.map(({ own }) => own.find(({ party }) => party === name)!))),
  };
}

function partyFigures(draws: readonly OwnRows[]): PartyFigures {
  const { party, trainExamples, testExamples, positives } = draws[0]!;
  const negatives = testExamples - positives;
  const gains = draws.map(({ federated, localOnly }) =>
    federated.auc === undefined || localOnly.auc === undefined ? undefined : federated.auc - localOnly.auc,
  );
  return {
    ...{ party, trainExamples, testExamples, positives, negatives, unreliable: Math.min(positives, negatives) < RELIABLE_FROM },
    ...byWay((way) => spread(draws.map((draw) => draw[way].auc))),
    gain: spread(gains),
  };
}

function byFigure<T>(of: (figure: FigureName) => T): Readonly<Record<FigureName, T>> {
  return Object.fromEntries(FIGURE_NAMES.map((figure) => [figure, of(figure)])) as Record<FigureName, T>;
}

function byWay(of: (way: Way) => Spread): ByWay {
  return Object.fromEntries(WAYS.map((way) => [way, of(way)])) as Record<Way, Spread>;
}

function meanOf(all: readonly Figures[], figure: FigureName): number | undefined {
  const values = all.map((figures) => figures[figure]).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Draws that do not tell a figure are left out. @throws NexusError DATA_INVALID where none does */
function spread(values: readonly (number | undefined)[]): Spread {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) {
    throw new NexusError("DATA_INVALID", "Some party's held-out rows are of one class in every draw, so nothing can be compared on them.", {
      hint: "Hold out more rows, the same share of each class (holdOut.stratify).",
    });
  }
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: known.length < 2 ? 0 : Math.sqrt(squares / (known.length - 1)) };
}
