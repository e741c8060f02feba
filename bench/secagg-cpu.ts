/**
 * What a protected sum costs beside its cipher: 100 parties, a million parameters encoded in 16 bits, a sampled graph (32 holders, threshold 22), 10 parties that
 * drop out after dealing. A party takes all its steps, from the f32 change of its model to its shares for unmasking: it encodes, makes keys, checks those of its neighbours
 * (Merkle proofs and signatures), deals, opens, masks, signs the survivors and checks who else did. The coordinator recombines secrets, adds the packed vectors of the 90 that are
 * left, and takes off what hides their sum, which is checked. Beside each, as many bytes of AES-128-CTR as it needs, through node:crypto: as one calls it, which leaves what
 * each call gave to the collector, and with that memory given back at once, as the masking does. Nothing that Node offers is quicker than the second; limits are on the first.
 *
 * All is processor time of the whole process, so that work which Node hands to other threads counts as well: verifying signatures, collecting. Turns alternate, so that what
 * else the machine does meets both alike; the figures are medians. The party's turns are one attempt again and again: what it drew at random is played back, and its masked
 * vector is compared.
 *
 * @module
 */
import { generateSigningKey } from "@ciphernx/crypto/keys";
import { createParticipant, type MaskStream, type Participant, type SecAggPrimitives, unmaskSum } from "@ciphernx/crypto/secagg";
import { nodeSecAgg } from "@ciphernx/crypto/secagg/node";
import { SumFixture } from "../packages/crypto/src/secagg/coordinator.fixture.ts";
import { type Figure, median, type Outcome } from "./figures/figure.ts";
import { BLOCK, encryptZeros, FREED_BLOCK } from "./sums/encrypt-zeros.ts";
import { makeUpdates } from "./sums/updates.ts";

export const name = "secagg-cpu";

const PARTIES = 100;
const DROPPED = 10;
const PARAMETERS = 1_000_000;
const ASSUMPTIONS = { corruption: 0.1, dropout: 0.1 };
/** The party that is measured. */
const PARTY = 0;
const TURNS = { party: 15, coordinator: 5 };
const WARM_UP_TURNS = 2;

export async function run(): Promise<Outcome> {
  const primitives = await nodeSecAgg();
  const { length, encode } = await makeUpdates(PARAMETERS, PARTIES);

  // The attempt, once.
  const identities = await Promise.all(Array.from({ length: PARTIES }, () => generateSigningKey()));
  const sum = await SumFixture.create({ parties: PARTIES, primitives, rules: { quorum: 50, assumptions: ASSUMPTIONS }, identities });
  const { context, directory, rules, ring } = sum;
  const participant = (using: SecAggPrimitives): Participant =>
    createParticipant({ context, party: PARTY, identity: identities[PARTY]!, directory, rules, primitives: using });
  const drawn: Uint8Array<ArrayBuffer>[] = [];
  const recording = (count: number) => {
    const bytes = primitives.randomBytes(count);
    drawn.push(bytes.slice());
    return bytes;
  };
  sum.participants[PARTY] = participant({ ...primitives, randomBytes: recording });
  await sum.advertise();
  sum.enrol();
  await sum.deal();
  const survivors = sum.members.slice(0, PARTIES - DROPPED);
  const vectors = survivors.map(encode);
  await sum.mask(vectors, survivors);
  await sum.agree();
  await sum.unmask();

  // The party, again.
  const [announcement, keys, inbox, list] = [sum.announcement(), sum.keysFor(PARTY), sum.inbox(PARTY), sum.list!];
  const neighbours = new Set([...keys, ...inbox.shares.map(({ dealer }) => ({ party: dealer }))].map(({ party }) => party));
  let messages: readonly unknown[] = [];
  const party = await compare(TURNS.party, neighbours.size * length * ring.wordBytes, async (stepDone) => {
    const replay = drawn.values();
    const again = participant({ ...primitives, randomBytes: () => replay.next().value!.slice() });
    const vector = encode(PARTY);
    stepDone("encodes");
    const advertisement = await again.advertise();
    const wanted = again.enrol(announcement);
    stepDone("makes keys, draws holders");
    const dealt = await again.deal(keys);
    stepDone("checks keys, deals");
    const masked = await again.mask(inbox, vector, ring);
    stepDone("checks keys, opens shares, masks");
    const signed = await again.agree(list.survivors);
    const revealed = await again.unmask(sum.signatures);
    stepDone("signs, checks signatures, gives shares");
    messages = [advertisement, wanted, dealt, masked.bytes, signed, revealed];
    if (Buffer.compare(masked.bytes, sum.masked.get(PARTY)!) !== 0) throw new Error("The party's masked vector is another than before.");
  });

  const sources = [...sum.masked].map(([survivor, bytes]) => ({
    name: `party ${survivor}`,
    read: (offset: number, lengthBytes: number) => Promise.resolve(bytes.subarray(offset, offset + lengthBytes)),
  }));
  const wanted = new Int32Array(length);
  for (const vector of vectors) for (let i = 0; i < length; i += 1) wanted[i]! += vector[i]!;
  const { kernel, keystream } = primitives;
  const unmasked = async (streams: readonly MaskStream[], step: number): Promise<void> => {
    for await (const { offset, sum: tile } of unmaskSum({ kernel, keystream, ring, sources, streams, length })) {
      for (let i = 0; i < tile.length; i += step) {
        if (Number(tile[i]) !== wanted[offset + i]) throw new Error(`Coordinate ${offset + i} adds up to ${tile[i]}, not ${wanted[offset + i]}.`);
      }
    }
  };
  const { streams: left } = await sum.recover();
  await unmasked(left, 1);
  const coordinator = await compare(TURNS.coordinator, left.length * length * ring.wordBytes, async (stepDone) => {
    const { streams } = await sum.recover();
    stepDone("recombines secrets");
    // A sum that is fast but wrong would be no figure; all of it was looked at above.
    await unmasked(streams, 997);
    stepDone("adds, takes masks off");
  });

  const uploadBytes = sizeBytes(messages);
  return {
    figures: [
      ...figuresOf("party", `${neighbours.size} masks on`, party, 2.5),
      { name: "party: upload", value: uploadBytes / 1e6, unit: "MB", atMost: 3.1 },
      ...figuresOf("coordinator", `${left.length} masks off the sum of ${survivors.length}`, coordinator, 1.5),
    ],
  };
}

