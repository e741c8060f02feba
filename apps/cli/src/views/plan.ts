import type { RunPlan } from "@ciphernx/ai/spec";
import { plural } from "@ciphernx/core/errors";
import { formatBytes, formatFields, formatSeconds } from "../output/index.ts";
import { formatExposure } from "./exposure.ts";
import { formatLayers } from "./layers.ts";
import { metricTitle } from "./metrics.ts";
import { reproducibleText } from "./reproducible.ts";

/** What a run will do and cost, and the layers of its network. */
export function formatPlan(plan: RunPlan): string {
  const examples = plan.parties.reduce((sum, { trainExamples }) => sum + trainExamples, 0);
  const labels = plan.labels.map((label): readonly [string, string] => ["note", label]);
  const fields = formatFields([
    ["parties", `${plan.parties.length} with ${plural(examples, "training example")}`],
    [
      "a round",
      `${plural(plan.cohort.size, "update")} wanted, ${plan.cohort.invited} invited, quorum ${plan.cohort.quorum}, deadline ${formatSeconds(plan.cohort.deadlineMs / 1000)}`,
    ],
    ["rounds", String(plan.rounds)],
    ...(plan.preprocess === undefined ? [] : [["rows", preprocessText(plan.preprocess)] as const]),
    ["model", `${plural(plan.model.parameters, "parameter")}, ${formatBytes(plan.model.sizeBytes)}`],
    ...(plan.model.local === undefined ? [] : [["stays", `${plan.model.local.join(", ")} at each party`] as const]),
    ...heldOutField(plan),
    ["update", `${formatBytes(plan.updateBytes)} (${plan.encoding.bits} bits within ±${plan.encoding.range})`],
    ["protection", protectionText(plan)],
    ["traffic", `${formatBytes(plan.totalBytes.down)} to the parties, ${formatBytes(plan.totalBytes.up)} from them`],
    ["time", `about ${formatSeconds(plan.estimatedSeconds)}`],
    ["reproducible", reproducibleText(plan.reproducible, plan.dependsOnAnswers)],
    ...labels,
    ["spec hash", plan.specHash],
    ["plan hash", plan.planHash],
  ]);
  const parts = [fields, formatExposure(plan), ...(plan.model.network === undefined ? [] : [formatLayers(plan.model.network)])];
  return parts.join("\n\n");
}

/** How updates are hidden from the coordinator, and under which assumptions. */
export function protectionText({ protection, cohort }: RunPlan): string {
  if (protection === undefined) return "none: the coordinator sees each update";
  const { graph, holders, threshold, corrupt, kMin, bits, corruption, dropout } = protection;
  const shares =
    graph === "complete"
      ? `everybody holds shares of everybody, ${threshold} of ${holders} open one`
      : `each party draws ${holders} that hold its shares, ${threshold} open one`;
  const assumed = `${Math.round(corruption * 100)}% colluding and ${Math.round(dropout * 100)}% dropping out assumed`;
  return `secure aggregation: ${shares}; holds while at most ${corrupt} of ${cohort.size} collude with the coordinator; sums of ${kMin} organisations or more, in ${bits} bits (${assumed})`;
}

/** The metrics that are worked out on held-out rows, each with the classes that it is of. */
function heldOutField({ heldOutMetrics, metricSubjects }: RunPlan): readonly (readonly [string, string])[] {
  return heldOutMetrics === undefined ? [] : [["held out", heldOutMetrics.map((name) => metricTitle(name, metricSubjects)).join("; ")]];
}

function preprocessText({ steps, features, statisticsBytes }: NonNullable<RunPlan["preprocess"]>): string {
  const become = `${plural(steps.length, "column")} ${steps.length === 1 ? "becomes" : "become"} ${plural(features, "feature")}`;
  return `${become}; each party uploads ${formatBytes(statisticsBytes)} of counts and sums first`;
}
