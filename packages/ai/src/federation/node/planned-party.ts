import type { PlannedParty as PlannedPartyMessage } from "@ciphernx/protocol/proto";
import type { PlannedParty } from "../../spec/index.ts";

/** A plan's entry of a party, as it came over the wire. */
export function plannedParty({ name, trainExamples, testExamples, contentHash }: PlannedPartyMessage): PlannedParty {
  return { name, trainExamples: Number(trainExamples), testExamples: Number(testExamples), contentHash };
}
