import type { Refusal } from "@ciphernx/core/spec";
import type { ColumnSteps } from "../data/preprocess/index.ts";
import type { KnownParty } from "./choose-parties.ts";

/**
 * A column of which every party registered that no cell is known would fail every attempt at preparing the rows: there is nothing that could
 * stand in for its gaps. Counts are of training and held-out rows together, so that a column of which only held-out cells are known passes.
 */
export function checkKnown(parties: readonly KnownParty[], steps: readonly ColumnSteps[] | undefined, refusals: Refusal[]): void {
  for (const step of steps ?? []) {
    // Such gaps are a category of their own, or have been refused.
    if (step.impute === "category" || step.impute === "none") continue;
    const unknown = parties.every(({ dataset: { missing, trainExamples, testExamples } }) =>
      missing.some(({ column, count }) => column === step.column && count >= trainExamples + testExamples),
    );
    if (!unknown) continue;
    const path = `preprocess.columns.${step.column}`;
    const ignore = 'give the column the role "ignore" in the schema at every party';
    refusals.push({
      path,
      reason: `No party knows a single cell of the column "${step.column}", so nothing can stand in for the missing ones.`,
      ...(step.type === "category"
        ? {
            remedy: `Write impute: category, which makes them a category of their own, or ${ignore}.`,
            edits: [{ path: `${path}.impute`, value: "category" }],
          }
        : { remedy: `${ignore[0]!.toUpperCase()}${ignore.slice(1)}, or have a party take part that knows some.` }),
    });
  }
}
