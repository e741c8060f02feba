import { NexusError } from "@ciphernx/core/errors";
import { TaskKind } from "@ciphernx/protocol/proto";
import { contradictoryPlan } from "../../spec/contradictory-plan.ts";
import { planHash } from "../../spec/plan-hash.ts";
import { hasParty } from "../../spec/party-tree.ts";
import { type PlannedParty, runSpecHash, type RunSpec, type TaskPlan } from "../../spec/index.ts";

/** What a task says of itself. */
export interface TaskTerms {
  readonly spec: RunSpec;
  readonly plan: TaskPlan;
  readonly specHash: string;
  readonly party: string;
  /** What the plan is said to have of the party, at which index, and the hashes that show it. */
  readonly planned: PlannedParty;
  readonly index: number;
  readonly proof: readonly Uint8Array[];
}

/** What a node checks before it touches its data: that the task carries the spec whose hash its report will sign, and is for this party. */
export function checkTerms(task: TaskTerms, nodeName: string): void {
  const { spec, plan, specHash, party, planned } = task;
  if (party !== nodeName) {
    throw new NexusError("FORBIDDEN", `This node is ${nodeName}; the task is for ${party}.`, {
      hint: "Remove the node and join it again under one name.",
    });
  }
  const actual = runSpecHash(spec);
  if (actual !== specHash || plan.specHash !== specHash) {
    throw new NexusError("SPEC_INVALID", `The task names spec ${specHash}, but the spec and plan it carries hash to ${actual} and ${plan.specHash}.`);
  }
  if (planned.name !== party || !hasParty(plan, planned, task)) {
    throw new NexusError("SPEC_INVALID", `The plan of the task does not list ${party} among its parties, or with other rows.`);
  }
}

/** That a task asks for nothing that the party did not agree to with the spec. @throws NexusError SPEC_INVALID naming what it is */
export function checkPlan(task: { readonly spec: RunSpec; readonly plan: TaskPlan; readonly round: number; readonly kind: TaskKind }): void {
  const unwanted = unwantedTask(task);
  if (unwanted !== undefined) throw new NexusError("SPEC_INVALID", `The spec has no such task: ${unwanted}.`);
  const problem = contradictoryPlan(task.spec, task.plan);
  if (problem === undefined) return;
  throw new NexusError("SPEC_INVALID", `The plan of the task contradicts its spec: ${problem}.`, {
    hint: "The node goes by the spec. Install the coordinator's version on the node; if it has it, the coordinator is not to be trusted.",
  });
}

/** That a plan is the one whose hash the task names, which the report will sign. @throws NexusError SPEC_INVALID */
export function checkPlanHash(plan: TaskPlan, named: string): void {
  const actual = planHash(plan);
  if (actual === named && actual === plan.planHash) return;
  throw new NexusError("SPEC_INVALID", `The task names the plan ${named}, but the plan it carries hashes to ${actual}.`);
}

/** Why a run of the spec has no such task, in words; undefined when it may have. */
function unwantedTask({ spec, round, kind }: { readonly spec: RunSpec; readonly round: number; readonly kind: TaskKind }): string | undefined {
  if (round > spec.rounds) return `it is of round ${round}, of ${spec.rounds}`;
  if (kind === TaskKind.STATISTICS) {
    if (spec.preprocess === undefined) return "it counts rows, and there is no preprocess section";
    return round === 0 ? undefined : `it counts rows in round ${round}, not before the first`;
  }
  if (round === 0) return "it is of round 0";
  return kind === TaskKind.EVALUATE && spec.evaluate.every === 0 ? "it judges the model, and evaluate.every is 0" : undefined;
}
