/** A coordinator in memory that does what it should, step by step, so that tests can have it do something else in between. */
import { generateSigningKey, type SigningKey } from "../keys/index.ts";
import {
  type AddressedShares,
  type Advertisement,
  type Attempt,
  attemptContext,
  bitmapOf,
  checkAdvertisement,
  checkAgreement,
  checkDealing,
  cohortOf,
  type Cohort,
  createParticipant,
  type Directory,
  type Inbox,
  type MaskStream,
  type Participant,
  type ProvenAdvertisement,
  recover,
  type Recovered,
  type Ring,
  ringFor,
  secAggParameters,
  type SecAggPrimitives,
  type SumRules,
  type SurvivorList,
  type SurvivorSignature,
  type UnmaskAnswer,
  unmaskSum,
} from "./index.ts";
import { signAdvertisement } from "./messages/advertisement.ts";

export const ATTEMPT: Attempt = { runId: "run_1", kind: "fit", round: 1, attempt: 1, planHash: "ab".repeat(32), baseModelHash: "cd".repeat(32) };

export interface SumFixtureOptions {
  readonly parties: number;
  readonly primitives: SecAggPrimitives;
  readonly rules?: Partial<SumRules>;
  /** Organisation of a party; one each when absent. */
  readonly organisation?: (party: number) => string;
  /** Attempt as a party sees it. */
  readonly attempt?: (party: number) => Attempt;
  /** A party's view of the roster's directory. */
  readonly directory?: Directory | undefined;
  readonly identities?: readonly SigningKey[];
}

/** Parties and what the coordinator has of them. */
export class SumFixture {
  readonly identities: readonly SigningKey[];
  readonly directory: Directory;
  readonly rules: SumRules;
  context = attemptContext(ATTEMPT);
  readonly ring: Ring;
  readonly participants: Participant[];
  readonly #primitives: SecAggPrimitives;

  cohort: Cohort = cohortOf([]);
  members: readonly number[] = [];
  readonly wanted = new Map<number, ReadonlySet<number>>();
  readonly dealings = new Map<number, readonly AddressedShares[]>();
  dealers: readonly number[] = [];
  readonly masked = new Map<number, Uint8Array<ArrayBuffer>>();
  list: SurvivorList | undefined;
  readonly signatures: SurvivorSignature[] = [];
  readonly answers: UnmaskAnswer[] = [];

  static async create(options: SumFixtureOptions): Promise<SumFixture> {
    const identities = options.identities ?? (await Promise.all(Array.from({ length: options.parties }, () => generateSigningKey())));
    return new SumFixture(options, identities);
  }

  private constructor(options: SumFixtureOptions, identities: readonly SigningKey[]) {
    const { parties, primitives, organisation = (party: number) => `org-${party}`, attempt = () => ATTEMPT } = options;
    this.#primitives = primitives;
    this.identities = identities;
    this.rules = { kMin: 3, quorum: 2, assumptions: { corruption: 1 / 3, dropout: 0.1 }, ...options.rules };
    this.directory = options.directory ?? {
      size: parties,
      of: (party) => identities[party] && { key: identities[party].publicKey, organisation: organisation(party) },
    };
    this.ring = ringFor(32_767, parties);
    this.participants = identities.map((identity, party) =>
      createParticipant({ context: attemptContext(attempt(party)), party, identity, directory: this.directory, rules: this.rules, primitives }),
    );
  }

  /** Has the coordinator go by another attempt. */
  use(attempt: Attempt): void {
    this.context = attemptContext(attempt);
  }

  /** Announces another cohort than the one that advertised. */
  announce(cohort: Cohort, members = this.members): void {
    this.cohort = cohort;
    this.members = members;
  }

