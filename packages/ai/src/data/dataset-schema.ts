import { canonicalJson } from "@ciphernx/core/spec";
import { z } from "zod";
import type { RegisteredSchema } from "./registered-schema.ts";

/**
 * What a dataset's rows are, without any row: the part of a dataset that is registered with the coordinator. Every party
 * of a run must declare the same schema, since it decides the network's inputs and outputs.
 *
 * @module
 */

const MAX_COLUMNS = 100_000;
const MAX_CATEGORIES = 100_000;
/** Texts of one category beside its name. */
const MAX_TEXTS = 1_000;

const columnName = z.string().min(1).max(256).describe("The column's name, as the file's header has it");
const role = z
  .enum(["feature", "label", "id", "ignore"])
  .describe("feature: an input; label: what is predicted; id: names the row and is never learnt from; ignore: not read");
const missing = z
  .array(z.string().max(64))
  .max(64)
  .optional()
  .describe('Cell texts that mean "not known", such as "NA" or "-999"; an empty cell always does');

const numberColumn = z.strictObject({
  name: columnName,
  role,
  type: z.literal("number").describe("Numbers, as decimal text in CSV"),
  range: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low < high, "The lower end comes first.")
    .optional()
    .describe("Smallest and largest value; a row beyond is refused"),
  missing,
});

const categoryColumn = z.strictObject({
  name: columnName,
  role,
  type: z.literal("category").describe("One of a declared list; stored as its position in the list"),
  categories: z
    .array(z.string().max(256))
    .min(1)
    .max(MAX_CATEGORIES)
    .refine((names) => new Set(names).size === names.length, "A category is listed once.")
    .describe("All categories; their order gives their numbers, for a label the class indices"),
  texts: z
    .record(z.string().max(256), z.array(z.string().min(1).max(256)).min(1).max(MAX_TEXTS))
    .optional()
    .describe('Cell texts that stand for a category beside its name, by category: { yes: ["1", "2"] } reads 1, 2 and yes as yes'),
  undeclared: z
    .literal("other")
    .optional()
    .describe('A feature\'s cell that is no declared category: "other" reads it as one more category, the last; without it, it is refused'),
  missing,
});

/** What is wrong with the further texts of categories: each stands for one declared category, and for nothing else. */
function textsMistake({ categories, texts = {}, missing: codes = [] }: z.output<typeof categoryColumn>): string | undefined {
  const meanings = new Map(categories.map((name) => [name.trim(), name]));
  const missingCodes = new Set(codes);
  for (const [category, others] of Object.entries(texts)) {
    if (!categories.includes(category)) return `"${category}" is none of the categories.`;
    for (const text of others.map((one) => one.trim())) {
      const meaning = meanings.get(text);
      if (meaning !== undefined && meaning !== category) return `The text "${text}" stands for two categories, "${meaning}" and "${category}".`;
      if (text === "" || missingCodes.has(text)) return `The text "${text}" means that a value is not known; it stands for no category.`;
      meanings.set(text, category);
    }
  }
  return undefined;
}

const textColumn = z.strictObject({
  name: columnName,
  role: z.enum(["id", "ignore"]).describe("Free text is not learnt from"),
  type: z.literal("text").describe("Free text"),
});

export const columnSchema = z.discriminatedUnion("type", [numberColumn, categoryColumn, textColumn]);

const task = z.enum(["classification", "regression"]).describe("Whether the label is a class or a number");

export const tableSchema = z
  .strictObject({
    kind: z.literal("table").describe("Rows of named columns"),
    columns: z.array(columnSchema).min(2).max(MAX_COLUMNS).describe("Every column; features keep this order"),
    task,
  })
  .superRefine(({ columns, task: goal }, context) => {
    const refuse = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: "custom", path, message });
    };
    const seen = new Set<string>();
    columns.forEach(({ name }, index) => {
      if (seen.has(name)) refuse(["columns", index, "name"], `Two columns are called "${name}".`);
      seen.add(name);
    });
    columns.forEach((column, index) => {
      if (column.type !== "category") return;
      const mistake = textsMistake(column);
      if (mistake !== undefined) refuse(["columns", index, "texts"], mistake);
      if (column.undeclared !== undefined && column.role === "label") {
        refuse(["columns", index, "undeclared"], "A label has the declared categories alone; only a feature has others.");
      }
    });
    if (!columns.some((column) => column.role === "feature")) refuse(["columns"], "At least one column has the role feature.");
    const labels = columns.filter((column) => column.role === "label");
    const label = labels[0];
    if (label === undefined || labels.length > 1) return refuse(["columns"], `Exactly one column has the role label, not ${labels.length}.`);
    const at = columns.indexOf(label);
    if (goal === "regression" && label.type !== "number") refuse(["columns", at, "type"], "The label of a regression is a number.");
    if (goal === "classification" && label.type !== "category") refuse(["columns", at, "type"], "The label of a classification is a category.");
    if (label.type === "category" && label.categories.length < 2) refuse(["columns", at, "categories"], "A label has at least two categories.");
  });

