import type { Prediction } from "@ciphernx/ai/models";
import { csvRecord } from "../output/csv.ts";

export const PREDICTION_FORMATS = ["csv", "jsonl"] as const;
export type PredictionFormat = (typeof PREDICTION_FORMATS)[number];

/** Judged rows, with what names them. */
export interface Predictions {
  /** Texts of the columns that name the rows, one for each row. */
  readonly ids: ReadonlyMap<string, readonly string[]>;
  /** Empty for a regression. */
  readonly classes: readonly string[];
  readonly predictions: readonly Prediction[];
}

/** Rows are numbered from 1 where no column names them. */
const ROW = "row";

/** One line a row, in the order of the rows: what names it, the prediction, and of classes how probable each is. */
export function formatPredictions(judged: Predictions, format: PredictionFormat): string {
  return format === "csv" ? formatCsv(judged) : formatJsonLines(judged);
}

/** Predictions with what names their rows: the columns that do, else the number of the row from 1. */
export function namedPredictions({ ids, predictions }: Predictions) {
  return predictions.map((prediction, row) => ({ ...nameOf(ids, row), ...prediction }));
}

function nameOf(ids: Predictions["ids"], row: number) {
  return ids.size === 0 ? { [ROW]: row + 1 } : { id: Object.fromEntries([...ids].map(([name, texts]) => [name, texts[row]])) };
}

function formatCsv({ ids, classes, predictions }: Predictions): string {
  const names = ids.size === 0 ? [ROW] : [...ids.keys()];
  const header = csvRecord([...names, "prediction", ...classes.map((name) => `probability ${name}`)]);
  const records = predictions.map((prediction, row) => {
    const values = prediction.kind === "class" ? [prediction.label, ...prediction.probabilities.map(shortest)] : [shortest(prediction.value)];
    return csvRecord([...namesOf(ids, row), ...values]);
  });
  return header + records.join("");
}

function formatJsonLines({ ids, classes, predictions }: Predictions): string {
  return predictions
    .map((prediction, row) => {
      const named = nameOf(ids, row);
      const said =
        prediction.kind === "class"
          ? {
              prediction: prediction.label,
              probabilities: Object.fromEntries(classes.map((name, index) => [name, Number(shortest(prediction.probabilities[index]!))])),
            }
          : { prediction: Number(shortest(prediction.value)) };
      return `${JSON.stringify({ ...named, ...said })}\n`;
    })
    .join("");
}

function namesOf(ids: Predictions["ids"], row: number): readonly string[] {
  return ids.size === 0 ? [String(row + 1)] : [...ids.values()].map((texts) => texts[row]!);
}

/** The shortest decimal that is the same f32, which is what a model gives. */
function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits += 1) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === Math.fround(value)) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}
