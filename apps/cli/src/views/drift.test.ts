import type { CategoryDrift, DatasetDrift, NumberDrift } from "@ciphernx/ai/data";
import { expect, it } from "vitest";
import { formatDrift } from "./drift.ts";

const NAMES = { dataset: "heart", model: "hearts" };
const whole = { trained: 0, now: 0, psi: 0, band: "none" } as const;

const chol: NumberDrift = {
  ...{ column: "chol", type: "number", psi: 1.2344, chance: 0.2, band: "large", clip: [100, 564], below: 2, above: 1 },
  missing: { trained: 0.04, now: 0.4, psi: 0.9, band: "large" },
  mean: { trained: 246.264, now: 0 },
  deviation: { trained: 51.8307, now: 0 },
};
const thal: CategoryDrift = {
  ...{ column: "thal", type: "category", psi: 0.12, chance: 0.3, band: "some", missing: whole, unknown: 3 },
  counts: [
    { category: "normal", trained: 30, now: 1 },
    { category: "reversible defect", trained: 10, now: 9 },
  ],
};
const age: NumberDrift = {
  ...chol,
  column: "age",
  psi: 0.02,
  band: "none",
  missing: whole,
  below: 0,
  above: 0,
  mean: { trained: 54.4, now: 54.1 },
  deviation: { trained: 9, now: 9.1 },
};

const drift = (change: Partial<DatasetDrift>): DatasetDrift => ({ trainedRows: 740, rows: 120, columns: [age], mismatches: [], ...change });

it("says what the drift means, then shows it by column, then what else is to know", () => {
  const shown = formatDrift(drift({ columns: [chol, thal, age] }), NAMES);
  expect(shown).toBe(
    `
120 rows of heart, compared with the 740 rows that the model hearts learnt from.
1 of 3 columns drifted far (PSI above 0.25): chol.
The model meets other values here than it learnt from: check what it says of these rows before relying on it.
Some drift (PSI 0.1 to 0.25): thal.
Cells are missing much more or much less often than trained: chol.
So few rows drift as far by chance alone: thal.

COLUMN   PSI  CHANCE  DRIFT   MISSING  THEN          NOW
chol    1.23    0.20  large  4% → 40%  246.3 ± 51.8  0 ± 0
thal    0.12    0.30  some    0% → 0%  normal 75%    reversib… 90%
age     0.02    0.20  none    0% → 0%  54.4 ± 9      54.1 ± 9.1

chol: 3 values beyond the model's ends (2 below 100, 1 above 564), moved to them.
thal: 3 cells of categories that the model does not know.
`.trim(),
  );
});

it("says so when nothing has drifted, and names columns that do not fit", () => {
  expect(formatDrift(drift({}), NAMES)).toContain("\nNo column drifted: these rows are like those that the model learnt from.\n");
  const mismatches = [{ column: "ca", kind: "lacking" as const, problem: 'The rows have no column "ca".' }];
  expect(formatDrift(drift({ mismatches }), NAMES)).toContain('The model cannot judge these rows as they are:\n  The rows have no column "ca".\n');
});

it("shows columns of which nothing is known, and no more than a screen holds", () => {
  const empty: NumberDrift = { ...age, psi: null, chance: null, band: null, mean: { trained: 50, now: null }, deviation: { trained: 9, now: null } };
  const shown = formatDrift(drift({ columns: [empty, ...Array.from({ length: 60 }, () => age)] }), NAMES);
  expect(shown).toContain("Cannot be compared, since the model learnt from no values there or these rows have none: age.");
  expect(shown).toMatch(/^age +- +- +- +0% → 0% +50 ± 9 +-$/m);
  expect(shown).toContain("and 11 more columns that drifted less");
});
