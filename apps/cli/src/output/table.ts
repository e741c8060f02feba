import { stripVTControlCharacters } from "node:util";

/** A column: its title and which side its cells lean to. */
export interface Column<Row> {
  readonly title: string;
  readonly align?: "left" | "right";
  cell(row: Row): string;
}

const GAP = "  ";

/** Aligned columns under their titles, without lines or boxes; no rows give the text for that. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], whenEmpty: string): string {
  if (rows.length === 0) return whenEmpty;
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map((column) => column.cell(row)))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => width(line[index]!))));
  return cells
    .map((line) =>
      line
        .map((cell, index) => pad(cell, widths[index]!, columns[index]!.align ?? "left"))
        .join(GAP)
        .trimEnd(),
    )
    .join("\n");
}

/** `name  value` lines with the values under each other. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const longest = Math.max(...fields.map(([name]) => width(name)));
  return fields.map(([name, value]) => `${pad(name, longest, "left")}${GAP}${value}`.trimEnd()).join("\n");
}

/** At most so many characters of a plain text; one that is longer ends in an ellipsis. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

function pad(text: string, wanted: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, wanted - width(text)));
  return align === "right" ? space + text : text + space;
}
