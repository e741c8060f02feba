import { NexusError } from "@ciphernx/core/errors";
import { type DatasetSchema, featureColumns, type ValueColumn } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import type { PreparedCategory, PreparedNumber, Preprocessing } from "../preprocess/preprocessing.ts";
import { position } from "../preprocess/row-statistics.ts";
import { type ColumnMismatch, type MatchedColumn, matchColumns } from "./match-columns.ts";
import { type DriftBand, driftBand, stabilityByChance, stabilityIndex } from "./stability-index.ts";

/** Something of the rows that a model learnt from, and the same of others. */
export interface TrainedAndNow<T> {
  readonly trained: T;
  readonly now: T;
}

interface ColumnDriftBase {
  readonly column: string;
  /** Population stability index of the known cells; null where one side knows none. */
  readonly psi: number | null;
  /** What the index stays below in 19 of 20 draws of so many rows without any drift; null as `psi`. */
  readonly chance: number | null;
  /** Where the index lies among the usual bands; null as `psi`. */
  readonly band: DriftBand | null;
  /** Share of the rows whose cell is missing, from 0 to 1. */
  readonly missing: TrainedAndNow<number> & { /** Index of missing against known cells. */ readonly psi: number; readonly band: DriftBand };
}

/** How a column of numbers has drifted. Values beyond the ends that the model clips to count as these ends, as they do for the model. */
export interface NumberDrift extends ColumnDriftBase {
  readonly type: "number";
  readonly clip: readonly [low: number, high: number];
  /** Of the known cells; null where there are none now. */
  readonly mean: { readonly trained: number; readonly now: number | null };
  readonly deviation: { readonly trained: number; readonly now: number | null };
  /** Known cells of the rows beyond the ends. */
  readonly below: number;
  readonly above: number;
}

/** How a column of categories has drifted. */
export interface CategoryDrift extends ColumnDriftBase {
  readonly type: "category";
  /** Known cells by category, the model's in their order; the last may be "other". */
  readonly counts: readonly (TrainedAndNow<number> & { readonly category: string })[];
  /** Cells of the rows whose category the model does not know: in the index one more category, which nothing had then. */
  readonly unknown: number;
}

export type ColumnDrift = NumberDrift | CategoryDrift;

/** How rows differ from those that a model learnt from. */
export interface DatasetDrift {
  /** Rows that the model learnt from, of all parties. */
  readonly trainedRows: number;
  readonly rows: number;
  /** By their index, those that cannot be compared first. */
  readonly columns: readonly ColumnDrift[];
  /** Columns of the model that the rows do not have as it learnt from them. */
  readonly mismatches: readonly ColumnMismatch[];
}

/** A model's rows: their schema, and what was counted of them. */
export interface LearntRows {
  readonly schema: DatasetSchema;
  readonly preprocessing: Preprocessing;
}

/**
 * Compares rows with the counts and sums that a model keeps of the rows that it learnt from. Nothing but these is needed.
 * @param rows all rows of the dataset, for example the training and the held-out ones
 * @throws NexusError DATA_INVALID when no column of the model is among those of the rows
 */
export function measureDrift({ schema: learnt, preprocessing }: LearntRows, schema: DatasetSchema, rows: readonly Examples[]): DatasetDrift {
  if (learnt.kind !== "table" || schema.kind !== "table") throw noColumns("They are no table, and the model learnt from one.");
  const count = rows.reduce((sum, part) => sum + part.count, 0);
  const mismatches: ColumnMismatch[] = [];
  const features = featureColumns(learnt);
  const columns = matchColumns(features, schema).flatMap((match, index): readonly ColumnDrift[] => {
    if ("problem" in match) {
      mismatches.push(match);
      return [];
    }
    const prepared = preprocessing.columns[index]!;
    const cells = { rows, count, match };
    return [
      prepared.type === "number"
        ? numberDrift(prepared, preprocessing.rows, cells)
        : categoryDrift(prepared, features[index]!, preprocessing.rows, cells),
    ];
  });
  if (columns.length === 0) throw noColumns("They have none of the columns that the model learnt from.");
  return { trainedRows: preprocessing.rows, rows: count, columns: columns.toSorted(byIndex), mismatches };
}

