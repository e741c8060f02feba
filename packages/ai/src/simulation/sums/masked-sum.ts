/** The coordinator's part of a simulated protected sum: what it has of the parties is what it would have over the wire. @module */
import {
  bitmapOf,
  checkAdvertisement,
  checkAgreement,
  checkDealing,
  cohortOf,
  type ReceivedShares,
  recover,
  secAggParameters,
  type SecAggPrimitives,
  unmaskSum,
} from "@ciphernx/crypto/secagg";
import { simulatedDirectory } from "./directory.ts";
import type { SumStep, SumSteps, SumTerms } from "./steps.ts";

export interface MaskedSumOptions {
  readonly terms: SumTerms;
  /** Places in the plan's list, ascending: parties that have something to add. */
  readonly members: readonly number[];
  /** Coordinates of a vector. */
  readonly length: number;
  readonly primitives: SecAggPrimitives;
  /** Has parties take a step, wherever they are. */
  take<S extends SumStep>(step: S, inputs: ReadonlyMap<number, SumSteps[S]["takes"]>): Promise<ReadonlyMap<number, SumSteps[S]["gives"]>>;
}

/**
 * Takes all members through a protected sum, and gives it. Nobody drops out of a simulation once it has an update.
 * @throws SecAggViolation when a party refuses a step, as it would in a run: the cohort is too small
 */
export async function maskedSum({ terms, members, length, primitives, take }: MaskedSumOptions): Promise<BigInt64Array<ArrayBuffer>> {
  const { context, size, rules, ring } = terms;
  /** Each member with what it is given. */
  const each = <T>(inputOf: (party: number) => T): Map<number, T> => new Map(members.map((party) => [party, inputOf(party)]));

  const introduced = await take(
    "advertise",
    each(() => undefined),
  );
  const identityKeys = new Map(Array.from(introduced, ([party, { identityKey }]) => [party, identityKey]));
  const directory = simulatedDirectory(size, (party) => identityKeys.get(party));
  const advertisements = members.map((party) => introduced.get(party)!.advertisement);
  for (const ad of advertisements) await checkAdvertisement(context, ad, directory, primitives);
  const cohort = cohortOf(advertisements);
  const everybody = bitmapOf(size, members);

  const gathering = { members: everybody, root: cohort.root, identityKeys };
  const wanted = await take(
    "enrol",
    each(() => gathering),
  );
  const { graph, threshold } = secAggParameters(members.length, rules.assumptions);
  const all: ReadonlySet<number> = new Set(members);
  const drawn = new Map(graph === "complete" ? [] : Array.from(wanted, ([party, places]) => [party, new Set(places)]));
  const holdersOf = (party: number): ReadonlySet<number> => (graph === "complete" ? all : drawn.get(party)!);
  const proven = (places: Iterable<number>) => Array.from(places, (place) => cohort.proven(place)!);

  const dealings = await take(
    "deal",
    each((party) => proven(new Set([party, ...wanted.get(party)!]))),
  );
  const sharesFor = each((): ReceivedShares[] => []);
  for (const [dealer, shares] of dealings) {
    checkDealing(dealer, shares, holdersOf(dealer));
    for (const { holder, enc, ciphertext } of shares) sharesFor.get(holder)!.push({ dealer, enc, ciphertext });
  }
  const masked = await take(
    "mask",
    each((party) => {
      const shares = sharesFor.get(party)!;
      const unknown = graph === "complete" ? [] : shares.map(({ dealer }) => dealer).filter((dealer) => !holdersOf(party).has(dealer));
      return { dealers: everybody, shares, advertisements: proven(unknown) };
    }),
  );

  const list = { root: cohort.root, dealers: everybody, survivors: everybody };
  const signatures = await take(
    "agree",
    each(() => everybody),
  );
  for (const signed of signatures.values()) await checkAgreement(context, list, signed, directory);
  const revealed = await take(
    "unmask",
    each((party) => Array.from(holdersOf(party), (holder) => signatures.get(holder)!)),
  );
  const answers = Array.from(revealed, ([holder, shares]) => ({ holder, shares }));
  const { streams } = await recover({ context, threshold, directory, primitives, advertisements, survivors: members, holdersOf, answers });

  const sum = new BigInt64Array(length);
  const sources = Array.from(masked, ([party, bytes]) => ({
    name: `party ${party}`,
    read: (offset: number, lengthBytes: number) => Promise.resolve(bytes.subarray(offset, offset + lengthBytes)),
  }));
  const { kernel, keystream } = primitives;
  for await (const tile of unmaskSum({ kernel, keystream, ring, sources, streams, length })) sum.set(tile.sum, tile.offset);
  return sum;
}
