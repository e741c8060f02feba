import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ATTEMPT, SumFixture, type SumFixtureOptions } from "./coordinator.fixture.ts";
import { bitmapOf, cohortOf, SecAggViolation } from "./index.ts";
import { nodeSecAgg } from "./node.ts";
import { signSurvivors } from "./messages/survivors.ts";

const LENGTH = 50;
const primitives = await nodeSecAgg();
const vectorsOf = (parties: number) =>
  Array.from({ length: parties }, () => Int16Array.from({ length: LENGTH }, () => (randomBytes(2).readUInt16LE() % 65_535) - 32_767));
const plainSum = (vectors: readonly Int16Array[], parties: readonly number[]) =>
  Array.from({ length: LENGTH }, (_, i) => parties.reduce((sum, party) => sum + BigInt(vectors[party]![i]!), 0n));
const start = (options: Omit<SumFixtureOptions, "primitives">) => SumFixture.create({ ...options, primitives });

const SAMPLED = { rules: { assumptions: { corruption: 0.1, dropout: 0.1 } } };

async function upToMasks(parties: number, survivors?: readonly number[], options: Partial<SumFixtureOptions> = {}, members?: readonly number[]) {
  const sum = await start({ parties, ...options });
  const vectors = vectorsOf(parties);
  await sum.advertise(members && [...members]);
  sum.enrol();
  await sum.deal();
  await sum.mask(vectors, survivors ?? sum.dealers);
  return { sum, vectors };
}

const total = async (sum: SumFixture) => sum.total((await sum.recover()).streams, LENGTH);

