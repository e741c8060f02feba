import type { CategoryColumn, ColumnSchema, MissingCells } from "@ciphernx/ai/data";
import { type Column, cut, formatShare, formatTable } from "../output/index.ts";

/** Lines fit into a terminal of this many characters. */
const LINE_WIDTH = 80;
const NAME_WIDTH = 24;
const MIN_VALUES_WIDTH = 16;

/** How many cells are missing, in how many rows. */
export interface ColumnCounts {
  readonly missing: readonly MissingCells[];
  readonly rows: number;
}

/** The columns of a table as they are registered, one a line, with how much of each feature is missing. */
export function formatColumns(columns: readonly ColumnSchema[], counts: ColumnCounts): string {
  const missing = new Map(counts.missing.map(({ column, count }) => [column, count]));
  const missingText = ({ name, role }: ColumnSchema): string => {
    const count = missing.get(name);
    if (count === undefined) return role === "feature" ? "0" : "";
    return counts.rows === 0 ? String(count) : `${count}, ${formatShare(count / counts.rows)}`;
  };
  const described: readonly Column<ColumnSchema>[] = [
    { title: "COLUMN", cell: ({ name }) => cut(name, NAME_WIDTH) },
    { title: "ROLE", cell: ({ role }) => role },
    { title: "TYPE", cell: ({ type }) => type },
    { title: "MISSING", align: "right", cell: missingText },
  ];
  const widths = described.map(({ title, cell }) => Math.max(title.length, ...columns.map((column) => cell(column).length)));
  const room = Math.max(MIN_VALUES_WIDTH, LINE_WIDTH - widths.reduce((total, width) => total + width + 2, 0));
  return formatTable([...described, { title: "VALUES", cell: (column) => cut(valuesText(column), room) }], columns, "");
}

/** What a column may hold: its categories, or its range; and what is written there when a value is not known. */
function valuesText(column: ColumnSchema): string {
  if (column.type === "text") return "";
  const codes =
    column.missing === undefined || column.missing.length === 0 ? "" : `missing as ${column.missing.map((code) => JSON.stringify(code)).join(", ")}`;
  const values = column.type === "category" ? `${column.categories.length}: ${categoriesText(column)}` : (column.range?.join(" to ") ?? "");
  return [values, codes].filter((part) => part !== "").join("; ");
}

/** The categories by their names, with the other texts that stand for each, and whether there are more than are declared. */
export function categoriesText({ categories, texts = {}, undeclared }: CategoryColumn): string {
  const declared = categories.map((name) => {
    const others = texts[name];
    return others === undefined ? name : `${name} (${others.join(", ")})`;
  });
  return `${declared.join(", ")}${undeclared === undefined ? "" : "; all others alike"}`;
}
