/** A thread that holds some parties of a sum, and takes their steps in turn. @module */
import { parentPort, workerData } from "node:worker_threads";
import { generateSigningKey } from "@ciphernx/crypto/keys";
import { attemptContext, createParticipant, type Directory, type Participant, ringFor } from "@ciphernx/crypto/secagg";
import { nodeSecAgg } from "@ciphernx/crypto/secagg/node";
import { ATTEMPT } from "../../packages/crypto/src/secagg/coordinator.fixture.ts";
import { organisationOf, type PartiesAnswer, type PartiesRequest, type PartiesSetup, type Step, type Steps } from "./steps.ts";
import { makeUpdates, MOST } from "./updates.ts";

const { own, parties, parameters, assumptions } = workerData as PartiesSetup;
const port = parentPort;
if (port === null) throw new TypeError("This module runs as a thread of a benchmark.");

/** Parties that take a step side by side: while the signatures of one are verified in the background, another computes. */
const LANES = 4;

const primitives = await nodeSecAgg();
const updates = await makeUpdates(parameters, parties);
const ring = ringFor(MOST, parties);
const identities = new Map(await Promise.all(own.map(async (party) => [party, await generateSigningKey()] as const)));
const participants = new Map<number, Participant>();

const take: { readonly [S in Step]: (participant: Participant, input: Steps[S]["takes"], party: number) => Promise<Steps[S]["gives"]> } = {
  advertise: (participant) => participant.advertise(),
  enrol: (participant, announcement) => Promise.resolve(participant.enrol(announcement)),
  deal: (participant, keys) => participant.deal(keys),
  mask: async (participant, inbox, party) => (await participant.mask(inbox, updates.encode(party), ring)).bytes,
  agree: (participant, survivors) => participant.agree(survivors),
  unmask: (participant, signatures) => participant.unmask(signatures),
};

function enlist(keys: readonly Uint8Array[]): void {
  const directory: Directory = { size: parties, of: (party) => keys[party] && { key: keys[party], organisation: organisationOf(party) } };
  const rules = { kMin: 3, quorum: parties / 2, assumptions };
  const context = attemptContext(ATTEMPT);
  for (const [party, identity] of identities) {
    participants.set(party, createParticipant({ context, party, identity, directory, rules, primitives }));
  }
}

async function takeStep<S extends Step>(step: S, inputs: ReadonlyMap<number, Steps[S]["takes"]>): Promise<ReadonlyMap<number, Steps[S]["gives"]>> {
  const outputs = new Map<number, Steps[S]["gives"]>();
  const queue = inputs.entries();
  const lane = async (): Promise<void> => {
    for (const [party, input] of queue) outputs.set(party, await take[step](participants.get(party)!, input, party));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return outputs;
}

/** One batch after the other. */
let last = Promise.resolve();
port.on("message", (request: PartiesRequest) => {
  if (request.kind === "roster") return enlist(request.keys);
  const { id, step, inputs } = request;
  last = last.then(async () => {
    const outputs = await takeStep(step, inputs as ReadonlyMap<number, never>);
    port.postMessage({ kind: "step", id, outputs } satisfies PartiesAnswer);
  });
});
const keys = new Map(Array.from(identities, ([party, { publicKey }]) => [party, publicKey] as const));
port.postMessage({ kind: "keys", keys } satisfies PartiesAnswer);
