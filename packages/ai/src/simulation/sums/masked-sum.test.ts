import { nodeSecAgg } from "@ciphernx/crypto/secagg/node";
import { attemptContext, type SecAggPrimitives } from "@ciphernx/crypto/secagg";
import { packedBytes, ringFor } from "@ciphernx/crypto/secagg/parameters";
import { beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../../random/index.ts";
import { maskedSum } from "./masked-sum.ts";
import type { SumStep, SumSteps, SumTerms } from "./steps.ts";
import { threadParties } from "./thread-parties.ts";

const LENGTH = 300;
const MOST = 2 ** 15 - 1;

let primitives: SecAggPrimitives;
beforeAll(async () => {
  primitives = await nodeSecAgg();
});

/** A sum of all but every tenth party of a list, on two threads' worth of parties; with what the coordinator was handed. */
async function add(size: number, kMin = 3) {
  const context = attemptContext({
    runId: "simulation",
    kind: "fit",
    round: 1,
    attempt: 1,
    planHash: "ab".repeat(32),
    baseModelHash: "cd".repeat(32),
  });
  const terms: SumTerms = { context, size, rules: { kMin, quorum: 2, assumptions: { corruption: 0.1, dropout: 0.1 } }, ring: ringFor(MOST, size) };
  const members = Array.from({ length: size }, (_, place) => place).filter((place) => size < 10 || place % 10 !== 9);
  const threads = [threadParties(terms, primitives), threadParties(terms, primitives)];
  const random = randomStream(1, "vectors");
  const sum = new BigInt64Array(LENGTH);
  for (const party of members) {
    const vector = Int16Array.from({ length: LENGTH }, () => (random.uint32() % (2 * MOST + 1)) - MOST);
    vector.forEach((value, index) => (sum[index]! += BigInt(value)));
    await threads[party % 2]!.keep(party, vector);
  }
  const handed = new Map<SumStep, Map<number, unknown>>();
  async function take<S extends SumStep>(step: S, inputs: ReadonlyMap<number, SumSteps[S]["takes"]>) {
    const ofThread = (thread: number) => new Map([...inputs].filter(([party]) => party % 2 === thread));
    const outputs = await Promise.all(threads.map((thread, index) => thread.take(step, ofThread(index))));
    const all = new Map(outputs.flatMap((output) => [...output]));
    handed.set(step, all);
    return all;
  }
  return { members, terms, sum, handed, threads, adding: maskedSum({ terms, members, length: LENGTH, primitives, take }) };
}

describe("a simulated protected sum", () => {
  it.each([
    ["three parties", 3],
    ["a complete graph", 20],
    ["a sampled graph", 80],
  ])("is that of the plain vectors: %s", async (_, size) => {
    const { adding, sum } = await add(size);
    expect(await adding).toEqual(sum);
  });

  it("shows the coordinator no vector, and never the same masked bytes again", async () => {
    const [one, other] = [await add(5), await add(5)];
    expect(await one.adding).toEqual(await other.adding);
    const bytesOf = ({ handed }: typeof one) => handed.get("mask") as Map<number, Uint8Array>;
    const zeros = Buffer.alloc(32);
    for (const party of one.members) {
      const [first, second] = [bytesOf(one).get(party)!, bytesOf(other).get(party)!];
      expect(first).toHaveLength(packedBytes(LENGTH, one.terms.ring));
      expect(Buffer.compare(first.subarray(0, 32), second.subarray(0, 32))).not.toBe(0);
      expect(Buffer.compare(first.subarray(0, 32), zeros)).not.toBe(0);
    }
  });

  it("is refused by its parties when fewer organisations are in it than are due", async () => {
    const { adding } = await add(5, 6);
    await expect(adding).rejects.toMatchObject({ name: "SecAggViolation", reason: "organisations-too-few" });
  });

  it("leaves nothing with a thread that forgets it", async () => {
    const { adding, threads } = await add(5);
    await adding;
    threads[0]!.wipe();
    await expect(threads[0]!.take("unmask", new Map([[0, []]]))).rejects.toThrow(TypeError);
  });
});
