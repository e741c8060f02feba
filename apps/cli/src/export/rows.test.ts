import { expect, it } from "vitest";
import type { RoundRow } from "../runs/round-row.ts";
import { exportedRows, formatCsv, formatJsonLines } from "./rows.ts";

const row = (round: number, figures: RoundRow["figures"], missed: readonly string[] = []): RoundRow => ({
  ...{ round, attempt: 1, committedAt: "2026-01-02T03:04:05.678Z", accepted: 2, missed, saturated: 0 },
  ...{ bytesUp: 10, bytesDown: 20, seconds: 0.125, figures, modelHash: "ab" },
});

const ROWS = exportedRows("run_1", [row(1, { "fit.loss": 0.1 }), row(2, { "fit.loss": 1e-7, "evaluated.auc": 0.5 }, ["clinic-a", "clinic-b"])]);

it("gives every round the same columns, and leaves empty what it was not judged by", () => {
  expect(formatCsv(ROWS)).toBe(
    [
      "run,round,attempt,committedAt,accepted,missed,missedParties,saturated,bytesUp,bytesDown,seconds,fit.loss,evaluated.auc,modelHash",
      "run_1,1,1,2026-01-02T03:04:05.678Z,2,0,,0,10,20,0.125,0.1,,ab",
      "run_1,2,1,2026-01-02T03:04:05.678Z,2,2,clinic-a;clinic-b,0,10,20,0.125,1e-7,0.5,ab",
      "",
    ].join("\n"),
  );
  expect(
    formatJsonLines(ROWS)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(ROWS);
  expect(ROWS[0]).toMatchObject({ "evaluated.auc": null, missedParties: [] });
});

it("has its columns without a round too, and quotes what would be read as more cells", () => {
  expect(formatCsv([])).toBe("run,round,attempt,committedAt,accepted,missed,missedParties,saturated,bytesUp,bytesDown,seconds,modelHash\n");
  expect(formatCsv([{ name: 'a "b", c\nd' }])).toBe('name\n"a ""b"", c\nd"\n');
});
