import { plural } from "@ciphernx/core/errors";
import { cut, formatShare, formatTable } from "../output/index.ts";

/** Lines fit into a terminal of this many characters. */
const LINE_WIDTH = 80;
const NAME_WIDTH = 20;
const FILL_WIDTH = 16;
const GAP_WIDTH = 2;
const SHOWN_COLUMNS = 100;
/** Columns that a note names one by one. */
const NAMED_CONSTANTS = 10;

type Part = Readonly<Record<string, unknown>>;

/** A column as it is shown. */
interface Line {
  readonly name: string;
  readonly missing: string;
  readonly fill: string;
  readonly features: string;
}

/** The title and table of how a model's card says that rows become inputs; empty where it says nothing of it. */
export function formatPreprocessing(data: unknown): { readonly title: string; readonly body: string } {
  const { preprocessing, schema } = record(data);
  const { rows, columns } = record(preprocessing);
  const categories = categoryNames(schema);
  const all = list(columns).map(record);
  const lines = all.slice(0, SHOWN_COLUMNS).map((column) => lineOf(column, Number(rows ?? 0), categories));
  const described = [
    { title: "COLUMN", cell: ({ name }: Line) => name },
    { title: "MISSING", align: "right" as const, cell: ({ missing }: Line) => missing },
    { title: "FILLED WITH", cell: ({ fill }: Line) => fill },
  ];
  const taken = described.reduce((sum, { title, cell }) => sum + GAP_WIDTH + Math.max(title.length, ...lines.map((line) => cell(line).length)), 0);
  const table = formatTable([...described, { title: "FEATURES", cell: ({ features }: Line) => cut(features, LINE_WIDTH - taken) }], lines, "");
  const rest = all.length - lines.length;
  const constant = constantNote(all.filter(({ statistics }) => record(statistics)["deviation"] === 0).map(({ column }) => String(column)));
  return {
    title: `PREPROCESSING: ${plural(Number(rows ?? 0), "row")} counted`,
    body: [table, rest > 0 ? `and ${plural(rest, "more column")}` : "", constant].filter((part) => part !== "").join("\n"),
  };
}

/** What is said of columns that nothing scales; empty where there are none. */
export function constantNote(columns: readonly string[]): string {
  if (columns.length === 0) return "";
  const rest = columns.length - NAMED_CONSTANTS;
  const names = `${columns.slice(0, NAMED_CONSTANTS).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
  return `not scaled, no spread within the range: ${names} (if values differ, declare a narrower range)`;
}

function lineOf(column: Part, rows: number, categories: ReadonlyMap<unknown, readonly string[]>): Line {
  const missing = Number(record(column["statistics"])["missing"] ?? 0);
  const names = categories.get(column["column"]) ?? [];
  return {
    name: cut(String(column["column"]), NAME_WIDTH),
    missing: rows === 0 || missing === 0 ? String(missing) : `${missing}, ${formatShare(missing / rows)}`,
    fill: cut(column["type"] === "category" ? categoryFill(column, names) : numberFill(column), FILL_WIDTH),
    features: column["type"] === "category" ? oneHot(column, names) : scaled(column),
  };
}

/** What fills a gap, and whether a further feature says that there was one. */
function numberFill({ fill, indicate }: Part): string {
  return `${typeof fill === "number" ? digits(fill) : "nothing"}${indicate === true ? ", flagged" : ""}`;
}

/** `(x − 54.37) / 9.02, x from 0 to 100`. */
function scaled({ offset, divisor, clip }: Part): string {
  const moved = offset === 0 ? "x" : Number(offset) < 0 ? `(x + ${digits(-Number(offset))})` : `(x − ${digits(Number(offset))})`;
  const divided = divisor === 1 ? moved.replaceAll(/^\(|\)$/g, "") : `${moved} / ${digits(Number(divisor))}`;
  return `${divided}, x from ${list(clip).join(" to ")}`;
}

function categoryFill({ fill }: Part, names: readonly string[]): string {
  if (fill === "own") return "its own feature";
  return typeof fill === "number" ? (names[fill] ?? "other") : "nothing";
}

function oneHot({ categories, fill }: Part, names: readonly string[]): string {
  const count = Number(categories ?? 0);
  const all = [...names, ...(count > names.length ? ["other"] : []), ...(fill === "own" ? ["missing"] : [])];
  return `${all.length}: ${all.join(", ")}`;
}

/** Categories of the schema's columns by name. */
function categoryNames(schema: unknown): ReadonlyMap<unknown, readonly string[]> {
  return new Map(
    list(record(schema)["columns"])
      .map(record)
      .map(({ name, categories }) => [name, list(categories).map(String)]),
  );
}

function digits(value: number): string {
  return String(Number(value.toPrecision(5)));
}

function record(value: unknown): Part {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Part) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
