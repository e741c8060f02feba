import { type CategoryColumn, categoryCount, featureColumns, type TableSchema, type ValueColumn } from "../dataset-schema.ts";

/** Why a column of the rows cannot stand for the one that a model learnt from. */
export interface ColumnMismatch {
  readonly column: string;
  /** lacking: the rows have no such column; type: they hold something else there; role: it is there, but no feature. */
  readonly kind: "lacking" | "type" | "role";
  /** What is wrong, as a sentence. */
  readonly problem: string;
}

/** A column of the rows that stands for one that a model learnt from. */
export interface MatchedColumn {
  /** Its place among the features of a row. */
  readonly at: number;
  /** Of categories: the number that each of the rows' categories has for the model; −1 where it knows none such. */
  readonly categories?: readonly number[];
}

/** Finds each column that a model learnt from among those of other rows: by its name, and its categories by theirs. */
export function matchColumns(learnt: readonly ValueColumn[], rows: TableSchema): readonly (MatchedColumn | ColumnMismatch)[] {
  const columns = new Map(rows.columns.map((column) => [column.name, column]));
  const places = new Map(featureColumns(rows).map(({ name }, at) => [name, at]));
  return learnt.map((column) => {
    const { name, type } = column;
    const mismatch = (kind: ColumnMismatch["kind"], problem: string): ColumnMismatch => ({ column: name, kind, problem });
    const found = columns.get(name);
    if (found === undefined) return mismatch("lacking", `The rows have no column "${name}".`);
    if (found.type !== type) return mismatch("type", `The column "${name}" holds ${TYPES[found.type]}; the model learnt from ${TYPES[type]}.`);
    const at = places.get(name);
    if (at === undefined) return mismatch("role", `The column "${name}" has the role ${found.role}, so that it is not read as a feature.`);
    return column.type === "category" && found.type === "category" ? { at, categories: categoryPlaces(column, found) } : { at };
  });
}

const TYPES = { number: "numbers", category: "categories", text: "free text" } as const;

function categoryPlaces(learnt: CategoryColumn, found: CategoryColumn): readonly number[] {
  const other = learnt.undeclared === undefined ? -1 : learnt.categories.length;
  const numbers = new Map(learnt.categories.map((name, number) => [name, number]));
  return Array.from({ length: categoryCount(found) }, (_, category) => {
    const name = found.categories[category];
    return (name === undefined ? undefined : numbers.get(name)) ?? other;
  });
}
