import type { RunPlan } from "@ciphernx/ai/spec";
import { plural } from "@ciphernx/core/errors";
import type { Node } from "@ciphernx/protocol/proto";

/** Parties that a line names one by one. */
const NAMED_PARTIES = 10;

/** Parties of a plan whose nodes are not connected now, in the order of the plan. */
export function offlineParties({ parties }: Pick<RunPlan, "parties">, nodes: readonly Pick<Node, "name" | "online">[]): readonly string[] {
  const online = new Set(nodes.filter(({ online: isOnline }) => isOnline).map(({ name }) => name));
  return parties.map(({ name }) => name).filter((name) => !online.has(name));
}

/** What is said of them to whoever plans or starts a run; undefined when all are there. */
export function offlineWarning(offline: readonly string[], { cohort, parties }: Pick<RunPlan, "parties" | "cohort">): string | undefined {
  if (offline.length === 0) return undefined;
  const rest = offline.length - NAMED_PARTIES;
  const names = `${offline.slice(0, NAMED_PARTIES).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
  const there = parties.length - offline.length;
  const outcome =
    there < cohort.quorum
      ? `${there === 0 ? "Nobody is" : `Only ${there} of ${plural(parties.length, "party", "parties")} ${there === 1 ? "is" : "are"}`} there, and a round needs ${cohort.quorum}: it waits until its deadline.`
      : "A round that asks for them waits until its deadline and goes on without them.";
  return `Not online now: ${names}. ${outcome} \`nexus node run\` on their machines connects them.`;
}
