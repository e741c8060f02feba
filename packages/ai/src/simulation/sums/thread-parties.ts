import { generateSigningKey } from "@ciphernx/crypto/keys";
import { createParticipant, type Participant, type SecAggPrimitives } from "@ciphernx/crypto/secagg";
import type { CoordinateVector } from "../../aggregation/index.ts";
import { simulatedDirectory } from "./directory.ts";
import type { SumStep, SumSteps, SumTerms } from "./steps.ts";

/** Parties that take a step side by side: while the signatures of one are verified in the background, another computes. */
const LANES = 4;

/** The parties of a protected sum that one thread stands in for. Their secrets never leave it. */
export interface ThreadParties {
  /** Keeps what a party has learnt until it is masked. */
  keep(party: number, vector: CoordinateVector): Promise<void>;
  /** Has parties take a step. @throws SecAggViolation naming what one of them refuses */
  take<S extends SumStep>(step: S, inputs: ReadonlyMap<number, SumSteps[S]["takes"]>): Promise<Map<number, SumSteps[S]["gives"]>>;
  /** Forgets every secret and every vector. */
  wipe(): void;
}

interface Party {
  readonly participant: Participant;
  readonly identityKey: Uint8Array;
  /** Until it is masked. */
  vector: CoordinateVector | undefined;
}

export function threadParties({ context, size, rules, ring }: SumTerms, primitives: SecAggPrimitives): ThreadParties {
  const parties = new Map<number, Party>();
  let identityKeys: ReadonlyMap<number, Uint8Array> = new Map();
  const directory = simulatedDirectory(size, (party) => identityKeys.get(party));

  type Take = { readonly [S in SumStep]: (party: Party, input: SumSteps[S]["takes"]) => Promise<SumSteps[S]["gives"]> };
  const steps: Take = {
    advertise: async ({ participant, identityKey }) => ({ identityKey, advertisement: await participant.advertise() }),
    enrol({ participant }, gathering) {
      ({ identityKeys } = gathering);
      return Promise.resolve(participant.enrol(gathering));
    },
    deal: ({ participant }, keys) => participant.deal(keys),
    async mask(party, inbox) {
      if (party.vector === undefined) throw new TypeError("A party of the simulation has nothing to mask.");
      const { bytes } = await party.participant.mask(inbox, party.vector, ring);
      party.vector = undefined;
      return bytes;
    },
    agree: ({ participant }, survivors) => participant.agree(survivors),
    unmask: ({ participant }, signatures) => participant.unmask(signatures),
  };

  return {
    async keep(party, vector) {
      const identity = await generateSigningKey();
      const participant = createParticipant({ context, party, identity, directory, rules, primitives });
      parties.set(party, { participant, identityKey: identity.publicKey, vector });
    },
    async take(step, inputs) {
      const outputs: [number, SumSteps[typeof step]["gives"]][] = [];
      const queue = inputs.entries();
      const lane = async (): Promise<void> => {
        for (const [party, input] of queue) outputs.push([party, await steps[step](parties.get(party)!, input)]);
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      return new Map(outputs);
    },
    wipe() {
      for (const { participant } of parties.values()) participant.wipe();
      parties.clear();
    },
  };
}
