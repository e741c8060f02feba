/**
 * One party of a sum, as a state machine: SecAgg+ against a coordinator that may be malicious and collude with some of the parties.
 * Sources: Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine Learning" (CCS 2017), Figure 4 with its "ConsistencyCheck";
 * Bell et al., "Secure Single-Server Aggregation with (Poly)Logarithmic Overhead" (CCS 2020), Algorithm 4: neighbours that each party draws itself.
 *
 * What the coordinator learns of a party's vector is its part in one sum of at least `quorum` parties and `kMin` organisations, as long as no more parties collude
 * with it than the parameters assume, Ed25519 signatures cannot be forged, X25519 is hard (gap Diffie-Hellman), HKDF-SHA-256 and AES-128 are pseudorandom and SHA-256 is collision resistant: 128 bits
 * each; the bound of a sampled graph is statistical, 2^−40. It says nothing of what the sum itself tells, nor against parties that send garbage.
 *
 * Every message of the coordinator is checked before anything secret is done, and each is taken once, in this order:
 *
 * ```text
 * advertise → enrol → deal → mask → agree → unmask
 * ```
 *
 * A violation ends the machine: it wipes its secrets and answers nothing any more.
 *
 * @module
 */
import type { SigningKey } from "../keys/index.ts";
import type { AgreementKey } from "../hpke/index.ts";
import { merkleTree } from "../merkle/index.ts";
import { maskSeed, type MaskStream, maskVector, type Ring } from "./masking/index.ts";
import {
  type Advertisement,
  advertisementEntry,
  isAdvertised,
  isInCohort,
  type ProvenAdvertisement,
  seedCommitment,
  signAdvertisement,
} from "./messages/advertisement.ts";
import {
  areDealt,
  type DealtShares,
  packShares,
  reveal,
  type RevealedShare,
  type SealedShares,
  SHARE_INFO,
  shareAad,
  signShares,
  unpackShares,
} from "./messages/share.ts";
import { hasSigned, signSurvivors, type SurvivorList, type SurvivorSignature } from "./messages/survivors.ts";
import { drawHolders, placesOf, type SecAggParameters } from "./parameters/index.ts";
import type { SecAggPrimitives } from "./primitives.ts";
import { checkCohort, checkSurvivors, type Directory, entryOf, type SumRules } from "./rules.ts";
import { splitSecret } from "./shamir/index.ts";
import { SecAggViolation } from "./violation.ts";

/** Bytes of seeds and keys: 256 bit. */
const SECRET_BYTES = 32;

export interface ParticipantOptions {
  /** Of `attemptContext`, which the party makes of its own task. */
  readonly context: Uint8Array;
  /** The party's place in the plan's list. */
  readonly party: number;
  readonly identity: SigningKey;
  readonly directory: Directory;
  readonly rules: SumRules;
  readonly primitives: SecAggPrimitives;
  /** X25519 pair for sealing and opening shares; a fresh one when absent. The one secret that may live as long as the run. */
  readonly shareKeys?: AgreementKey;
}

/** The cohort as the coordinator announces it to everybody. */
export interface CohortAnnouncement {
  /** Bitmap over the plan's list. */
  readonly members: Uint8Array;
  /** Merkle root over their keys, in the order of their places. */
  readonly root: Uint8Array;
}

/** Shares of one dealer on their way to one holder. */
export interface AddressedShares extends SealedShares {
  /** The holder's place. */
  readonly holder: number;
}

/** Shares that arrived. */
export interface ReceivedShares extends SealedShares {
  /** The dealer's place. */
  readonly dealer: number;
}

/** What a party needs before it masks. */
export interface Inbox {
  /** Who dealt shares: bitmap over the plan's list. */
  readonly dealers: Uint8Array;
  /** Shares for this party. */
  readonly shares: readonly ReceivedShares[];
  /** Keys of dealers that this party has not drawn itself, proven; none in a complete graph. */
  readonly advertisements: readonly ProvenAdvertisement[];
}

/** The masked vector of a party, and whose shares were of no use to it. */
export interface MaskedVector {
  /** Packed in the ring. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Dealers whose shares did not open, or were not signed: this party holds nothing of theirs. */
  readonly unusable: readonly number[];
}

