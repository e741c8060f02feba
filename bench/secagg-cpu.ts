/**
 * What masking costs beside its cipher: 100 parties, a million coordinates encoded in 16 bits, on one thread. The party masks its vector with the streams of the
 * neighbours that 32 own draws of each party give it (some 54) and its self mask; the coordinator adds the packed vectors of the 90 that are left, and takes off their
 * self masks and those that they share with the 10 that dropped out. Beside each, as many bytes of AES-128-CTR as it needs, through node:crypto in its quickest
 * configuration. Turns alternate, so that what else the machine does meets both alike; the figures are medians. The sum is checked.
 *
 * @module
 */
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { randomStream } from "@ciphernx/ai/random";
import { loadMaskKernel, maskSeed, type MaskStream, maskVector, ringFor, unmaskSum } from "../packages/crypto/src/secagg/masking/index.ts";
import { nodeKeystream as keystream } from "../packages/crypto/src/secagg/masking/node-keystream.ts";
import { type Figure, median, type Outcome } from "./figures/figure.ts";

export const name = "secagg-cpu";

const PARTIES = 100;
const DROPPED = 10;
const DRAWS = 32;
const LENGTH = 1_000_000;
const ENCODING_BITS = 16;
const MOST = 2 ** (ENCODING_BITS - 1) - 1;
const TURNS = { party: 15, coordinator: 5 };
const WARM_UP_TURNS = 2;

