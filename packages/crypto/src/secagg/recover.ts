/**
 * What the coordinator does with the parties' answers: recombines the seed of each survivor's own mask and the mask key of each party that dropped out, and says which
 * masks are left in the sum. A share that is wrong is found and its holder named; a dealer whose shares do not lie on one polynomial is named, and the attempt is void.
 * Source: Bonawitz et al. (CCS 2017), Figure 4, "Unmasking"; commitments and signed shares are ours, and only ever lead to fewer sums.
 *
 * @module
 */
import { type MaskStream, maskSeed } from "./masking/index.ts";
import { type Advertisement, seedCommitment } from "./messages/advertisement.ts";
import { isRevealed, type RevealedShare, SHARE_BYTES, type ShareKind } from "./messages/share.ts";
import type { SecAggPrimitives } from "./primitives.ts";
import { type Directory, entryOf } from "./rules.ts";
import { lagrangeAtZero, recombine } from "./shamir/index.ts";
import { SecAggViolation } from "./violation.ts";

/** What one holder answered. */
export interface UnmaskAnswer {
  /** The holder's place. */
  readonly holder: number;
  readonly shares: readonly RevealedShare[];
}

export interface RecoverOptions {
  readonly context: Uint8Array;
  readonly threshold: number;
  readonly directory: Directory;
  readonly primitives: Pick<SecAggPrimitives, "fromSecret" | "agree">;
  /** Keys of the dealers. */
  readonly advertisements: readonly Advertisement[];
  readonly survivors: readonly number[];
  /** Who holds shares of a dealer. */
  holdersOf(dealer: number): ReadonlySet<number>;
  readonly answers: readonly UnmaskAnswer[];
}

/** What is to be taken off the sum of the survivors' masked vectors. */
export interface Recovered {
  /** Masks with the sign with which they are added to the sum. */
  readonly streams: readonly MaskStream[];
  /** Holders whose shares were wrong, by what they gave: those were ignored. */
  readonly wrong: ReadonlyMap<number, string>;
}

/**
 * Recovers what hides the sum of the survivors' vectors.
 * @throws SecAggViolation shares-too-few; dealing-inconsistent naming the dealer
 */
export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { context, primitives, advertisements, survivors, holdersOf } = options;
  const isSurvivor = new Set(survivors);
  const keysOf = new Map(advertisements.map((ad) => [ad.party, ad]));
  const wrong = new Map<number, string>();
  const given = sharesByDealer(options, isSurvivor, wrong);
  const weights = rememberedWeights();
  const streams: MaskStream[] = [];
  for (const ad of advertisements) {
    const secret = await secretOf(ad, isSurvivor.has(ad.party) ? "seed" : "key", given.get(ad.party) ?? [], options, wrong, weights);
    if (isSurvivor.has(ad.party)) streams.push({ prk: maskSeed(context, secret), low: ad.party, high: ad.party, sign: -1 });
    else {
      const maskKey = await primitives.fromSecret(secret);
      // Masks that survivors put on for their pair with somebody who dropped out, and that nobody took off.
      for (const survivor of survivors) {
        if (!holdersOf(ad.party).has(survivor) && !holdersOf(survivor).has(ad.party)) continue;
        const shared = await primitives.agree(maskKey, keysOf.get(survivor)!.maskKey);
        if (shared === undefined) throw new SecAggViolation("malformed", `Party ${survivor} advertised a mask key of small order.`, survivor);
        const [low, high] = survivor < ad.party ? [survivor, ad.party] : [ad.party, survivor];
        // The survivor added the mask when its place is the lower one.
        streams.push({ prk: maskSeed(context, shared), low, high, sign: survivor === low ? -1 : 1 });
        shared.fill(0);
      }
    }
    secret.fill(0);
  }
  return { streams, wrong };
}

/** A share with who gave it. */
interface GivenShare extends RevealedShare {
  readonly holder: number;
}

