// Test vectors of a whole sum: see secagg.vectors.ts.
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { nodeHpke } from "../hpke/node.ts";
import { canonicalBytes, importSigningKey, verify } from "../keys/index.ts";
import {
  attemptContext,
  bitmapOf,
  cohortOf,
  createParticipant,
  type Directory,
  maskSeed,
  recover,
  ringFor,
  type SecAggPrimitives,
  type SumRules,
  unmaskSum,
} from "./index.ts";
import { chunkKey } from "./masking/mask-key.ts";
import { advertisementBytes, advertisementEntry, isInCohort, seedCommitment } from "./messages/advertisement.ts";
import { areDealt, packShares, SHARE_INFO, shareAad, unpackShares } from "./messages/share.ts";
import { nodeSecAgg } from "./node.ts";
import { ATTEMPT, COHORT, CONTEXT, DEALING, MASKED, PAIR_MASK, PARTIES, SURVIVORS } from "./secagg.vectors.ts";
import { recombine, splitSecret } from "./shamir/index.ts";

const node = await nodeSecAgg();
const context = attemptContext(ATTEMPT);
const identities = await Promise.all(PARTIES.map(({ identitySeed }) => importSigningKey(hexToBytes(identitySeed))));
const directory: Directory = {
  size: PARTIES.length,
  of: (party) => identities[party] && { key: identities[party].publicKey, organisation: `org-${party}` },
};
const rules: SumRules = { kMin: 3, quorum: 3, assumptions: { corruption: 1 / 3, dropout: 0.1 } };
const vectors = MASKED.vectors.map((vector) => Int16Array.from(vector));
const ring = ringFor(32_767, PARTIES.length);
const everybody = [0, 1, 2];

/** Gives these bytes, one after the other, filled up with ones to what is asked for: no element of the field is made of ones. Then goes on by SHA-256. */
function scripted(label: string, ...script: readonly Uint8Array[]): SecAggPrimitives["randomBytes"] {
  let calls = 0;
  return (length) => {
    const next = script[calls++];
    if (next === undefined) return Uint8Array.from({ length }, (_, i) => sha256(canonicalBytes(label, [BigInt(calls), BigInt(i)]))[0]!);
    expect(next.length).toBeLessThanOrEqual(length);
    const bytes = new Uint8Array(length).fill(0xff);
    bytes.set(next);
    return bytes;
  };
}

/** Draws of a polynomial: the ones of degree 0, which the secret replaces, and the coefficients. */
const drawn = (coefficients: string) => concatBytes(new Uint8Array(48), hexToBytes(coefficients));

const participants = PARTIES.map(({ maskSecret, seed, shareSecret }, party) => {
  const secrets = [maskSecret, seed, shareSecret].map(hexToBytes);
  const polynomials = party === DEALING.dealer ? [DEALING.seedCoefficients, DEALING.keyCoefficients].map(drawn) : [];
  const primitives = { ...node, randomBytes: scripted(`party ${party}`, ...secrets, ...polynomials) };
  return createParticipant({ context, party, identity: identities[party]!, directory, rules, primitives });
});

it("context", () => {
  const { runId, kind, round, attempt, planHash, baseModelHash } = ATTEMPT;
  const bytes = canonicalBytes("ciphernx.secagg.v1/attempt", [runId, kind, BigInt(round), BigInt(attempt), planHash, baseModelHash]);
  expect(bytesToHex(bytes)).toBe(CONTEXT.bytes);
  expect(bytesToHex(context)).toBe(CONTEXT.sha256);
});

