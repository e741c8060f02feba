import { NexusError, plural } from "@ciphernx/core/errors";
import { categoryCount, classCount, type DatasetSchema, featureColumns, featureLength } from "../dataset-schema.ts";
import { allocateExamples, type Examples } from "../examples.ts";
import type { NumericArray } from "./numeric-array.ts";

/** The two arrays of a part of a dataset, with the names that errors give them. */
export interface ArrayPair {
  readonly features: NumericArray;
  readonly targets: NumericArray;
  readonly featuresSource: string;
  readonly targetsSource: string;
}

/**
 * Rows from two arrays: features `rows × shape` (or `rows × values`), targets `rows`. Byte features and labels are
 * used as they lie; everything else is converted.
 * @throws NexusError DATA_INVALID when shapes, types, or values are not what the schema declares, naming file and row.
 */
export function arrayExamples(schema: DatasetSchema, { features, targets, featuresSource, targetsSource }: ArrayPair): Examples {
  const invalid = (source: string, what: string): NexusError => new NexusError("DATA_INVALID", `${source} ${what}.`, { details: { file: source } });
  const rowShape = schema.kind === "tensor" ? schema.shape : [featureLength(schema)];
  if (features.shape.length === 0) throw invalid(featuresSource, "holds a single number, not rows");
  const [count, ...found] = features.shape as [number, ...number[]];
  const length = featureLength(schema);
  if (String(found) !== String(rowShape) && String(found) !== String([length])) {
    throw invalid(featuresSource, `holds rows of shape ${found.join("×") || "()"}; the schema declares ${rowShape.join("×")}`);
  }
  if (targets.shape.length !== 1) throw invalid(targetsSource, `has ${plural(targets.shape.length, "dimension")}; labels have one`);
  if (targets.shape[0] !== count)
    throw invalid(targetsSource, `holds ${plural(targets.shape[0] ?? 0, "label")} for the ${plural(count, "row")} of ${featuresSource}`);

  const isBytes = schema.kind === "tensor" && schema.element === "u8";
  if (isBytes && !(features.data instanceof Uint8Array)) throw invalid(featuresSource, "does not hold bytes, which the schema declares (element u8)");
  const reuseFeatures = isBytes && features.data instanceof Uint8Array ? features.data : undefined;
  const empty = allocateExamples(schema, 0);
  const reuseTargets = empty.targets instanceof Uint8Array && targets.data instanceof Uint8Array ? targets.data : undefined;
  const ownFeatures = reuseFeatures ?? Float32Array.from(features.data);
  const ownTargets = reuseTargets ?? allocateExamples(schema, count).targets;

  if (ownFeatures instanceof Float32Array) checkFeatures(schema, ownFeatures, (what) => invalid(featuresSource, what));
  checkTargets(classCount(schema), targets, (what) => invalid(targetsSource, what));
  if (reuseTargets === undefined) ownTargets.set(targets.data);
  return { ...empty, features: ownFeatures, targets: ownTargets, count };
}

function checkFeatures(schema: DatasetSchema, features: Float32Array, invalid: (what: string) => NexusError): void {
  const columns = schema.kind === "table" ? featureColumns(schema) : undefined;
  const length = featureLength(schema);
  for (let i = 0; i < features.length; i += 1) {
    const value = features[i]!;
    if (Number.isNaN(value)) continue;
    const column = columns?.[i % length];
    const what = mistakeOf(value, column);
    if (what === undefined) continue;
    const place = column === undefined ? `value ${i % length}` : `column "${column.name}"`;
    throw invalid(`row ${Math.floor(i / length) + 1}, ${place}: ${what}`);
  }
}

function mistakeOf(value: number, column: ReturnType<typeof featureColumns>[number] | undefined): string | undefined {
  if (!Number.isFinite(value)) return "the value is not finite";
  if (column?.type === "category" && !(Number.isInteger(value) && value >= 0 && value < categoryCount(column))) {
    const count = categoryCount(column);
    return `the value is not the number of a category, of which there ${count === 1 ? "is 1" : `are ${count}`}`;
  }
  if (column?.type === "number" && column.range !== undefined && !isWithin(value, column.range)) {
    return `the value lies outside ${column.range[0]} to ${column.range[1]}`;
  }
  return undefined;
}

/** Whether a number that was rounded to f32 lies in a range; the ends are rounded as well. */
function isWithin(value: number, [low, high]: readonly [number, number]): boolean {
  return value >= Math.fround(low) && value <= Math.fround(high);
}

function checkTargets(classes: number | undefined, { data }: NumericArray, invalid: (what: string) => NexusError): void {
  for (let row = 0; row < data.length; row += 1) {
    const value = data[row]!;
    if (classes === undefined ? Number.isFinite(Math.fround(value)) : Number.isInteger(value) && value >= 0 && value < classes) continue;
    throw invalid(`row ${row + 1}: the label is not ${classes === undefined ? "a finite number" : `a class in 0 to ${classes - 1}`}`);
  }
}