export async function run(): Promise<Outcome> {
  const kernel = await loadMaskKernel();
  const ring = ringFor(MOST, PARTIES);
  const context = createHash("sha256").update("benchmark").digest();
  const random = randomStream(1, "secagg-cpu");
  const neighbours = drawNeighbours((below) => random.below(below));
  const streamBytes = LENGTH * ring.wordBytes;

  const vectors = Array.from({ length: PARTIES }, () => Int16Array.from({ length: LENGTH }, () => random.below(2 * MOST + 1) - MOST));
  const selfMask = (party: number, sign: 1 | -1): MaskStream => ({
    prk: maskSeed(context, createHash("sha256").update(`${party}`).digest()),
    low: party,
    high: party,
    sign,
  });
  /** The mask that a party puts on for another, or what takes it off. */
  const pairMask = (party: number, other: number, direction: 1 | -1): MaskStream => {
    const [low, high] = [Math.min(party, other), Math.max(party, other)];
    const sign = party === low ? direction : direction === 1 ? -1 : 1;
    return { prk: maskSeed(context, createHash("sha256").update(`${low} ${high}`).digest()), low, high, sign };
  };
  const masksOf = (party: number): MaskStream[] => [selfMask(party, 1), ...Array.from(neighbours[party]!, (other) => pairMask(party, other, 1))];
  const mask = (party: number, streams: readonly MaskStream[]) => maskVector({ kernel, keystream, ring, vector: vectors[party]!, streams });

  const own = masksOf(0);
  const party = await compare(TURNS.party, own.length * streamBytes, async () => {
    await mask(0, own);
  });

  const survivors = Array.from({ length: PARTIES - DROPPED }, (_, index) => index);
  const packed: Uint8Array[] = [];
  for (const survivor of survivors) packed.push(await mask(survivor, masksOf(survivor)));
  const sources = packed.map((bytes, index) => ({
    name: `party ${index}`,
    read: (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
  }));
  const streams = survivors.flatMap((survivor) => [
    selfMask(survivor, -1),
    ...Array.from(neighbours[survivor]!)
      .filter((other) => other >= PARTIES - DROPPED)
      .map((other) => pairMask(survivor, other, -1)),
  ]);
  const coordinator = await compare(TURNS.coordinator, streams.length * streamBytes, async () => {
    for await (const { offset, sum } of unmaskSum({ kernel, keystream, ring, sources, streams, length: LENGTH })) {
      // A sum that is fast but wrong would be no figure.
      for (let i = 0; i < sum.length; i += 997) {
        const wanted = survivors.reduce((total, survivor) => total + vectors[survivor]![offset + i]!, 0);
        if (sum[i] !== BigInt(wanted)) throw new Error(`Coordinate ${offset + i} adds up to ${sum[i]}, not ${wanted}.`);
      }
    }
  });

  return {
    figures: [
      ...figuresOf(`party: ${own.length} masks on`, party, 2),
      ...figuresOf(`coordinator: ${streams.length} masks off the sum of ${survivors.length}`, coordinator, 1.35),
    ],
  };
}

/** Whom each party masks with: those it drew as holders, and those that drew it. */
function drawNeighbours(below: (limit: number) => number): ReadonlySet<number>[] {
  const neighbours = Array.from({ length: PARTIES }, () => new Set<number>());
  for (let party = 0; party < PARTIES; party += 1) {
    const drawn = new Set<number>();
    while (drawn.size < DRAWS) {
      const other = below(PARTIES);
      if (other !== party) drawn.add(other);
    }
    for (const other of drawn) {
      neighbours[party]!.add(other);
      neighbours[other]!.add(party);
    }
  }
  return neighbours;
}

interface Comparison {
  readonly ms: number;
  readonly cipherMs: number;
  readonly freedCipherMs: number;
  /** The median of the turns' ratios. */
  readonly ratio: number;
}

async function compare(turns: number, keystreamBytes: number, work: () => Promise<void>): Promise<Comparison> {
  const times: Omit<Comparison, "ratio">[] = [];
  for (let turn = 0; turn < WARM_UP_TURNS + turns; turn += 1) {
    const began = performance.now();
    await work();
    const worked = performance.now();
    encryptZeros(keystreamBytes, BLOCK);
    const encrypted = performance.now();
    encryptZeros(keystreamBytes, FREED_BLOCK);
    const ended = performance.now();
    if (turn >= WARM_UP_TURNS) times.push({ ms: worked - began, cipherMs: encrypted - worked, freedCipherMs: ended - encrypted });
  }
  return {
    ms: median(times.map(({ ms }) => ms)),
    cipherMs: median(times.map(({ cipherMs }) => cipherMs)),
    freedCipherMs: median(times.map(({ freedCipherMs }) => freedCipherMs)),
    ratio: median(times.map(({ ms, cipherMs }) => ms / cipherMs)),
  };
}

/**
 * The quickest blocks from 64 KiB to 4 MiB where the collector frees what each call gives, and where it is freed at once, as the keystream does. Neither is a multiple of
 * a page: those are slower on some processors (see `node-keystream.ts`), and would flatter the masking.
 */
const BLOCK = new Uint8Array(1_050_624);
const FREED_BLOCK = new Uint8Array(67_584);

function encryptZeros(lengthBytes: number, block: Uint8Array): void {
  const cipher = createCipheriv("aes-128-ctr", randomBytes(16), randomBytes(16));
  for (let left = lengthBytes; left > 0; left -= block.length) {
    const bytes = cipher.update(left < block.length ? block.subarray(0, left) : block);
    if (block === FREED_BLOCK) bytes.buffer.transfer(0);
  }
}

function figuresOf(what: string, { ms, cipherMs, freedCipherMs, ratio }: Comparison, atMost: number): Figure[] {
  return [
    { name: what, value: ms, unit: "ms" },
    { name: "AES-128-CTR of as many bytes", value: cipherMs, unit: "ms" },
    { name: "the same, each block's memory given back at once", value: freedCipherMs, unit: "ms" },
    { name: `${what.slice(0, what.indexOf(":"))} to AES`, value: ratio, unit: "×", atMost },
    { name: `${what.slice(0, what.indexOf(":"))} to AES with memory given back`, value: ms / freedCipherMs, unit: "×" },
  ];
}

if (import.meta.main) console.table((await run()).figures);
