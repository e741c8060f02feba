import type { ColumnDrift, DatasetDrift } from "@ciphernx/ai/data";
import { plural } from "@ciphernx/core/errors";
import { type Column, cut, formatTable } from "../output/index.ts";

/** Lines of the table fit into a terminal of 80 characters. */
const NAME_WIDTH = 14;
const VALUE_WIDTH = 13;
const SHOWN_COLUMNS = 50;
const NAMED_COLUMNS = 10;

/** Names of what is compared. */
export interface DriftNames {
  readonly dataset: string;
  readonly model: string;
}

/** For people: what a drift means, the columns by how far they have drifted, and what else is to know of single ones. */
export function formatDrift(drift: DatasetDrift, { dataset, model }: DriftNames): string {
  const { rows, trainedRows, columns, mismatches } = drift;
  const compared = `${plural(rows, "row")} of ${dataset}, compared with the ${plural(trainedRows, "row")} that the model ${model} learnt from.`;
  const unfit =
    mismatches.length === 0
      ? []
      : ["The model cannot judge these rows as they are:", ...some(mismatches.map(({ problem }) => problem)).map((line) => `  ${line}`)];
  const rest = columns.length - SHOWN_COLUMNS;
  const table = formatTable(TABLE, columns.slice(0, SHOWN_COLUMNS), "");
  const notes = columns.flatMap((column) => noteOf(column) ?? []);
  return [
    [compared, ...unfit, ...meaning(columns)].join("\n"),
    rest > 0 ? `${table}\nand ${plural(rest, "more column")} that drifted less` : table,
    some(notes).join("\n"),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** What the figures say, in sentences. */
function meaning(columns: readonly ColumnDrift[]): readonly string[] {
  const far = columns.filter(({ band }) => band === "large");
  const little = columns.filter(({ band }) => band === "some");
  const unknown = columns.filter(({ psi }) => psi === null);
  const gaps = columns.filter(({ missing }) => missing.band === "large");
  const byChance = [...far, ...little].filter(({ psi, chance }) => psi! <= chance!);
  const lines: string[] = [];
  if (far.length > 0) {
    lines.push(
      `${far.length} of ${plural(columns.length, "column")} drifted far (PSI above 0.25): ${namesOf(far)}.`,
      "The model meets other values here than it learnt from: check what it says of these rows before relying on it.",
    );
  }
  if (little.length > 0) lines.push(`${far.length > 0 ? "Some drift" : "No column drifted far; some drift"} (PSI 0.1 to 0.25): ${namesOf(little)}.`);
  if (unknown.length > 0) lines.push(`Cannot be compared, since the model learnt from no values there or these rows have none: ${namesOf(unknown)}.`);
  if (gaps.length > 0) lines.push(`Cells are missing much more or much less often than trained: ${namesOf(gaps)}.`);
  if (byChance.length > 0) lines.push(`So few rows drift as far by chance alone: ${namesOf(byChance)}.`);
  return lines.length > 0 ? lines : ["No column drifted: these rows are like those that the model learnt from."];
}

const TABLE: readonly Column<ColumnDrift>[] = [
  { title: "COLUMN", cell: ({ column }) => cut(column, NAME_WIDTH) },
  { title: "PSI", align: "right", cell: ({ psi }) => psi?.toFixed(2) ?? "-" },
  { title: "CHANCE", align: "right", cell: ({ chance }) => chance?.toFixed(2) ?? "-" },
  { title: "DRIFT", cell: ({ band }) => band ?? "-" },
  { title: "MISSING", align: "right", cell: ({ missing }) => `${percent(missing.trained)} → ${percent(missing.now)}` },
  { title: "THEN", cell: (column) => valueText(column, "trained") },
  { title: "NOW", cell: (column) => valueText(column, "now") },
];

/** Of numbers mean and deviation, of categories the most frequent one. */
function valueText(column: ColumnDrift, side: "trained" | "now"): string {
  if (column.type === "number") {
    const [mean, deviation] = [column.mean[side], column.deviation[side]];
    return mean === null || deviation === null ? "-" : cut(`${digits(mean, 4)} ± ${digits(deviation, 3)}`, VALUE_WIDTH);
  }
  const total = column.counts.reduce((sum, counts) => sum + counts[side], 0);
  if (total === 0) return "-";
  const most = column.counts.reduce((best, counts) => (counts[side] > best[side] ? counts : best));
  const share = percent(most[side] / total);
  return `${cut(most.category, VALUE_WIDTH - 1 - share.length)} ${share}`;
}

function noteOf(column: ColumnDrift): string | undefined {
  if (column.type === "category") {
    return column.unknown === 0 ? undefined : `${column.column}: ${plural(column.unknown, "cell")} of categories that the model does not know.`;
  }
  const { below, above, clip } = column;
  const beyond = [...(below > 0 ? [`${below} below ${clip[0]}`] : []), ...(above > 0 ? [`${above} above ${clip[1]}`] : [])];
  return beyond.length === 0
    ? undefined
    : `${column.column}: ${plural(below + above, "value")} beyond the model's ends (${beyond.join(", ")}), moved to them.`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

function digits(value: number, count: number): string {
  return String(Number(value.toPrecision(count)));
}

function namesOf(columns: readonly ColumnDrift[]): string {
  return some(columns.map(({ column }) => column)).join(", ");
}

/** The first few, and how many more there are. */
function some(texts: readonly string[]): readonly string[] {
  return texts.length <= NAMED_COLUMNS ? texts : [...texts.slice(0, NAMED_COLUMNS), `and ${texts.length - NAMED_COLUMNS} more`];
}
