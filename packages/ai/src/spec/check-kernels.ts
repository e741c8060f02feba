import type { Refusal } from "@ciphernx/core/spec";
import { dependsOnHost } from "../nn/index.ts";
import type { KnownParty } from "./choose-parties.ts";
import type { CompileFacts } from "./plan.ts";
import type { RunSpec } from "./run-spec.ts";

/** Why the bits of a run are not promised, for its plan; or a refusal where the spec wants them promised. */
export function checkKernels(spec: RunSpec, parties: readonly KnownParty[], { kernelBuild }: CompileFacts, refusals: Refusal[]): readonly string[] {
  if (spec.model.kind === "tensors") return ["The parties' own trainers decide the bits of the updates."];
  const others = parties.filter((party) => party.kernelBuild !== kernelBuild);
  const named = others.map((party) => `${party.name} (${party.kernelBuild})`).join(", ");
  const hosts = [...new Set([kernelBuild, ...parties.map((party) => party.kernelBuild)])].filter(dependsOnHost);
  if (others.length === 0 && hosts.length === 0) return [];
  if (spec.reproducibility === "any-kernel") {
    return [
      ...(others.length === 0 ? [] : [`Other kernel builds than ${kernelBuild} take part: ${named}.`]),
      ...(hosts.length === 0 ? [] : [`Not reproducible across hosts: ${hosts.join(", ")} rounds products as each host does.`]),
    ];
  }
  refusals.push({
    path: "reproducibility",
    ...(others.length === 0
      ? {
          reason: `The kernel build ${kernelBuild} rounds products as the host does, so the same spec could give other bits elsewhere.`,
          remedy: "Leave out `--kernel fma`, or write any-kernel to accept and label it.",
        }
      : {
          reason: `These parties train with another kernel build than ${kernelBuild}, so the same spec could give other bits: ${named}.`,
          remedy: `Install the same version there${hosts.length === 0 ? "" : " and run it without --kernel"}, or write any-kernel to accept and label it.`,
        }),
    edits: [{ path: "reproducibility", value: "any-kernel" }],
  });
  return [];
}
