import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { SumFixture } from "./coordinator.fixture.ts";
import { checkAdvertisement, checkAgreement, checkDealing, type RevealedShare, SecAggViolation } from "./index.ts";
import { nodeSecAgg } from "./node.ts";
import { signShares } from "./messages/share.ts";

const LENGTH = 20;
const primitives = await nodeSecAgg();
const vectors = Array.from({ length: 7 }, (_, party) => Int16Array.from({ length: LENGTH }, (_, i) => 1_000 * party - i));

/** Seven parties, five of whose shares give a secret back; party 6 drops out after dealing. */
async function unmasked(): Promise<SumFixture> {
  const sum = await SumFixture.create({ parties: 7, primitives });
  await sum.advertise();
  sum.enrol();
  await sum.deal();
  await sum.mask(vectors, [0, 1, 2, 3, 4, 5]);
  await sum.agree();
  await sum.unmask();
  return sum;
}

const expected = Array.from({ length: LENGTH }, (_, i) => BigInt(15_000 - 6 * i));
const total = async (sum: SumFixture) => sum.total((await sum.recover()).streams, LENGTH);

/** Changes what a holder answered of one dealer. */
function change(sum: SumFixture, holder: number, dealer: number, changed: (share: RevealedShare) => RevealedShare | undefined): void {
  const index = sum.answers.findIndex((answer) => answer.holder === holder);
  const shares = sum.answers[index]!.shares.flatMap((share) => (share.dealer === dealer ? (changed(share) ?? []) : share));
  sum.answers[index] = { holder, shares };
}

async function violation(action: () => Promise<unknown>) {
  const error = await action().then(
    () => new Error("Nothing was refused."),
    (thrown: Error) => thrown,
  );
  if (!(error instanceof SecAggViolation)) throw error;
  return { reason: error.reason, party: error.party };
}

it("is exact, also when a holder answers nothing", async () => {
  const sum = await unmasked();
  expect(await total(sum)).toEqual(expected);
  sum.answers.pop();
  expect(await total(sum)).toEqual(expected);
});

describe("a holder that answers wrongly is named, and the sum goes on without it", () => {
  it.each([
    ["another value", (share: RevealedShare) => ({ ...share, share: share.share.with(0, share.share[0]! ^ 1) })],
    ["a value beyond the field", (share: RevealedShare) => ({ ...share, share: share.share.with(2, 255) })],
    ["another hash", (share: RevealedShare) => ({ ...share, share: share.share.with(3, share.share[3]! ^ 1), otherHash: sha256(share.share) })],
    ["a share that is cut off", (share: RevealedShare) => ({ ...share, share: share.share.subarray(3) })],
    ["the other kind", (share: RevealedShare) => ({ ...share, kind: share.kind === "seed" ? ("key" as const) : ("seed" as const) })],
    ["a share of nobody", (share: RevealedShare) => ({ ...share, dealer: 77 })],
  ])("%s", async (_, changed) => {
    for (const dealer of [2, 6]) {
      const sum = await unmasked();
      change(sum, 1, dealer, changed);
      const { wrong } = await sum.recover();
      expect([...wrong.keys()]).toEqual([1]);
      expect(await total(sum)).toEqual(expected);
    }
  });

  it("a share that its dealer dealt to another", async () => {
    const sum = await unmasked();
    const others = sum.answers[2]!.shares.find(({ dealer }) => dealer === 3)!;
    change(sum, 1, 3, () => others);
    expect([...(await sum.recover()).wrong.keys()]).toEqual([1]);
    expect(await total(sum)).toEqual(expected);
  });
});

it("has too few shares when too many are silent or wrong", async () => {
  const sum = await unmasked();
  for (const holder of [0, 1]) change(sum, holder, 3, () => undefined);
  expect(await violation(() => sum.recover())).toEqual({ reason: "shares-too-few", party: 3 });
  const wrong = await unmasked();
  // Not in the first limb: X25519 clamps its lowest bits, so that another value can be as good a secret of the same key.
  for (const holder of [0, 1]) change(wrong, holder, 6, (share) => ({ ...share, share: share.share.with(3, share.share[3]! ^ 1) }));
  expect(await violation(() => wrong.recover())).toEqual({ reason: "shares-too-few", party: 6 });
});

