import { hashDocument } from "@ciphernx/core/spec";
import type { RunPlan, TaskPlan } from "./plan.ts";

/** SHA-256 of everything in a plan but this hash. The list of parties counts by its tree alone: whoever has the list compares it with that. */
export function planHash(plan: (Omit<TaskPlan, "planHash"> & { readonly planHash?: string }) & Partial<Pick<RunPlan, "parties">>): string {
  return hashDocument("ciphernx/run-plan/v2", { ...plan, parties: undefined, planHash: undefined });
}