/** Shares of the kind that is due, by dealer; a holder of another kind, of a dealer that it holds nothing of, or of another form is named. */
function sharesByDealer(
  { answers, holdersOf, advertisements }: RecoverOptions,
  isSurvivor: ReadonlySet<number>,
  wrong: Map<number, string>,
): ReadonlyMap<number, readonly GivenShare[]> {
  const byDealer = new Map<number, Map<number, GivenShare>>(advertisements.map(({ party }) => [party, new Map()]));
  for (const { holder, shares } of answers) {
    for (const share of shares) {
      const { dealer, kind } = share;
      const given = byDealer.get(dealer);
      if (given === undefined || !holdersOf(dealer).has(holder)) wrong.set(holder, `gave a share of party ${dealer}, of whom it holds none`);
      else if (kind !== (isSurvivor.has(dealer) ? "seed" : "key")) wrong.set(holder, `gave the wrong kind of share of party ${dealer}`);
      else if (share.share.length !== SHARE_BYTES) wrong.set(holder, `gave a share of party ${dealer} that has ${share.share.length} bytes`);
      else if (given.has(holder)) wrong.set(holder, `gave two shares of party ${dealer}`);
      else given.set(holder, { ...share, holder });
    }
  }
  return new Map([...byDealer].map(([dealer, given]) => [dealer, [...given.values()].toSorted((a, b) => a.holder - b.holder)]));
}

/** The secret of a dealer. Signatures are looked at only where the first shares do not give what the dealer committed to: they say whose fault it is. */
async function secretOf(
  ad: Advertisement,
  kind: ShareKind,
  given: readonly GivenShare[],
  options: RecoverOptions,
  wrong: Map<number, string>,
  weights: (holders: readonly number[]) => Uint32Array,
): Promise<Uint8Array> {
  const { context, threshold, directory, primitives } = options;
  const what = kind === "seed" ? "the mask seed" : "the mask key";
  const enough = (shares: readonly GivenShare[]): readonly GivenShare[] => {
    if (shares.length >= threshold) return shares.slice(0, threshold);
    throw new SecAggViolation(
      "shares-too-few",
      `${shares.length} usable shares of ${what} of party ${ad.party} came; ${threshold} are needed.`,
      ad.party,
    );
  };
  const tried = async (shares: readonly GivenShare[]): Promise<Uint8Array | undefined> => {
    const secret = recombined(shares, weights);
    if (secret === undefined) return undefined;
    const isIt =
      kind === "seed"
        ? equal(seedCommitment(context, ad.party, secret), ad.seedCommitment)
        : equal((await primitives.fromSecret(secret)).publicKey, ad.maskKey);
    return isIt ? secret : undefined;
  };
  const first = await tried(enough(given));
  if (first !== undefined) return first;

  const dealerKey = entryOf(directory, ad.party).key;
  const signed: GivenShare[] = [];
  for (const share of given) {
    if (await isRevealed(context, share.holder, share, dealerKey)) signed.push(share);
    else wrong.set(share.holder, `gave a share of party ${ad.party} that it did not deal`);
  }
  const second = await tried(enough(signed));
  if (second !== undefined) return second;
  throw new SecAggViolation("dealing-inconsistent", `The shares that party ${ad.party} signed do not give ${what} that it committed to.`, ad.party);
}

function recombined(shares: readonly GivenShare[], weights: (holders: readonly number[]) => Uint32Array): Uint8Array | undefined {
  try {
    return recombine(shares, weights(shares.map(({ holder }) => holder)));
  } catch (error) {
    // An element beyond the field is no share of anybody.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Weights of one set of holders after the other: in a complete graph they are the same for every dealer. */
function rememberedWeights(): (holders: readonly number[]) => Uint32Array {
  let last: { readonly key: string; readonly weights: Uint32Array } | undefined;
  return (holders) => {
    const key = holders.join();
    if (last?.key !== key) last = { key, weights: lagrangeAtZero(holders) };
    return last.weights;
  };
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
