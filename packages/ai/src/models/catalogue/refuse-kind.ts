import type { Json } from "@ciphernx/core/spec";
import type { Refused } from "./catalogue-model.ts";

/** Refuses a kind of model as a whole, and names another one that fits. */
export function refuseKind(reason: string, remedy: string, instead: { readonly [option: string]: Json; readonly kind: string }): Refused {
  return { refusals: [{ path: "model.kind", reason, remedy, edits: [{ path: "model", value: instead }] }] };
}