describe("dealing", () => {
  const { dealer, threshold, sealed } = DEALING;
  const { maskSecret, seed, shareSecret, shareKey } = PARTIES[dealer];
  const shares = (secret: string, coefficients: string) =>
    splitSecret(hexToBytes(secret), threshold, everybody, scripted("", drawn(coefficients))).map(bytesToHex);
  const dealtTo = (holder: number) => {
    const { seedShare, keyShare, signature } = DEALING.holders[holder]!;
    return { seedShare: hexToBytes(seedShare), keyShare: hexToBytes(keyShare), signature: hexToBytes(signature) };
  };

  it("shares", () => {
    expect(shares(seed, DEALING.seedCoefficients)).toEqual(DEALING.holders.map(({ seedShare }) => seedShare));
    expect(shares(maskSecret, DEALING.keyCoefficients)).toEqual(DEALING.holders.map(({ keyShare }) => keyShare));
  });

  it("what they give back", () => {
    const held = (kind: "seedShare" | "keyShare") => everybody.map((holder) => ({ holder, share: dealtTo(holder)[kind] }));
    expect(bytesToHex(recombine(held("seedShare"))!)).toBe(seed);
    expect(bytesToHex(recombine(held("keyShare"))!)).toBe(maskSecret);
  });

  it("what the dealer signs", async () => {
    for (const holder of everybody) expect(await areDealt(context, dealer, holder, dealtTo(holder), identities[dealer]!.publicKey)).toBe(true);
    const { signature } = dealtTo(0);
    expect(await verify(identities[dealer]!.publicKey, hexToBytes(DEALING.signedBytes), signature)).toBe(true);
    expect(await areDealt(context, dealer, 1, dealtTo(0), identities[dealer]!.publicKey)).toBe(false);
  });

  it("what is sealed", async () => {
    const { holder, ephemeralSecret, info, aad, enc, ciphertext } = sealed;
    expect(new TextDecoder().decode(SHARE_INFO)).toBe(info);
    expect(bytesToHex(shareAad(context, dealer, holder))).toBe(aad);
    const sender = await node.fromSecret(hexToBytes(shareSecret));
    const recipient = await node.fromSecret(hexToBytes(PARTIES[holder].shareSecret));
    const bound = { info: SHARE_INFO, aad: hexToBytes(aad) };
    const made = await nodeHpke(await node.fromSecret(hexToBytes(ephemeralSecret))).seal({
      ...{ ...bound, sender, recipient: recipient.publicKey, plaintext: packShares(dealtTo(holder)) },
    });
    expect(bytesToHex(made.enc)).toBe(enc);
    expect(bytesToHex(made.ciphertext)).toBe(ciphertext);
    const opened = await node.open({ ...bound, recipient, sender: hexToBytes(shareKey), enc: hexToBytes(enc), ciphertext: hexToBytes(ciphertext) });
    expect(unpackShares(opened!)).toEqual(dealtTo(holder));
  });
});

it("the mask of a pair", async () => {
  const shared = await node.agree(await node.fromSecret(hexToBytes(PARTIES[1].maskSecret)), hexToBytes(PARTIES[2].maskKey));
  expect(bytesToHex(shared!)).toBe(PAIR_MASK.shared);
  const prk = maskSeed(context, shared!);
  expect(bytesToHex(prk)).toBe(PAIR_MASK.prk);
  expect(bytesToHex(canonicalBytes("ciphernx.secagg.v1/mask", [1n, 2n, 0n]))).toBe(PAIR_MASK.info);
  const { key, counterBlock } = chunkKey({ prk, low: 1, high: 2 }, 0);
  expect(bytesToHex(key)).toBe(PAIR_MASK.key);
  expect(bytesToHex(counterBlock)).toBe(PAIR_MASK.counterBlock);
  const stream = new Uint8Array(32);
  await node.keystream.open(key, counterBlock, 0).generate(stream);
  expect(bytesToHex(stream)).toBe(PAIR_MASK.stream);
});

