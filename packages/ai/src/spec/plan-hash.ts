import { hashDocument } from "@ciphernx/core/spec";
import type { RunPlan } from "./plan.ts";

/** SHA-256 of everything in a plan but this hash. */
export function planHash(plan: Omit<RunPlan, "planHash"> & { readonly planHash?: string }): string {
  return hashDocument("ciphernx/run-plan/v1", { ...plan, planHash: undefined });
}