/** A column's cells. */
interface Cells {
  readonly rows: readonly Examples[];
  readonly count: number;
  readonly match: MatchedColumn;
}

function numberDrift({ column, clip, statistics }: PreparedNumber, trainedRows: number, cells: Cells): NumberDrift {
  const [low, high] = clip;
  const bins = statistics.histogram.length;
  const histogram = Array.from({ length: bins }, () => 0);
  let [known, sum, squares, below, above] = [0, 0, 0, 0, 0];
  for (const value of knownCells(cells)) {
    const place = position(value, clip);
    known += 1;
    sum += place;
    squares += place * place;
    histogram[Math.min(bins - 1, Math.floor(place * bins))]! += 1;
    if (value < low) below += 1;
    if (value > high) above += 1;
  }
  const mean = sum / known;
  const deviation = Math.sqrt(Math.max(0, squares / known - mean * mean));
  return {
    column,
    type: "number",
    ...indexOf(statistics.histogram, histogram),
    missing: missingDrift(statistics.missing, trainedRows, cells.count - known, cells.count),
    clip: [low, high],
    mean: { trained: statistics.mean, now: known === 0 ? null : low + mean * (high - low) },
    deviation: { trained: statistics.deviation, now: known === 0 ? null : deviation * (high - low) },
    below,
    above,
  };
}

function categoryDrift({ column, categories, statistics }: PreparedCategory, learnt: ValueColumn, trainedRows: number, cells: Cells): CategoryDrift {
  const places = cells.match.categories ?? [];
  const counts = Array.from({ length: categories }, () => 0);
  let [known, unknown] = [0, 0];
  for (const value of knownCells(cells)) {
    const place = places[value] ?? -1;
    if (place === -1) {
      unknown += 1;
    } else {
      known += 1;
      counts[place]! += 1;
    }
  }
  const names = learnt.type === "category" ? learnt.categories : [];
  return {
    column,
    type: "category",
    ...indexOf([...statistics.counts, 0], [...counts, unknown]),
    missing: missingDrift(statistics.missing, trainedRows, cells.count - known - unknown, cells.count),
    counts: counts.map((now, category) => ({ category: names[category] ?? "other", trained: statistics.counts[category]!, now })),
    unknown,
  };
}

function* knownCells({ rows, match: { at } }: Cells): Generator<number> {
  for (const { features, featureLength, count } of rows) {
    for (let row = 0; row < count; row += 1) {
      const value = features[row * featureLength + at]!;
      if (!Number.isNaN(value)) yield value;
    }
  }
}

function indexOf(trained: readonly number[], now: readonly number[]): Pick<ColumnDriftBase, "psi" | "chance" | "band"> {
  const psi = stabilityIndex(trained, now);
  return psi === undefined ? { psi: null, chance: null, band: null } : { psi, chance: stabilityByChance(trained, now), band: driftBand(psi) };
}

function missingDrift(trained: number, trainedRows: number, now: number, nowRows: number): ColumnDriftBase["missing"] {
  const psi = stabilityIndex([trained, trainedRows - trained], [now, nowRows - now]) ?? 0;
  return { trained: shareOf(trained, trainedRows), now: shareOf(now, nowRows), psi, band: driftBand(psi) };
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Columns whose cells are all missing come first: nothing is more of a drift. */
function byIndex(a: ColumnDrift, b: ColumnDrift): number {
  const [left, right] = [a.psi ?? Number.MAX_VALUE, b.psi ?? Number.MAX_VALUE];
  return right - left;
}

function noColumns(what: string): NexusError {
  return new NexusError("DATA_INVALID", `The rows cannot be compared with those that the model learnt from. ${what}`, {
    hint: "Name a dataset with the columns of the one that the model's card names.",
  });
}
