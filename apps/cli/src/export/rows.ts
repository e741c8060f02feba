import { csvRecord } from "../output/csv.ts";
import { figureNames, type RoundRow } from "../runs/round-row.ts";

/** A value of a row that is written for other programs. */
type Cell = string | number | null | readonly string[];

/** A round under the names of the columns; every row of a run has the same ones, and null where a round has no such figure. */
export type ExportedRow = Readonly<Record<string, Cell>>;

/** The rows of a run, with every metric that any of its rounds has. */
export function exportedRows(runId: string, rows: readonly RoundRow[]): readonly ExportedRow[] {
  const names = figureNames(rows.map(({ figures }) => figures));
  return rows.map(({ round, attempt, committedAt, accepted, missed, saturated, bytesUp, bytesDown, seconds, figures, modelHash }) => ({
    ...{ run: runId, round, attempt, committedAt, accepted, missed: missed.length, missedParties: missed },
    ...{ saturated, bytesUp, bytesDown, seconds },
    ...Object.fromEntries(names.map((name) => [name, figures[name] ?? null])),
    modelHash,
  }));
}

/** One JSON object a line. */
export function formatJsonLines(rows: readonly ExportedRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** The columns of a run without a committed round. */
const COLUMNS = Object.keys(
  exportedRows("", [
    {
      round: 0,
      attempt: 0,
      committedAt: "",
      accepted: 0,
      missed: [],
      saturated: 0,
      bytesUp: 0,
      bytesDown: 0,
      seconds: 0,
      figures: {},
      modelHash: "",
    },
  ])[0]!,
);

/** CSV; an empty cell is a figure that a round does not have. */
export function formatCsv(rows: readonly ExportedRow[]): string {
  const columns = rows[0] === undefined ? COLUMNS : Object.keys(rows[0]);
  const lines = [columns, ...rows.map((row) => columns.map((column) => cellText(row[column] ?? null)))];
  return lines.map(csvRecord).join("");
}

function cellText(cell: Cell): string {
  if (cell === null) return "";
  return typeof cell === "object" ? cell.join(";") : String(cell);
}