export const tensorSchema = z
  .strictObject({
    kind: z.literal("tensor").describe("Rows that are arrays of one shape, such as images"),
    shape: z.array(z.int().min(1).max(1_000_000)).min(1).max(7).describe("Shape of one row, for example [28, 28]"),
    element: z.enum(["u8", "f32"]).describe("How a value is stored: a byte, or a 32-bit float"),
    scale: z.number().positive().default(1).describe("What a stored value is multiplied by before learning, for example 1/255"),
    task,
    classes: z.int().min(2).max(4_294_967_295).optional().describe("Number of classes; labels are 0 … classes − 1"),
    classNames: z
      .array(z.string().min(1).max(256))
      .max(MAX_CATEGORIES)
      .refine((names) => new Set(names).size === names.length, "A class is listed once.")
      .optional()
      .describe("Names of the classes in the order of their numbers; parties that declare them are held to the same ones"),
  })
  .superRefine((schema, context) => {
    if ((schema.task === "classification") !== (schema.classes !== undefined)) {
      context.addIssue({ code: "custom", path: ["classes"], message: "A classification names its classes, a regression has none." });
    }
    if (schema.classNames !== undefined && schema.classNames.length !== schema.classes) {
      context.addIssue({ code: "custom", path: ["classNames"], message: "There are as many names as classes." });
    }
    if (schema.shape.reduce((product, size) => product * size, 1) > 100_000_000) {
      context.addIssue({ code: "custom", path: ["shape"], message: "A row has at most 100 million values." });
    }
    if (schema.element === "f32" && schema.scale !== 1) {
      context.addIssue({ code: "custom", path: ["scale"], message: "Floats are stored as they are learnt: scale is 1." });
    }
  });

export const datasetSchema = z.discriminatedUnion("kind", [tableSchema, tensorSchema]).describe("What the rows of a dataset are");

export type DatasetSchema = z.output<typeof datasetSchema>;
export type TableSchema = z.output<typeof tableSchema>;
export type TensorSchema = z.output<typeof tensorSchema>;
export type ColumnSchema = z.output<typeof columnSchema>;
/** A column that is learnt from or predicted. */
export type ValueColumn = Exclude<ColumnSchema, { type: "text" }>;
/** A column whose values are the numbers of categories. */
export type CategoryColumn = Extract<ColumnSchema, { type: "category" }>;

/** The one spelling of a schema: what is hashed, registered and compared. */
export function schemaText(schema: RegisteredSchema): string {
  return canonicalJson(schema);
}

/**
 * Numbers of categories that a cell of the column may have: 0 … this − 1. Where undeclared ones are read as "other", that is the last, after
 * those that are declared.
 */
export function categoryCount({ categories, undeclared }: CategoryColumn): number {
  return categories.length + (undeclared === undefined ? 0 : 1);
}

/** The feature columns of a table, in the order of a row's values. */
export function featureColumns(schema: TableSchema): readonly ValueColumn[] {
  return schema.columns.filter((column): column is ValueColumn => column.role === "feature");
}

/** A table of which only the features are read: rows that a model is to judge. Their label may be there or not. */
export function withoutLabel(schema: TableSchema): TableSchema {
  return { ...schema, columns: schema.columns.map((column) => (column.role === "label" ? { ...column, role: "ignore" } : column)) };
}

/** The label column of a table that may have none, see `withoutLabel`. */
export function findLabel(schema: TableSchema): ValueColumn | undefined {
  return schema.columns.find((column): column is ValueColumn => column.role === "label");
}

/** The label column of a table that is learnt from. */
export function labelColumn(schema: TableSchema): ValueColumn {
  const label = findLabel(schema);
  if (label === undefined) throw new TypeError("A table schema that was parsed has a label.");
  return label;
}

/** Number of values of one row. */
export function featureLength(schema: DatasetSchema): number {
  return schema.kind === "table" ? featureColumns(schema).length : schema.shape.reduce((product, size) => product * size, 1);
}

/** Number of classes; undefined for regression, and where no label is read. */
export function classCount(schema: DatasetSchema): number | undefined {
  if (schema.kind === "tensor") return schema.classes;
  const label = findLabel(schema);
  return label?.type === "category" ? label.categories.length : undefined;
}