/** Bytes of a message, with 4 for each field's frame and for each number: more than the wire takes. */
function sizeBytes(message: unknown): number {
  if (message instanceof Uint8Array) return message.length + 4;
  return typeof message === "object" && message !== null ? Object.values(message).reduce((sum: number, field) => sum + sizeBytes(field), 4) : 4;
}

interface Comparison {
  readonly cpuMs: number;
  /** Processor time of each step. */
  readonly steps: ReadonlyMap<string, number>;
  readonly cipherMs: number;
  readonly freedCipherMs: number;
  /** The median of the turns' ratios. */
  readonly ratio: number;
}

async function compare(turns: number, keystreamBytes: number, work: (stepDone: (step: string) => void) => Promise<void>): Promise<Comparison> {
  const times: Omit<Comparison, "ratio">[] = [];
  for (let turn = 0; turn < WARM_UP_TURNS + turns; turn += 1) {
    const steps = new Map<string, number>();
    let last = cpuMs();
    const lap = (): number => {
      const [before, now] = [last, cpuMs()];
      last = now;
      return now - before;
    };
    const began = last;
    await work((step) => void steps.set(step, lap()));
    const worked = cpuMs();
    encryptZeros(keystreamBytes, BLOCK);
    const encrypted = cpuMs();
    encryptZeros(keystreamBytes, FREED_BLOCK);
    const ended = cpuMs();
    if (turn >= WARM_UP_TURNS) times.push({ cpuMs: worked - began, steps, cipherMs: encrypted - worked, freedCipherMs: ended - encrypted });
  }
  return {
    cpuMs: median(times.map((time) => time.cpuMs)),
    steps: new Map([...times[0]!.steps.keys()].map((step) => [step, median(times.map(({ steps }) => steps.get(step)!))])),
    cipherMs: median(times.map(({ cipherMs }) => cipherMs)),
    freedCipherMs: median(times.map(({ freedCipherMs }) => freedCipherMs)),
    ratio: median(times.map((time) => time.cpuMs / time.cipherMs)),
  };
}

/** What the process has used of all processors. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function figuresOf(who: string, what: string, { cpuMs: spent, steps, cipherMs, freedCipherMs, ratio }: Comparison, atMost: number): Figure[] {
  return [
    { name: `${who}: processor time, ${what}`, value: spent, unit: "ms" },
    ...Array.from(steps, ([step, value]) => ({ name: `${who} ${step}`, value, unit: "ms" })),
    { name: "AES-128-CTR of as many bytes", value: cipherMs, unit: "ms" },
    { name: "the same, each block's memory given back at once", value: freedCipherMs, unit: "ms" },
    { name: `${who} to AES`, value: ratio, unit: "×", atMost },
    { name: `${who} to AES with memory given back`, value: spent / freedCipherMs, unit: "×" },
  ];
}

if (import.meta.main) console.table((await run()).figures);