describe("an honest sum", () => {
  it.each([3, 4, 10])("of %d parties is exact", async (parties) => {
    const { sum, vectors } = await upToMasks(parties);
    await sum.agree();
    await sum.unmask();
    expect(await total(sum)).toEqual(plainSum(vectors, [...vectors.keys()]));
    expect(new Set([...sum.masked.values()].map((bytes) => bytes.join())).size).toBe(parties);
  });

  it("is exact without those who drop out, at every step", async () => {
    const sum = await start({ parties: 12 });
    const vectors = vectorsOf(12);
    await sum.advertise([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
    sum.enrol();
    await sum.deal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await sum.mask(vectors, [0, 1, 2, 3, 4, 5, 7, 8, 9]);
    await sum.agree([0, 1, 2, 3, 5, 7, 8, 9]);
    await sum.unmask([0, 1, 2, 3, 5, 7, 8, 9]);
    expect(await total(sum)).toEqual(plainSum(vectors, [...sum.masked.keys()]));
  });

  it("is exact in a sampled graph, with a tenth dropping out", async () => {
    const parties = 60;
    const sum = await start({ parties, ...SAMPLED });
    const vectors = vectorsOf(parties);
    await sum.advertise();
    sum.enrol();
    await sum.deal();
    await sum.mask(
      vectors,
      sum.dealers.filter((party) => party % 10 !== 3),
    );
    await sum.agree();
    await sum.unmask();
    expect([...sum.wanted.values()].every((holders) => holders.size < parties - 1)).toBe(true);
    expect(await total(sum)).toEqual(plainSum(vectors, [...sum.masked.keys()]));
  }, 60_000);
});

/** What a party answers with: the named reason of its refusal, and that it answers nothing afterwards. */
async function refusal(action: () => unknown): Promise<{ readonly reason: string; readonly party: number | undefined }> {
  try {
    await action();
  } catch (error) {
    if (error instanceof SecAggViolation) return { reason: error.reason, party: error.party };
    throw error;
  }
  throw new Error("Nothing was refused.");
}

async function upToDeal(parties: number, options: Partial<SumFixtureOptions> = {}) {
  const sum = await start({ parties, ...options });
  await sum.advertise();
  sum.enrol();
  return sum;
}

describe("a coordinator that swaps keys", () => {
  it("cannot show a party keys that another made up for it", async () => {
    const sum = await upToDeal(4);
    const forged = await sum.forgedKeys(2);
    const others = sum.cohort.advertisements.filter(({ party }) => party !== 2);
    sum.announce(cohortOf([...others, forged]));
    expect(await refusal(() => sum.participants[0]!.deal(sum.keysFor(0)))).toEqual({ reason: "keys-swapped", party: undefined });
    // Announced so from the start, the signature is missing.
    const again = await start({ parties: 4 });
    await again.advertise();
    again.announce(cohortOf([...again.cohort.advertisements.filter(({ party }) => party !== 2), await again.forgedKeys(2)]));
    again.enrol();
    expect(await refusal(() => again.participants[0]!.deal(again.keysFor(0)))).toEqual({ reason: "signature-invalid", party: 2 });
  });

  it("cannot replay keys of another attempt, or of another party", async () => {
    const earlier = await start({ parties: 4 });
    await earlier.advertise();
    const sum = await start({ parties: 4, identities: earlier.identities, attempt: () => ({ ...ATTEMPT, attempt: 2 }) });
    sum.use({ ...ATTEMPT, attempt: 2 });
    await sum.advertise();
    const replayed = earlier.cohort.advertisements[1]!;
    sum.announce(cohortOf(sum.cohort.advertisements.with(1, replayed)));
    sum.enrol();
    expect(await refusal(() => sum.participants[0]!.deal(sum.keysFor(0)))).toEqual({ reason: "signature-invalid", party: 1 });
    expect(await refusal(() => sum.participants[1]!.deal(sum.keysFor(1)))).toEqual({ reason: "own-keys-swapped", party: 1 });
    const foreign = await start({ parties: 4 });
    await foreign.advertise();
    foreign.announce(cohortOf(foreign.cohort.advertisements.with(1, { ...foreign.cohort.advertisements[2]!, party: 1 })));
    foreign.enrol();
    expect(await refusal(() => foreign.participants[0]!.deal(foreign.keysFor(0)))).toEqual({ reason: "signature-invalid", party: 1 });
  });

  it("cannot show different keys of one party to different parties: the holders sign different roots", async () => {
    const sum = await start({ parties: 7 });
    await sum.advertise();
    const honest = sum.cohort;
    // Party 6 colludes: it signs a second set of keys.
    const second = await sum.advertiseAgain(6);
    const other = cohortOf(honest.advertisements.with(6, second.advertisement));
    for (const party of [0, 1, 2, 3, 4, 5]) {
      sum.cohort = party < 3 ? honest : other;
      sum.wanted.set(party, new Set(sum.participants[party]!.enrol(sum.announcement())));
      sum.dealings.set(party, await sum.participants[party]!.deal(sum.keysFor(party)));
    }
    for (const cohort of [honest, other]) {
      const colluding = cohort === honest ? sum.participants[6]! : second.participant;
      sum.cohort = cohort;
      colluding.enrol(sum.announcement());
      const keys = cohort.advertisements.map(({ party }) => cohort.proven(party)!);
      for (const shares of await colluding.deal(keys)) sum.addDealt(6, cohort === honest ? shares.holder < 3 : shares.holder >= 3, shares);
    }
    sum.dealers = [0, 1, 2, 3, 4, 5, 6];
    await sum.mask(vectorsOf(7), [0, 1, 2, 3, 4, 5]);
    for (const party of [0, 1, 2, 3, 4, 5]) sum.signatures.push(await sum.participants[party]!.agree(sum.list!.survivors));
    expect(await refusal(() => sum.participants[0]!.unmask(sum.signatures))).toEqual({ reason: "views-differ", party: undefined });
    expect(await refusal(() => sum.participants[5]!.unmask(sum.signatures))).toEqual({ reason: "views-differ", party: undefined });
  });

  it("cannot show keys in a sampled graph that the root does not contain", async () => {
    const sum = await upToDeal(60, SAMPLED);
    const [first, second] = [...sum.wanted.get(0)!] as [number, number];
    const keys = sum.keysFor(0);
    const swapped = keys.map((ad) => (ad.party === first ? { ...ad, maskKey: sum.cohort.proven(second)!.maskKey } : ad));
    expect(await refusal(() => sum.participants[0]!.deal(swapped))).toEqual({ reason: "keys-swapped", party: first });
  });

  it("cannot pass on keys of a colluding party that everybody can guess: whose they are is named", async () => {
    const sum = await start({ parties: 4 });
    await sum.advertise();
    const ads = sum.cohort.advertisements;
    const [share, mask] = [
      await sum.signedKeys(2, { ...ads[2]!, shareKey: new Uint8Array(32) }),
      await sum.signedKeys(2, { ...ads[2]!, maskKey: new Uint8Array(32) }),
    ];
    sum.announce(cohortOf(ads.with(2, share)));
    sum.wanted.set(0, new Set(sum.participants[0]!.enrol(sum.announcement())));
    expect(await refusal(() => sum.participants[0]!.deal(sum.keysFor(0)))).toEqual({ reason: "malformed", party: 2 });
    sum.announce(cohortOf(ads.with(2, mask)));
    for (const party of [1, 3]) {
      sum.wanted.set(party, new Set(sum.participants[party]!.enrol(sum.announcement())));
      sum.dealings.set(party, await sum.participants[party]!.deal(sum.keysFor(party)));
    }
    sum.dealings.set(
      2,
      sum.dealings.get(1)!.filter(({ holder }) => holder !== 2),
    );
    sum.dealings.set(
      0,
      sum.dealings.get(3)!.filter(({ holder }) => holder !== 0),
    );
    sum.dealers = [0, 1, 2, 3];
    const inbox = sum.inbox(1);
    const own = await sum.participants[1]!.mask(
      { ...inbox, shares: [0, 2, 3].map((dealer) => ({ ...inbox.shares[0]!, dealer })) },
      vectorsOf(1)[0]!,
      sum.ring,
    ).catch((error: unknown) => error);
    expect(own).toMatchObject({ reason: "malformed", party: 2 });
  });

  it("cannot leave a party in doubt whether its own keys are in the root", async () => {
    const sum = await upToDeal(60, SAMPLED);
    expect(await refusal(() => sum.participants[0]!.deal(sum.keysFor(0).slice(1)))).toMatchObject({ reason: "own-keys-swapped" });
    expect(await refusal(() => sum.participants[1]!.deal(sum.keysFor(1).slice(0, -1)))).toMatchObject({ reason: "malformed" });
  });
});

describe("a coordinator that tells parties of different things", () => {
  it.each([
    ["another model", { ...ATTEMPT, baseModelHash: "00".repeat(32) }],
    ["another plan", { ...ATTEMPT, planHash: "00".repeat(32) }],
    ["another round", { ...ATTEMPT, round: 2 }],
    ["another attempt", { ...ATTEMPT, attempt: 2 }],
    ["another run", { ...ATTEMPT, runId: "run_2" }],
    ["another kind of sum", { ...ATTEMPT, kind: "evaluate" }],
  ])("of %s gets no shares", async (_, told) => {
    const sum = await start({ parties: 4, attempt: (party) => (party === 3 ? told : ATTEMPT) });
    const advertisements = await Promise.all(sum.participants.map((participant) => participant.advertise()));
    sum.announce(cohortOf(advertisements), [0, 1, 2, 3]);
    sum.enrol();
    expect(await refusal(() => sum.participants[0]!.deal(sum.keysFor(0)))).toEqual({ reason: "signature-invalid", party: 3 });
    expect(await refusal(() => sum.participants[3]!.deal(sum.keysFor(3)))).toMatchObject({ reason: "signature-invalid" });
  });

  it("of another cohort gets no shares", async () => {
    const sum = await start({ parties: 5 });
    await sum.advertise();
    sum.wanted.set(0, new Set(sum.participants[0]!.enrol(sum.announcement())));
    const fewer = cohortOf(sum.cohort.advertisements.slice(0, 4));
    // The smaller cohort's members under the larger one's root, and the other way round.
    expect(await refusal(() => sum.participants[0]!.deal(fewer.advertisements.map(({ party }) => fewer.proven(party)!)))).toMatchObject({
      reason: "keys-swapped",
    });
    sum.participants[1]!.enrol({ members: bitmapOf(5, [0, 1, 2, 3]), root: sum.cohort.root });
    expect(await refusal(() => sum.participants[1]!.deal(fewer.advertisements.map(({ party }) => fewer.proven(party)!)))).toMatchObject({
      reason: "keys-swapped",
    });
  });
});

describe("a coordinator that wants a small sum, or one of its own people", () => {
  it("is refused a cohort below the quorum, or of too few organisations", async () => {
    const small = await start({ parties: 6, rules: { quorum: 4 } });
    await small.advertise([0, 1, 2]);
    expect(await refusal(() => small.enrol())).toEqual({ reason: "cohort-too-small", party: undefined });
    // Four nodes of two organisations: as a stuffed cohort would look.
    const stuffed = await start({ parties: 4, organisation: (party) => (party === 0 ? "clinic" : "coordinator") });
    await stuffed.advertise();
    expect(await refusal(() => stuffed.enrol())).toEqual({ reason: "organisations-too-few", party: undefined });
  });

  it("is refused parties that the roster does not know", async () => {
    const sum = await start({ parties: 5, directory: undefined });
    const identities = sum.identities;
    const known = await start({
      ...{ parties: 5, identities },
      directory: { size: 5, of: (party) => (party === 4 ? undefined : { key: identities[party]!.publicKey, organisation: `org-${party}` }) },
    });
    known.announce(cohortOf(await Promise.all(known.participants.map((participant) => participant.advertise()))), [0, 1, 2, 3, 4]);
    expect(await refusal(() => known.enrol())).toEqual({ reason: "party-unknown", party: 4 });
  });

  it("is refused a sum below the threshold, the quorum, or of too few organisations", async () => {
    const { sum } = await upToMasks(10);
    const few = bitmapOf(10, [0, 1, 2, 3, 4, 5]);
    expect(await refusal(() => sum.participants[0]!.agree(few))).toEqual({ reason: "survivors-too-few", party: undefined });
    const quorum = await upToMasks(10, undefined, { rules: { quorum: 9 } });
    expect(await refusal(() => quorum.sum.participants[0]!.agree(bitmapOf(10, [0, 1, 2, 3, 4, 5, 6, 7])))).toMatchObject({
      reason: "survivors-too-few",
    });
    const organisation = (party: number) => (party < 8 ? `org-${party % 2}` : "third");
    const colluding = await upToMasks(10, undefined, { organisation });
    expect(await refusal(() => colluding.sum.participants[0]!.agree(bitmapOf(10, [0, 1, 2, 3, 4, 5, 6, 7])))).toMatchObject({
      reason: "organisations-too-few",
    });
  });

  it("is refused a cohort whose dealers are too few to unmask", async () => {
    const sum = await upToDeal(10);
    await sum.deal([0, 1, 2, 3, 4, 5]);
    expect(await refusal(() => sum.mask(vectorsOf(10)))).toEqual({ reason: "dealers-too-few", party: undefined });
  });

  it("cannot crowd a party with neighbours", async () => {
    const sum = await upToDeal(60, SAMPLED);
    await sum.deal();
    const inbox = sum.inbox(0);
    const shares = Array.from({ length: 60 }, () => inbox.shares[0]!);
    expect(await refusal(() => sum.participants[0]!.mask({ ...inbox, shares }, vectorsOf(1)[0]!, sum.ring))).toMatchObject({
      reason: "chosen-too-often",
    });
  });
});

describe("a coordinator that splits views", () => {
  it("of survivors gets nothing unmasked", async () => {
    const { sum } = await upToMasks(10);
    // Half are told that party 9 survived, half that it dropped out.
    const without = sum.listOf([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const party of [0, 1, 2, 3, 4]) sum.signatures.push(await sum.participants[party]!.agree(sum.list!.survivors));
    for (const party of [5, 6, 7, 8]) sum.signatures.push(await sum.participants[party]!.agree(without.survivors));
    for (const party of [0, 4, 5, 8]) {
      expect(await refusal(() => sum.participants[party]!.unmask(sum.signatures))).toEqual({ reason: "views-differ", party: undefined });
    }
  });

  it("cannot make up signatures, count one twice, or use those of parties that dropped out", async () => {
    const { sum } = await upToMasks(10, [0, 1, 2, 3, 4, 5, 6, 7]);
    const signed = await sum.participants[0]!.agree(sum.list!.survivors);
    const six = await Promise.all([1, 2, 3, 4, 5].map((party) => sum.participants[party]!.agree(sum.list!.survivors)));
    const forged = { party: 6, signature: signed.signature };
    const dropped = await signSurvivors(sum.context, sum.list!, 9, sum.identities[9]!);
    const signatures = [signed, signed, ...six, ...six, forged, dropped];
    expect(await refusal(() => sum.participants[0]!.unmask(signatures))).toMatchObject({ reason: "views-differ" });
  });

  it("is refused lists that contradict each other", async () => {
    const { sum } = await upToMasks(8, undefined, {}, [0, 1, 2, 3, 4, 5, 6]);
    expect(await refusal(() => sum.participants[0]!.agree(bitmapOf(8, [0, 1, 2, 3, 4, 5, 6, 7])))).toMatchObject({ reason: "sets-contradict" });
    expect(await refusal(() => sum.participants[1]!.agree(bitmapOf(8, [0, 2, 3, 4, 5, 6])))).toEqual({ reason: "counted-as-dropped", party: 1 });
    expect(await refusal(() => sum.participants[2]!.agree(new Uint8Array(5)))).toMatchObject({ reason: "malformed" });
  });

  it("is refused dealers who are not in the cohort, and a party that dealt and is no dealer", async () => {
    const sum = await start({ parties: 8 });
    await sum.advertise([0, 1, 2, 3, 4, 5, 6]);
    sum.enrol();
    await sum.deal();
    const vector = vectorsOf(1)[0]!;
    const told = (dealers: readonly number[], party: number) =>
      sum.participants[party]!.mask({ ...sum.inbox(party), dealers: bitmapOf(8, dealers) }, vector, sum.ring);
    expect(await refusal(() => told([0, 1, 2, 3, 4, 5, 6, 7], 0))).toMatchObject({ reason: "sets-contradict" });
    expect(await refusal(() => told([0, 2, 3, 4, 5, 6], 1))).toEqual({ reason: "counted-as-dropped", party: 1 });
  });
});

describe("a coordinator that asks out of turn", () => {
  it("is refused shares before the list is signed, and a second list", async () => {
    const { sum } = await upToMasks(4);
    expect(await refusal(() => sum.participants[0]!.unmask([]))).toMatchObject({ reason: "out-of-order" });
    const signed = await sum.participants[1]!.agree(sum.list!.survivors);
    expect(await refusal(() => sum.participants[1]!.agree(bitmapOf(4, [0, 1, 2])))).toMatchObject({ reason: "out-of-order" });
    expect(signed.party).toBe(1);
  });

  it("gets shares once", async () => {
    const { sum } = await upToMasks(4);
    await sum.agree();
    await sum.unmask();
    expect(await refusal(() => sum.participants[0]!.unmask(sum.signatures))).toMatchObject({ reason: "already-answered" });
    expect(await refusal(() => sum.participants[0]!.agree(sum.list!.survivors))).toMatchObject({ reason: "out-of-order" });
    expect(await refusal(() => sum.participants[0]!.advertise())).toMatchObject({ reason: "out-of-order" });
  });

  it("gets one kind of share of each dealer, whatever the list", async () => {
    const { sum } = await upToMasks(7, [0, 1, 2, 3, 4, 6]);
    await sum.agree();
    await sum.unmask();
    for (const { shares } of sum.answers) {
      expect(shares.map(({ dealer }) => dealer).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      for (const { dealer, kind } of shares) expect(kind).toBe(dealer === 5 ? "key" : "seed");
    }
  });

  it("gets no second vector under the same masks", async () => {
    const { sum, vectors } = await upToMasks(4);
    expect(await refusal(() => sum.participants[0]!.mask(sum.inbox(0), vectors[0]!, sum.ring))).toMatchObject({ reason: "out-of-order" });
  });

  it("gets nothing any more from a party that refused once", async () => {
    const { sum } = await upToMasks(10);
    await refusal(() => sum.participants[0]!.agree(bitmapOf(10, [0, 1])));
    expect(await refusal(() => sum.participants[0]!.agree(sum.list!.survivors))).toMatchObject({ reason: "out-of-order" });
    expect(await refusal(() => sum.participants[0]!.unmask([]))).toMatchObject({ reason: "already-answered" });
  });
});

describe("shares that somebody tampered with", () => {
  it("are of no use to their holder, and the sum goes on without them", async () => {
    const sum = await upToDeal(7);
    await sum.deal();
    const vectors = vectorsOf(7);
    // What 1 dealt to 0 is changed, and what 2 dealt to 0 is what it dealt to 3.
    for (const [party, participant] of sum.participants.entries()) {
      const inbox = sum.inbox(party);
      const shares = inbox.shares.map((share) => {
        if (party !== 0) return share;
        if (share.dealer === 1) return { ...share, ciphertext: share.ciphertext.with(0, share.ciphertext[0]! ^ 1) };
        if (share.dealer === 2) return { ...share, ...sum.inbox(3).shares.find(({ dealer }) => dealer === 2)! };
        return share;
      });
      const { bytes, unusable } = await participant.mask({ ...inbox, shares }, vectors[party]!, sum.ring);
      expect(unusable).toEqual(party === 0 ? [1, 2] : []);
      sum.masked.set(party, bytes);
    }
    sum.list = sum.listOf(sum.dealers);
    await sum.agree();
    await sum.unmask();
    expect(await total(sum)).toEqual(plainSum(vectors, [...vectors.keys()]));
  });

  it("and shares that are missing, or come twice, are refused", async () => {
    const sum = await upToDeal(5);
    await sum.deal();
    const vector = vectorsOf(1)[0]!;
    const inbox = sum.inbox(0);
    expect(await refusal(() => sum.participants[0]!.mask({ ...inbox, shares: inbox.shares.slice(1) }, vector, sum.ring))).toEqual({
      reason: "share-missing",
      party: 1,
    });
    const twice = sum.inbox(1);
    expect(await refusal(() => sum.participants[1]!.mask({ ...twice, shares: [...twice.shares, twice.shares[0]!] }, vector, sum.ring))).toEqual({
      reason: "chosen-too-often",
      party: undefined,
    });
    const doubled = sum.inbox(2);
    const shares = doubled.shares.with(0, doubled.shares[1]!);
    expect(await refusal(() => sum.participants[2]!.mask({ ...doubled, shares }, vector, sum.ring))).toMatchObject({ reason: "malformed" });
  });
});

describe("secrets", () => {
  it("of a round do not help with another: what is recovered in round 2 does not open round 1", async () => {
    const identities = (await start({ parties: 5 })).identities;
    const first = await start({ parties: 5, identities });
    const vectors = vectorsOf(5);
    await first.advertise();
    first.enrol();
    await first.deal();
    await first.mask(vectors);
    await first.agree();
    await first.unmask();

    const attempt = { ...ATTEMPT, round: 2 };
    const second = await start({ parties: 5, identities, attempt: () => attempt });
    second.use(attempt);
    await second.advertise();
    second.enrol();
    await second.deal();
    // Party 4 drops out, so that its mask key of round 2 becomes known.
    await second.mask(vectors, [0, 1, 2, 3]);
    await second.agree();
    await second.unmask();
    const { streams } = await second.recover();
    expect(streams.filter(({ low, high }) => low !== high && high === 4)).toHaveLength(4);
    const alone = await first.total(streams, LENGTH, [4]);
    expect(alone).not.toEqual(plainSum(vectors, [4]));
    for (const [index, key] of first.cohort.advertisements.entries()) {
      expect(key.maskKey).not.toEqual(second.cohort.advertisements[index]!.maskKey);
      expect(key.seedCommitment).not.toEqual(second.cohort.advertisements[index]!.seedCommitment);
    }
  });

  it("are wiped as soon as nothing needs them: after the mask only shares of others are left", async () => {
    const drawn: Uint8Array[] = [];
    const spied = {
      ...primitives,
      randomBytes: (length: number) => drawn[drawn.push(primitives.randomBytes(length)) - 1] as Uint8Array<ArrayBuffer>,
    };
    const sum = await SumFixture.create({ parties: 3, primitives: spied });
    const left = () => drawn.filter((bytes) => bytes.some((byte) => byte !== 0));
    await sum.advertise();
    // Of each a mask key and a seed.
    expect(left().map(({ length }) => length)).toEqual(Array.from({ length: 6 }, () => 32));
    sum.enrol();
    await sum.deal();
    await sum.mask(vectorsOf(3));
    expect(left()).toEqual([]);
  });

  it("are wiped when an attempt is given up", async () => {
    const drawn: Uint8Array[] = [];
    const spied = {
      ...primitives,
      randomBytes: (length: number) => drawn[drawn.push(primitives.randomBytes(length)) - 1] as Uint8Array<ArrayBuffer>,
    };
    const sum = await SumFixture.create({ parties: 3, primitives: spied });
    await sum.advertise();
    for (const participant of sum.participants) participant.wipe();
    expect(drawn.flatMap((bytes) => [...bytes]).every((byte) => byte === 0)).toBe(true);
    expect(await refusal(() => sum.enrol())).toMatchObject({ reason: "out-of-order" });
  });
});