  /** Keys for a party that somebody else made up. */
  async forgedKeys(party: number): Promise<Advertisement> {
    const stranger = await generateSigningKey();
    const other = createParticipant({ ...this.#optionsOf(party), identity: stranger });
    return other.advertise();
  }

  /** A second set of keys of a party that colludes, with what answers for it. */
  async advertiseAgain(party: number): Promise<{ readonly participant: Participant; readonly advertisement: Advertisement }> {
    const participant = createParticipant(this.#optionsOf(party));
    return { participant, advertisement: await participant.advertise() };
  }

  /** Keys that a party signed, whatever they are. */
  signedKeys(party: number, keys: Omit<Advertisement, "signature">): Promise<Advertisement> {
    return signAdvertisement(this.context, keys, this.identities[party]!);
  }

  addDealt(dealer: number, isUsed: boolean, shares: AddressedShares): void {
    if (isUsed) this.dealings.set(dealer, [...(this.dealings.get(dealer) ?? []), shares]);
  }

  #optionsOf(party: number) {
    const { context, directory, rules } = this;
    return { context, party, identity: this.identities[party]!, directory, rules, primitives: this.#primitives };
  }

  /** Who holds shares of a party. */
  holdersOf = (party: number): ReadonlySet<number> =>
    secAggParameters(this.members.length, this.rules.assumptions).graph === "complete"
      ? new Set(this.members)
      : (this.wanted.get(party) ?? new Set());

  async advertise(parties = this.participants.keys().toArray()): Promise<void> {
    const advertisements = await Promise.all(parties.map((party) => this.participants[party]!.advertise()));
    for (const ad of advertisements) await checkAdvertisement(this.context, ad, this.directory, this.#primitives);
    this.cohort = cohortOf(advertisements);
    this.members = parties;
  }

  announcement() {
    return { members: bitmapOf(this.directory.size, this.members), root: this.cohort.root };
  }

  enrol(): void {
    for (const party of this.members) this.wanted.set(party, new Set(this.participants[party]!.enrol(this.announcement())));
  }

  /** The keys that a party is shown before it deals, its own among them. */
  keysFor(party: number): ProvenAdvertisement[] {
    return [party, ...this.wanted.get(party)!].map((other) => this.cohort.proven(other)!);
  }

  async deal(parties = this.members): Promise<void> {
    for (const party of parties) this.dealings.set(party, await this.participants[party]!.deal(this.keysFor(party)));
    for (const [party, shares] of this.dealings) checkDealing(party, shares, this.holdersOf(party));
    this.dealers = parties;
  }

  inbox(party: number): Inbox {
    const shares = [...this.dealings].flatMap(([dealer, dealt]) =>
      dealt.filter(({ holder }) => holder === party).map(({ enc, ciphertext }) => ({ dealer, enc, ciphertext })),
    );
    const unknown = shares.map(({ dealer }) => dealer).filter((dealer) => !this.wanted.get(party)!.has(dealer));
    return { dealers: bitmapOf(this.directory.size, this.dealers), shares, advertisements: unknown.map((dealer) => this.cohort.proven(dealer)!) };
  }

  async mask(vectors: readonly Int16Array[], parties = this.dealers): Promise<void> {
    for (const party of parties) {
      const { bytes } = await this.participants[party]!.mask(this.inbox(party), vectors[party]!, this.ring);
      this.masked.set(party, bytes);
    }
    this.list = this.listOf(parties);
  }

  listOf(survivors: readonly number[]): SurvivorList {
    const bitmap = (places: readonly number[]) => bitmapOf(this.directory.size, places);
    return { root: this.cohort.root, dealers: bitmap(this.dealers), survivors: bitmap(survivors) };
  }

  async agree(parties = [...this.masked.keys()]): Promise<void> {
    for (const party of parties) {
      const signed = await this.participants[party]!.agree(this.list!.survivors);
      await checkAgreement(this.context, this.list!, signed, this.directory);
      this.signatures.push(signed);
    }
  }

  async unmask(parties = [...this.masked.keys()]): Promise<void> {
    for (const party of parties) this.answers.push({ holder: party, shares: await this.participants[party]!.unmask(this.signatures) });
  }

  /** The sum of masked vectors without the masks of these streams. */
  async total(streams: readonly MaskStream[], length: number, parties: readonly number[] = [...this.masked.keys()]): Promise<bigint[]> {
    const sources = parties.map((party) => ({
      name: `party ${party}`,
      read: (offset: number, lengthBytes: number) => Promise.resolve(this.masked.get(party)!.subarray(offset, offset + lengthBytes)),
    }));
    const { kernel, keystream } = this.#primitives;
    const total: bigint[] = [];
    for await (const { sum } of unmaskSum({ kernel, keystream, ring: this.ring, sources, streams, length })) total.push(...sum);
    return total;
  }

  recover(): Promise<Recovered> {
    const holders = new Map(this.members.map((party) => [party, this.holdersOf(party)]));
    return recover({
      ...{ context: this.context, directory: this.directory, primitives: this.#primitives, answers: this.answers },
      holdersOf: (party) => holders.get(party) ?? new Set(),
      threshold: secAggParameters(this.members.length, this.rules.assumptions).threshold,
      advertisements: this.cohort.advertisements.filter(({ party }) => this.dealers.includes(party)),
      survivors: [...this.masked.keys()],
    });
  }
}