it("a sum, step by step", async () => {
  const advertisements = await Promise.all(participants.map((participant) => participant.advertise()));
  for (const [party, ad] of advertisements.entries()) {
    const wanted = PARTIES[party]!;
    expect(bytesToHex(identities[party]!.publicKey)).toBe(wanted.identityKey);
    expect(bytesToHex(ad.maskKey)).toBe(wanted.maskKey);
    expect(bytesToHex(ad.shareKey)).toBe(wanted.shareKey);
    expect(bytesToHex(ad.seedCommitment)).toBe(wanted.seedCommitment);
    expect(bytesToHex(seedCommitment(context, party, hexToBytes(wanted.seed)))).toBe(wanted.seedCommitment);
    expect(bytesToHex(advertisementBytes(context, ad))).toBe(wanted.signedBytes);
    expect(bytesToHex(ad.signature)).toBe(wanted.signature);
  }

  const cohort = cohortOf(advertisements);
  const proven = cohort.proven(1)!;
  expect(bytesToHex(advertisementEntry(proven))).toBe(COHORT.entry);
  expect(proven.proof.map(bytesToHex)).toEqual(COHORT.proof);
  expect(bytesToHex(cohort.root)).toBe(COHORT.root);
  expect(isInCohort({ ...advertisements[1]!, proof: COHORT.proof.map(hexToBytes) }, 1, 3, hexToBytes(COHORT.root))).toBe(true);

  const all = bitmapOf(PARTIES.length, everybody);
  expect(bytesToHex(all)).toBe(SURVIVORS.bitmap);
  for (const participant of participants) participant.enrol({ members: all, root: cohort.root });
  const dealt = await Promise.all(participants.map((participant) => participant.deal(everybody.map((party) => cohort.proven(party)!))));
  const inboxOf = (party: number) =>
    dealt.flatMap((shares, dealer) => shares.filter(({ holder }) => holder === party).map(({ enc, ciphertext }) => ({ dealer, enc, ciphertext })));

  expect(ring).toEqual({ bits: MASKED.bits, wordBytes: 4 });
  const masked: Uint8Array[] = [];
  for (const [party, participant] of participants.entries()) {
    const { bytes, unusable } = await participant.mask({ dealers: all, shares: inboxOf(party), advertisements: [] }, vectors[party]!, ring);
    expect(unusable).toEqual([]);
    masked.push(bytes);
  }
  expect(masked.map(bytesToHex)).toEqual(MASKED.packed);

  const signatures = await Promise.all(participants.map((participant) => participant.agree(all)));
  expect(signatures.map(({ signature }) => bytesToHex(signature))).toEqual(SURVIVORS.signatures);
  for (const [party, { signature }] of signatures.entries()) {
    expect(await verify(identities[party]!.publicKey, hexToBytes(SURVIVORS.signedBytes), signature)).toBe(true);
  }

  const answers = await Promise.all(participants.map(async (participant, holder) => ({ holder, shares: await participant.unmask(signatures) })));
  const ofDealer = answers.map(({ shares }) => shares.find(({ dealer }) => dealer === DEALING.dealer)!);
  expect(ofDealer.map(({ kind, share, signature }) => [kind, bytesToHex(share), bytesToHex(signature)])).toEqual(
    DEALING.holders.map(({ seedShare, signature }) => ["seed", seedShare, signature]),
  );
  expect(ofDealer.map(({ otherHash }) => bytesToHex(otherHash))).toEqual(
    DEALING.holders.map(({ keyShare }) => bytesToHex(sha256(hexToBytes(keyShare)))),
  );

  const { streams, wrong } = await recover({
    ...{ context, directory, primitives: node, advertisements, survivors: everybody, answers },
    threshold: DEALING.threshold,
    holdersOf: () => new Set(everybody),
  });
  expect(wrong.size).toBe(0);
  const sources = masked.map((bytes, party) => ({
    name: `party ${party}`,
    read: (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
  }));
  const sum: bigint[] = [];
  const { kernel, keystream } = node;
  for await (const tile of unmaskSum({ kernel, keystream, ring, sources, streams, length: vectors[0]!.length })) sum.push(...tile.sum);
  expect(sum.map(Number)).toEqual(MASKED.sum);
});
