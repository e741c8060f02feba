import { NexusError } from "@ciphernx/core/errors";
import { preparedWidth, type Preprocessing } from "../data/preprocess/preprocessing.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { castToFloat } from "./layer-nodes.ts";

/** What a column of raw values is moved by before all else, and what stands there for a missing cell. */
interface ColumnConstants {
  readonly offset: readonly [high: number, low: number];
  readonly fill: number;
}

/** How one feature follows from the value of its source. Each adds two parts: a scaled number, and 1 where the value equals a category. */
interface FeatureConstants {
  /** A column, or behind all of them a column's missing cells. */
  readonly source: number;
  readonly low: number;
  readonly high: number;
  readonly divisor: number;
  readonly category: number;
}

/** The part that a feature does not have: a clip to 0 leaves 0, and nothing equals NaN. */
const NO_NUMBER = { low: 0, high: 0, divisor: 1 } as const;
const NO_CATEGORY = Number.NaN;

/**
 * Adds what `prepareFeatures` does, in f32, and returns the features, [batch, features]: [batch, columns] with a missing cell NaN goes in.
 * All columns are one matrix and all features another, so that the number of nodes does not grow with either. Numbers lose as little as f32
 * allows, however far from 0 they lie: the offset is taken off first, in two parts, and what fills a gap and the ends of the clip are kept as
 * distances from it. A missing cell that nothing stands in for makes all outputs of its feature NaN, since a graph cannot refuse a row.
 * @throws NexusError MODEL_NOT_USABLE naming a column whose offset or divisor is no number in f32
 */
export function addPreprocessing(graph: GraphBuilder, { columns }: Preprocessing, input: string, model: string): string {
  const own = columns.map((column) => columnConstants(column, model));
  const features = columns.flatMap((column, index) => featureConstants(column, index, columns.length));
  const add = (operator: string, name: string, ...inputs: readonly string[]): string => graph.add(operator, { name: `input/${name}`, inputs });
  const constant = (name: string, values: readonly number[]): string => graph.floats(`input/${name}`, values.map(Math.fround));

  const missing = add("IsNaN", "missing", input);
  const nearly = add(
    "Sub",
    "nearly",
    input,
    constant(
      "offset",
      own.map(({ offset }) => offset[0]),
    ),
  );
  const distance = add(
    "Sub",
    "distance",
    nearly,
    constant(
      "offset/rest",
      own.map(({ offset }) => offset[1]),
    ),
  );
  const filled = add(
    "Where",
    "filled",
    missing,
    constant(
      "fill",
      own.map(({ fill }) => fill),
    ),
    distance,
  );
  const spread = addSources(graph, features, filled, missing, columns.length);

  const isFilled = columns.every(({ fill }) => fill !== null);
  const hasCategories = columns.some(({ type }) => type === "category");
  const atLeast = add(
    "Max",
    "at-least",
    spread,
    constant(
      "low",
      features.map(({ low }) => low),
    ),
  );
  const clipped = add(
    "Min",
    "clipped",
    atLeast,
    constant(
      "high",
      features.map(({ high }) => high),
    ),
  );
  const scaled = add(
    "Div",
    "scaled",
    clipped,
    constant(
      "divisor",
      features.map(({ divisor }) => divisor),
    ),
  );
  const whole = hasCategories ? add("Add", "prepared", scaled, addCategories(graph, features, spread)) : scaled;
  // 0 for a number, NaN for NaN: neither a comparison nor every runtime's Max keeps it.
  return isFilled ? whole : add("Add", "known", whole, add("Sub", "nothing", spread, spread));
}

/** The value that each feature is made of, [batch, features]. */
function addSources(graph: GraphBuilder, features: readonly FeatureConstants[], filled: string, missing: string, columns: number): string {
  const sources = features.map(({ source }) => source);
  const all = sources.some((source) => source >= columns)
    ? graph.add("Concat", { name: "input/all", inputs: [filled, castToFloat(graph, "input/indicators", missing)], attributes: { axis: 1 } })
    : filled;
  if (sources.length === columns && sources.every((source, index) => source === index)) return all;
  return graph.add("Gather", { name: "input/spread", inputs: [all, graph.integers("input/sources", sources)], attributes: { axis: 1 } });
}

function addCategories(graph: GraphBuilder, features: readonly FeatureConstants[], spread: string): string {
  const numbers = graph.floats(
    "input/category",
    features.map(({ category }) => category),
  );
  return castToFloat(graph, "input/one-hot", graph.add("Equal", { name: "input/is-category", inputs: [spread, numbers] }));
}

function columnConstants(column: Preprocessing["columns"][number], model: string): ColumnConstants {
  if (column.type === "category") {
    const fill = column.fill === null ? Number.NaN : column.fill === "own" ? column.categories : column.fill;
    return { offset: [0, 0], fill };
  }
  const { clip, fill, offset, divisor } = column;
  const numbers = [offset, divisor, 1 / Math.fround(divisor)].map(Math.fround);
  if (!numbers.every(Number.isFinite)) {
    throw new NexusError(
      "MODEL_NOT_USABLE",
      `The model "${model}" cannot become an ONNX file: the column "${column.column}" is prepared in numbers that f32 does not have.`,
      {
        hint: "Store the column in a unit in which its values are of ordinary size, and train again.",
        details: { model, column: column.column },
      },
    );
  }
  const high = Math.fround(offset);
  const known = fill === null ? Number.NaN : Math.min(clip[1], Math.max(clip[0], fill)) - offset;
  return { offset: [high, offset - high], fill: known };
}

function featureConstants(column: Preprocessing["columns"][number], index: number, columns: number): readonly FeatureConstants[] {
  if (column.type === "category") {
    return Array.from({ length: preparedWidth(column) }, (_, category) => ({ source: index, ...NO_NUMBER, category }));
  }
  const { clip, offset, divisor, indicate } = column;
  const value = { source: index, low: clip[0] - offset, high: clip[1] - offset, divisor, category: NO_CATEGORY };
  return indicate ? [value, { source: columns + index, low: 0, high: 1, divisor: 1, category: NO_CATEGORY }] : [value];
}
