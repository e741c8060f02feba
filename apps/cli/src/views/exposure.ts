import { exposure, type RunPlan, SUBJECTS, type Viewer, VIEWERS } from "@ciphernx/ai/spec";
import { formatTable } from "../output/index.ts";

/** Who sees what in a run, with the assumptions under it. */
export function formatExposure(plan: Pick<RunPlan, "protection" | "cohort">): string {
  const shown = exposure(plan);
  const cell = (viewer: Viewer, subject: (typeof SUBJECTS)[number]): string => {
    const { sees } = shown[viewer][subject];
    return sees === "only with" ? "only with (1)" : sees;
  };
  const table = formatTable<Viewer>(
    [
      { title: "who sees", cell: (viewer) => viewer },
      ...SUBJECTS.map((subject) => ({ title: subject, cell: (viewer: Viewer) => cell(viewer, subject) })),
    ],
    VIEWERS,
    "",
  );
  const assumptions = new Set(
    VIEWERS.flatMap((viewer) => SUBJECTS.map((subject) => shown[viewer][subject])).flatMap(({ sees, because }) =>
      sees === "only with" ? because : [],
    ),
  );
  return [table, ...[...assumptions].map((because) => `(1) ${because}`)].join("\n");
}
