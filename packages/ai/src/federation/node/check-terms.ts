import { NexusError } from "@ciphernx/core/errors";
import { runSpecHash, type RunPlan, type RunSpec } from "../../spec/index.ts";

/** What a node checks before it touches its data: that the task carries the spec whose hash its report will sign, and is for this party. */
export function checkTerms(
  task: { readonly spec: RunSpec; readonly plan: RunPlan; readonly specHash: string; readonly party: string },
  nodeName: string,
): void {
  const { spec, plan, specHash, party } = task;
  if (party !== nodeName) {
    throw new NexusError("FORBIDDEN", `This node is ${nodeName}; the task is for ${party}.`, {
      hint: "Remove the node and join it again under one name.",
    });
  }
  const actual = runSpecHash(spec);
  if (actual !== specHash || plan.specHash !== specHash) {
    throw new NexusError("SPEC_INVALID", `The task names spec ${specHash}, but the spec and plan it carries hash to ${actual} and ${plan.specHash}.`);
  }
  if (!plan.parties.some(({ name }) => name === party)) {
    throw new NexusError("SPEC_INVALID", `The plan of the task does not list ${party} among its parties.`);
  }
}
