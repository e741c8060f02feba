import type { Refusal } from "@ciphernx/core/spec";
import type { EncodingSpec } from "../aggregation/index.ts";
import type { KnownParty } from "./choose-parties.ts";
import type { Strategy } from "../strategy/index.ts";
import type { CompileFacts, RunPlan } from "./plan.ts";
import { type PlannedProtection, planProtection } from "./plan-protection.ts";
import type { RunSpec } from "./run-spec.ts";

/** What the plan has of the spec's protection; undefined when there is none, or when it cannot be given. */
export function checkProtection(
  spec: RunSpec,
  facts: CompileFacts,
  {
    parties,
    cohort,
    encoding,
    strategy,
  }: {
    readonly parties: readonly KnownParty[];
    readonly cohort: RunPlan["cohort"];
    readonly encoding: EncodingSpec;
    readonly strategy: Pick<Strategy, "kind" | "needsUpdates">;
  },
  refusals: Refusal[],
): PlannedProtection | undefined {
  const { protection } = spec;
  if (protection.kind === "none") return undefined;
  const open = "or write `protection: { kind: none }`, which lets the coordinator see each update.";
  const refuse = (path: string, reason: string, remedy: string) => void refusals.push({ path, reason, remedy });
  if (facts.roster === undefined && facts.simulated !== true) {
    refuse(
      "protection.kind",
      "The project has no roster: nodes could only take the coordinator's word for who the other parties of a sum are.",
      `The organisations begin one (\`nexus org init\`, docs/ORGANISATIONS.md), ${open}`,
    );
    return undefined;
  }
  if (strategy.needsUpdates === true) {
    refuse(
      "strategy.kind",
      `The strategy ${strategy.kind} has to see each party's update; a protected run shows it sums.`,
      `Choose one that needs sums alone, ${open}`,
    );
  }
  const means = new Set(parties.map(({ name }) => name));
  const plain = facts.parties.filter(({ name, masks }) => masks === false && means.has(name)).map(({ name }) => name);
  if (plain.length > 0) {
    refuse(
      "protection.kind",
      plain.length === 1
        ? `The node ${plain[0]} runs software that cannot mask updates, or has not connected yet.`
        : `The nodes ${plain.join(", ")} run software that cannot mask updates, or have not connected yet.`,
      `Start ${plain.length === 1 ? "it" : "them"} with this version, name the other parties in data.parties, ${open}`,
    );
  }
  const known = new Map(facts.parties.map(({ name, organisation }) => [name, organisation]));
  // A simulated party is an organisation of its own.
  const organisations = new Set(parties.map(({ name }) => (facts.simulated === true ? name : known.get(name))).filter((name) => name !== undefined));
  if (organisations.size < protection.kMin) {
    refuse(
      "protection.kMin",
      `The parties belong to ${organisations.size === 1 ? "1 organisation" : `${organisations.size} organisations`}; a sum needs ${protection.kMin}.`,
      `Have more organisations take part, lower kMin to 2 at least, ${open}`,
    );
  }
  let planned: PlannedProtection | undefined;
  try {
    planned = planProtection(spec, {
      encoding,
      parties: parties.length,
      size: cohort.size,
      isJudgedByAll: parties.every(({ dataset }) => dataset.testExamples > 0),
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    refuse(
      "protection",
      error.message,
      `Lower encoding.bits, protection.corruption or protection.dropout, have two parties a round at least, ${open}`,
    );
    return undefined;
  }
  const least = Math.max(planned!.leastSurvivors, protection.kMin);
  if (cohort.quorum < least && cohort.size >= least) {
    refusals.push({
      path: "cohort.quorum",
      reason: `With a quorum of ${cohort.quorum} a round may close with fewer updates than are ever unmasked: ${least} of ${cohort.size}.`,
      remedy: `Raise it to ${least}, or write all.`,
      edits: [{ path: "cohort.quorum", value: least }],
    });
  }
  if (cohort.size < protection.kMin) {
    refuse(
      "cohort.size",
      `A round of ${cohort.size} has fewer parties than a sum needs organisations, ${protection.kMin}.`,
      "Raise it, or write all.",
    );
  }
  return planned;
}