it("names a dealer whose signed shares do not fit what it committed to", async () => {
  for (const [dealer, kind] of [
    [2, "seed"],
    [6, "key"],
  ] as const) {
    const sum = await unmasked();
    const dealt = { seedShare: new Uint8Array(48), keyShare: new Uint8Array(48) };
    const signed = await signShares(sum.context, { dealer, holder: 1 }, dealt, sum.identities[dealer]!);
    change(sum, 1, dealer, () => ({ dealer, kind, share: dealt.seedShare, otherHash: sha256(dealt.keyShare), signature: signed.signature }));
    expect(await violation(() => sum.recover())).toEqual({ reason: "dealing-inconsistent", party: dealer });
  }
});

describe("what the coordinator passes on", () => {
  it("are keys that their party signed for this attempt, and that nobody can guess", async () => {
    const sum = await SumFixture.create({ parties: 3, primitives });
    const ad = await sum.participants[1]!.advertise();
    const check = (changed: Partial<typeof ad>) => violation(() => checkAdvertisement(sum.context, { ...ad, ...changed }, sum.directory, primitives));
    await checkAdvertisement(sum.context, ad, sum.directory, primitives);
    expect(await check({ party: 2 })).toEqual({ reason: "signature-invalid", party: 2 });
    expect(await check({ party: 9 })).toEqual({ reason: "party-unknown", party: 9 });
    expect(await check({ maskKey: ad.shareKey })).toEqual({ reason: "signature-invalid", party: 1 });
    expect(await check({ maskKey: ad.maskKey.subarray(1) })).toEqual({ reason: "signature-invalid", party: 1 });
    expect(await violation(() => checkAdvertisement(new Uint8Array(32), ad, sum.directory, primitives))).toMatchObject({
      reason: "signature-invalid",
    });
    const guessed = await sum.signedKeys(1, { ...ad, maskKey: new Uint8Array(32) });
    expect(await violation(() => checkAdvertisement(sum.context, guessed, sum.directory, primitives))).toEqual({ reason: "malformed", party: 1 });
  });

  it("are shares for every holder, once", async () => {
    const sum = await SumFixture.create({ parties: 4, primitives });
    await sum.advertise();
    sum.enrol();
    await sum.deal();
    const dealt = sum.dealings.get(0)!;
    const holders = new Set([0, 1, 2, 3]);
    expect(() => checkDealing(0, dealt, holders)).not.toThrow();
    const bad = [
      dealt.slice(1),
      [...dealt, dealt[0]!],
      dealt.with(0, dealt[1]!),
      dealt.with(0, { ...dealt[0]!, holder: 0 }),
      dealt.with(0, { ...dealt[0]!, holder: 7 }),
      dealt.with(0, { ...dealt[0]!, ciphertext: new Uint8Array(1_000_000) }),
      dealt.with(0, { ...dealt[0]!, enc: new Uint8Array() }),
    ];
    for (const shares of bad)
      expect(() => checkDealing(0, shares, holders)).toThrow(expect.objectContaining({ reason: "malformed", party: 0 }) as Error);
  });

  it("are signatures of the list, by who signed", async () => {
    const sum = await SumFixture.create({ parties: 3, primitives });
    await sum.advertise();
    sum.enrol();
    await sum.deal();
    await sum.mask(vectors);
    await sum.agree();
    const signed = sum.signatures[0]!;
    const check = (list = sum.list!, other = signed) => violation(() => checkAgreement(sum.context, list, other, sum.directory));
    expect(await check({ ...sum.list!, root: new Uint8Array(32) })).toEqual({ reason: "signature-invalid", party: 0 });
    expect(await check(sum.list, { ...signed, party: 1 })).toEqual({ reason: "signature-invalid", party: 1 });
  });
});
