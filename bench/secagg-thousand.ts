/**
 * A protected sum of a thousand parties with 100,000 parameters each, 50 of whom drop out after dealing. The graph is sampled: every party draws its holders itself, and
 * checks whatever a party has to check, as do all others (`participant.ts`); nothing is left out. As many threads as the machine has cores hold the parties; the
 * coordinator is the main thread. Messages are copied from thread to thread. The whole sum is held against the sum of the plain updates.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import {
  attemptContext,
  bitmapOf,
  checkAdvertisement,
  checkAgreement,
  checkDealing,
  cohortOf,
  type Directory,
  packedBytes,
  type ReceivedShares,
  recover,
  ringFor,
  secAggParameters,
  unmaskSum,
} from "@ciphernx/crypto/secagg";
import { nodeSecAgg } from "@ciphernx/crypto/secagg/node";
import { ATTEMPT } from "../packages/crypto/src/secagg/coordinator.fixture.ts";
import type { Figure, Outcome } from "./figures/figure.ts";
import { startPartyThreads } from "./sums/party-threads.ts";
import { organisationOf } from "./sums/steps.ts";
import { makeUpdates, MOST } from "./sums/updates.ts";

export const name = "secagg-thousand";

const PARTIES = 1_000;
const PARAMETERS = 100_000;
/** One in so many drops out. */
const DROPPED = 20;
const ASSUMPTIONS = { corruption: 0.1, dropout: 0.05 };

export async function run(): Promise<Outcome> {
  const seconds = stopwatch();
  const primitives = await nodeSecAgg();
  const { length, encode } = await makeUpdates(PARAMETERS, PARTIES);
  const threads = availableParallelism();
  await using parties = await startPartyThreads(threads, { parties: PARTIES, parameters: PARAMETERS, assumptions: ASSUMPTIONS });
  parties.enlist();
  const directory: Directory = { size: PARTIES, of: (party) => ({ key: parties.keys[party]!, organisation: organisationOf(party) }) };
  const context = attemptContext(ATTEMPT);
  const members = Array.from({ length: PARTIES }, (_, party) => party);
  const bitmap = (places: readonly number[]) => bitmapOf(PARTIES, places);
  const { graph, holders: drawn, threshold } = secAggParameters(PARTIES, ASSUMPTIONS);
  if (graph !== "sampled") throw new Error("So many parties are a sampled graph.");
  seconds.lap("threads and identities");

  const advertisements = [...(await parties.take("advertise", members, () => undefined)).values()];
  for (const ad of advertisements) await checkAdvertisement(context, ad, directory, primitives);
  const cohort = cohortOf(advertisements);
  const announcement = { members: bitmap(members), root: cohort.root };
  seconds.lap("keys");

  const wanted = await parties.take("enrol", members, () => announcement);
  const holders = new Map(Array.from(wanted, ([party, places]) => [party, new Set(places)]));
  const proven = (places: Iterable<number>) => Array.from(places, (place) => cohort.proven(place)!);
  const dealings = await parties.take("deal", members, (party) => proven([party, ...wanted.get(party)!]));
  const sharesFor = new Map(members.map((party): [number, ReceivedShares[]] => [party, []]));
  for (const [dealer, shares] of dealings) {
    checkDealing(dealer, shares, holders.get(dealer)!);
    for (const { holder, enc, ciphertext } of shares) sharesFor.get(holder)!.push({ dealer, enc, ciphertext });
  }
  seconds.lap("holders and shares");

  const survivors = members.filter((party) => party % DROPPED !== 0);
  const dealers = bitmap(members);
  const masked = await parties.take("mask", survivors, (party) => {
    const shares = sharesFor.get(party)!;
    const unknown = shares.map(({ dealer }) => dealer).filter((dealer) => !holders.get(party)!.has(dealer));
    return { dealers, shares, advertisements: proven(unknown) };
  });
  seconds.lap("masked vectors");

  const list = { root: cohort.root, dealers, survivors: bitmap(survivors) };
  const signatures = await parties.take("agree", survivors, () => list.survivors);
  for (const signed of signatures.values()) await checkAgreement(context, list, signed, directory);
  const revealed = await parties.take("unmask", survivors, (party) => wanted.get(party)!.flatMap((holder) => signatures.get(holder) ?? []));
  const answers = Array.from(revealed, ([holder, shares]) => ({ holder, shares }));
  seconds.lap("survivors and answers");

  const holdersOf = (party: number): ReadonlySet<number> => holders.get(party)!;
  const { streams } = await recover({ context, threshold, directory, primitives, advertisements, survivors, holdersOf, answers });
  seconds.lap("secrets");

  const sum = new BigInt64Array(length);
  const sources = Array.from(masked, ([party, bytes]) => ({
    name: `party ${party}`,
    read: (offset: number, lengthBytes: number) => Promise.resolve(bytes.subarray(offset, offset + lengthBytes)),
  }));
  const ring = ringFor(MOST, PARTIES);
  const { kernel, keystream } = primitives;
  for await (const { offset, sum: tile } of unmaskSum({ kernel, keystream, ring, sources, streams, length })) sum.set(tile, offset);
  seconds.lap("sum");

  const plain = new Int32Array(length);
  for (const party of survivors) {
    const update = encode(party);
    for (let i = 0; i < length; i += 1) plain[i]! += update[i]!;
  }
  const wrong = plain.findIndex((value, index) => BigInt(value) !== sum[index]);
  if (wrong >= 0) throw new Error(`Coordinate ${wrong} adds up to ${sum[wrong]}, not ${plain[wrong]}.`);
  seconds.lap("comparison with the plain sum");

  const all = seconds.laps.reduce((total, { value }) => total + value, 0);
  return {
    figures: [
      {
        name: `a sum of ${survivors.length} of ${PARTIES} parties, ${drawn} holders, threshold ${threshold}, ${threads} threads`,
        value: all,
        unit: "s",
        atMost: 120,
      },
      ...seconds.laps,
      { name: "masks taken off", value: streams.length, unit: "masks" },
      { name: "masked vector of a party", value: packedBytes(length, ring) / 1e6, unit: "MB" },
    ],
  };
}

function stopwatch() {
  const laps: Figure[] = [];
  let last = performance.now();
  return {
    laps,
    lap(what: string): void {
      const now = performance.now();
      laps.push({ name: what, value: (now - last) / 1_000, unit: "s" });
      last = now;
    },
  };
}

if (import.meta.main) console.table((await run()).figures);
