import { parseRunSpec, type RunSpec } from "@ciphernx/ai/spec";

/** Kinds of protection that a demo can show. */
export type ProtectionKind = RunSpec["protection"]["kind"];

/** A spec with another protection, at its defaults. */
export function protectedBy(kind: ProtectionKind, spec: RunSpec): RunSpec {
  return kind === spec.protection.kind ? spec : parseRunSpec({ ...spec, protection: { kind } });
}