/** One party in one attempt at a sum. */
export interface Participant {
  /** Makes fresh keys. */
  advertise(): Promise<Advertisement>;
  /** Checks who takes part, and says whose keys are needed: of everybody else in a complete graph, of the drawn holders in a sampled one. */
  enrol(announcement: CohortAnnouncement): readonly number[];
  /** Checks keys against the root, its own among them, and deals shares. */
  deal(advertisements: readonly ProvenAdvertisement[]): Promise<readonly AddressedShares[]>;
  /** Opens shares and masks the vector. */
  mask(inbox: Inbox, vector: Int8Array | Int16Array | Int32Array, ring: Ring, into?: Uint8Array<ArrayBuffer>): Promise<MaskedVector>;
  /** Checks and signs whose vectors are added. */
  agree(survivors: Uint8Array): Promise<SurvivorSignature>;
  /** Gives away one share of each dealer, once enough holders signed the same list. */
  unmask(signatures: readonly SurvivorSignature[]): Promise<readonly RevealedShare[]>;
  /** Forgets every secret. Nothing is answered afterwards. */
  wipe(): void;
}

type Step = "advertise" | "enrol" | "deal" | "mask" | "agree" | "unmask" | "over";

/** A party at the beginning of an attempt. */
export function createParticipant(options: ParticipantOptions): Participant {
  const { context, party, identity, directory, rules, primitives } = options;
  let next: Step = "advertise";
  let isWiped = false;

  // What is known of the attempt so far.
  let own: Advertisement | undefined;
  /** Rank by place of everybody in the cohort. */
  let members: ReadonlyMap<number, number> = new Map();
  let root = new Uint8Array();
  let parameters: SecAggParameters | undefined;
  /** Who holds this party's shares. */
  let holders: ReadonlySet<number> = new Set();
  const known = new Map<number, Advertisement>();
  let list: SurvivorList | undefined;

  // Secrets, wiped as soon as nothing needs them.
  let maskSecret = new Uint8Array();
  let seed = new Uint8Array();
  let shareKeys: AgreementKey;
  const held = new Map<number, DealtShares>();

  function wipe(): void {
    isWiped = true;
    next = "over";
    maskSecret.fill(0);
    seed.fill(0);
    for (const { seedShare, keyShare } of held.values()) {
      seedShare.fill(0);
      keyShare.fill(0);
    }
    held.clear();
  }

  /** Takes a step in its turn. Whatever goes wrong in it ends the machine. */
  function inTurn<T>(step: Step, then: Step, action: () => T): T {
    if (next !== step) {
      if (step === "unmask" && next === "over")
        throw new SecAggViolation("already-answered", "This attempt is over: its shares are given away or wiped.");
      throw new SecAggViolation("out-of-order", `"${step}" is not due; ${next === "over" ? "the attempt is over" : `"${next}" is`}.`);
    }
    // Nothing can come between: a step that waits holds its turn.
    next = "over";
    const failed = (error: unknown): never => {
      wipe();
      throw error;
    };
    try {
      const result = action();
      const succeeded = <R>(value: R): R => {
        if (!isWiped) next = then;
        return value;
      };
      return result instanceof Promise ? (result.then(succeeded, failed) as T) : succeeded(result);
    } catch (error) {
      return failed(error);
    }
  }

  /** Takes keys of a party into account once the root and the roster vouch for them. */
  async function learn(ad: ProvenAdvertisement): Promise<void> {
    const rank = members.get(ad.party);
    if (rank === undefined || !isInCohort(ad, rank, members.size, root)) {
      throw new SecAggViolation("keys-swapped", `The keys shown for party ${ad.party} are not those that the cohort's root contains.`, ad.party);
    }
    await vouched(ad);
  }

  async function vouched(ad: Advertisement): Promise<void> {
    if (ad.party === party) return sameKeys(ad);
    if (!(await isAdvertised(context, ad, entryOf(directory, ad.party).key))) {
      throw new SecAggViolation("signature-invalid", `Party ${ad.party} did not sign the keys shown for it in this attempt.`, ad.party);
    }
    known.set(ad.party, ad);
  }

  function sameKeys(ad: Advertisement): void {
    const same =
      own !== undefined && equal(ad.maskKey, own.maskKey) && equal(ad.shareKey, own.shareKey) && equal(ad.seedCommitment, own.seedCommitment);
    if (!same) throw new SecAggViolation("own-keys-swapped", "The cohort has this party with keys that it did not advertise.", party);
  }

  async function dealTo(holder: number, dealt: Omit<DealtShares, "signature">): Promise<AddressedShares> {
    const signed = await signShares(context, { dealer: party, holder }, dealt, identity);
    const plaintext = packShares(signed);
    try {
      const bound = { info: SHARE_INFO, aad: shareAad(context, party, holder) };
      return { holder, ...(await primitives.seal({ recipient: known.get(holder)!.shareKey, sender: shareKeys, ...bound, plaintext })) };
    } catch (error) {
      if (error instanceof RangeError)
        throw new SecAggViolation("malformed", `Party ${holder} advertised a share key that nothing can be sealed for.`, holder);
      throw error;
    } finally {
      plaintext.fill(0);
    }
  }

  /** What a dealer dealt; undefined when it is of no use. */
  async function open({ dealer, enc, ciphertext }: ReceivedShares): Promise<DealtShares | undefined> {
    const plaintext = await primitives.open({
      ...{ recipient: shareKeys, sender: known.get(dealer)!.shareKey, enc, info: SHARE_INFO, aad: shareAad(context, dealer, party), ciphertext },
    });
    const dealt = plaintext === undefined ? undefined : unpackShares(plaintext);
    plaintext?.fill(0);
    if (dealt === undefined || !(await areDealt(context, dealer, party, dealt, entryOf(directory, dealer).key))) return undefined;
    return dealt;
  }

  return {
    wipe,

    advertise: () =>
      inTurn("advertise", "enrol", async () => {
        maskSecret = primitives.randomBytes(SECRET_BYTES);
        seed = primitives.randomBytes(SECRET_BYTES);
        shareKeys = options.shareKeys ?? (await freshKeys(primitives));
        const { publicKey: maskKey } = await primitives.fromSecret(maskSecret);
        const keys = { party, maskKey, shareKey: shareKeys.publicKey, seedCommitment: seedCommitment(context, party, seed) };
        own = await signAdvertisement(context, keys, identity);
        return own;
      }),

    enrol: (announcement) =>
      inTurn("enrol", "deal", () => {
        const places = setOf(announcement.members, directory.size);
        members = new Map(places.map((place, rank) => [place, rank]));
        const rank = members.get(party);
        if (rank === undefined) throw new SecAggViolation("own-keys-swapped", "The cohort lacks this party.", party);
        parameters = checkCohort(places, rules, directory);
        root = Uint8Array.from(announcement.root);
        if (parameters.graph === "complete") {
          holders = new Set(places);
          return places.filter((other) => other !== party);
        }
        const ranks = drawHolders(places.length, rank, parameters.holders, primitives.randomBytes);
        holders = new Set(Array.from(ranks, (drawn) => places[drawn]!));
        return [...holders];
      }),

    deal: (advertisements) =>
      inTurn("deal", "mask", async () => {
        const { graph, threshold } = parameters!;
        if (graph === "complete") {
          checkWholeCohort(advertisements, [...members.keys()], root);
          for (const ad of advertisements) await vouched(ad);
        } else for (const ad of advertisements) await learn(ad);
        if (!advertisements.some((ad) => ad.party === party)) {
          throw new SecAggViolation("own-keys-swapped", "Nothing shows that the cohort has this party with its own keys.", party);
        }
        for (const holder of holders) {
          if (holder !== party && !known.has(holder)) throw new SecAggViolation("malformed", `The keys of party ${holder} are missing.`);
        }
        const places = [...holders];
        const seedShares = splitSecret(seed, threshold, places, primitives.randomBytes);
        const keyShares = splitSecret(maskSecret, threshold, places, primitives.randomBytes);
        const sealed: AddressedShares[] = [];
        for (const [index, holder] of places.entries()) {
          const dealt = { seedShare: seedShares[index]!, keyShare: keyShares[index]! };
          if (holder === party) held.set(party, await signShares(context, { dealer: party, holder }, dealt, identity));
          else {
            sealed.push(await dealTo(holder, dealt));
            dealt.seedShare.fill(0);
            dealt.keyShare.fill(0);
          }
        }
        return sealed;
      }),

    mask: ({ dealers: dealerMap, shares, advertisements }, vector, ring, into) =>
      inTurn("mask", "agree", async () => {
        const { graph, threshold, mostChosenBy } = parameters!;
        const dealers = setOf(dealerMap, directory.size);
        if (dealers.some((dealer) => !members.has(dealer))) throw new SecAggViolation("sets-contradict", "Somebody dealt who is not in the cohort.");
        if (!dealers.includes(party)) throw new SecAggViolation("counted-as-dropped", "This party dealt, and is not counted as a dealer.", party);
        const answering = dealers.filter((dealer) => holders.has(dealer)).length;
        if (answering < threshold) {
          throw new SecAggViolation("dealers-too-few", `${answering} of this party's holders are left; ${threshold} are needed to unmask.`);
        }
        checkSurvivors(dealers, parameters!, rules, directory);
        if (shares.length > mostChosenBy) {
          throw new SecAggViolation("chosen-too-often", `${shares.length} parties want this one as a holder; chance allows ${mostChosenBy}.`);
        }
        if (graph === "sampled") for (const ad of advertisements) if (!known.has(ad.party)) await learn(ad);
        list = { root, dealers: Uint8Array.from(dealerMap), survivors: new Uint8Array() };

        const dealerSet = new Set(dealers);
        const unusable: number[] = [];
        const senders = new Set<number>();
        for (const received of shares) {
          const { dealer } = received;
          if (dealer === party || senders.has(dealer) || !dealerSet.has(dealer) || !known.has(dealer)) {
            throw new SecAggViolation("malformed", `Shares of party ${dealer} came twice, unasked, or without its keys.`, dealer);
          }
          senders.add(dealer);
          const dealt = await open(received);
          if (dealt === undefined) unusable.push(dealer);
          else held.set(dealer, dealt);
        }
        // In a complete graph everybody deals to everybody; in a sampled one a dealer's share is what tells that it drew this party.
        if (graph === "complete") {
          const silent = dealers.find((dealer) => dealer !== party && !senders.has(dealer));
          if (silent !== undefined) throw new SecAggViolation("share-missing", `The shares of party ${silent} are missing.`, silent);
        }

        const streams: MaskStream[] = [{ prk: maskSeed(context, seed), low: party, high: party, sign: 1 }];
        const maskKey = await primitives.fromSecret(maskSecret);
        for (const neighbour of dealers) {
          if (neighbour !== party && (holders.has(neighbour) || senders.has(neighbour))) streams.push(await pairMask(maskKey, neighbour));
        }
        const bytes = await maskVector({ kernel: primitives.kernel, keystream: primitives.keystream, ring, vector, streams, ...(into && { into }) });
        for (const { prk } of streams) prk.fill(0);
        // From here on others can take the masks off; this party cannot.
        maskSecret.fill(0);
        seed.fill(0);
        return { bytes, unusable };
      }),

    agree: (survivorMap) =>
      inTurn("agree", "unmask", async () => {
        const survivors = setOf(survivorMap, directory.size);
        const dealers = new Set(placesOf(list!.dealers, directory.size));
        if (survivors.some((survivor) => !dealers.has(survivor)))
          throw new SecAggViolation("sets-contradict", "A survivor is named who dealt no shares.");
        if (!survivors.includes(party)) {
          throw new SecAggViolation("counted-as-dropped", "This party sent its masked vector, and is counted as dropped.", party);
        }
        checkSurvivors(survivors, parameters!, rules, directory);
        list = { ...list!, survivors: Uint8Array.from(survivorMap) };
        return signSurvivors(context, list, party, identity);
      }),

    unmask: (signatures) =>
      inTurn("unmask", "over", async () => {
        const survivors = new Set(placesOf(list!.survivors, directory.size));
        const signers = new Set<number>();
        for (const signed of signatures) {
          // Signatures of others than holders are no reason to believe that the holders saw the same.
          if (signers.has(signed.party) || !holders.has(signed.party) || !survivors.has(signed.party)) continue;
          if (await hasSigned(context, list!, signed, entryOf(directory, signed.party).key)) signers.add(signed.party);
        }
        const { threshold } = parameters!;
        if (signers.size < threshold) {
          throw new SecAggViolation(
            "views-differ",
            `${signers.size} of this party's holders signed the same cohort, dealers and survivors; ${threshold} are needed before anything is unmasked.`,
          );
        }
        const revealed = [...held].map(([dealer, dealt]) => reveal(dealer, survivors.has(dealer) ? "seed" : "key", dealt));
        wipe();
        return revealed;
      }),
  };

  async function pairMask(maskKey: AgreementKey, neighbour: number): Promise<MaskStream> {
    const shared = await primitives.agree(maskKey, known.get(neighbour)!.maskKey);
    if (shared === undefined) throw new SecAggViolation("malformed", `Party ${neighbour} advertised a mask key of small order.`, neighbour);
    const [low, high] = party < neighbour ? [party, neighbour] : [neighbour, party];
    const prk = maskSeed(context, shared);
    shared.fill(0);
    return { prk, low, high, sign: party === low ? 1 : -1 };
  }
}

async function freshKeys(primitives: SecAggPrimitives): Promise<AgreementKey> {
  const secret = primitives.randomBytes(SECRET_BYTES);
  const keys = await primitives.fromSecret(secret);
  secret.fill(0);
  return keys;
}

/** In a complete graph everybody knows all keys, and needs no proofs. */
function checkWholeCohort(advertisements: readonly Advertisement[], members: readonly number[], root: Uint8Array): void {
  const sorted = advertisements.toSorted((a, b) => a.party - b.party);
  const complete = sorted.length === members.length && sorted.every((ad, rank) => ad.party === members[rank]);
  if (!complete || !equal(merkleTree(sorted.map(advertisementEntry)).root, root)) {
    throw new SecAggViolation("keys-swapped", "The keys shown are not those of the announced cohort.");
  }
}

function setOf(bitmap: Uint8Array, size: number): readonly number[] {
  try {
    return placesOf(bitmap, size);
  } catch (error) {
    throw new SecAggViolation(
      "malformed",
      `A set of parties is no bitmap over ${size} places: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
