/** What a party holds every attempt against: who is who, and how few may be in a sum. @module */
import { secAggParameters, type Assumptions, type SecAggParameters } from "./parameters/index.ts";
import { SecAggViolation } from "./violation.ts";

/** A party as the roster has it. */
export interface DirectoryEntry {
  /** Ed25519 identity key, 32 bytes. */
  readonly key: Uint8Array;
  readonly organisation: string;
}

/** Who stands at each place of the plan's list, as the roster says: never as the coordinator says. */
export interface Directory {
  /** Length of the plan's list. */
  readonly size: number;
  /** Undefined where the roster knows nobody. */
  of(party: number): DirectoryEntry | undefined;
}

/** What the plan promises of every sum. */
export interface SumRules {
  /** Fewest organisations whose updates are in a sum. */
  readonly kMin: number;
  /** Fewest parties whose updates are in a sum. */
  readonly quorum: number;
  readonly assumptions: Assumptions;
}

/** The rule for a cohort. @throws SecAggViolation cohort-too-small, organisations-too-few, party-unknown */
export function checkCohort(members: readonly number[], rules: SumRules, directory: Directory): SecAggParameters {
  const least = Math.max(2, rules.quorum);
  if (members.length < least) {
    throw new SecAggViolation("cohort-too-small", `The cohort has ${members.length} parties; the plan asks for ${least} at least.`);
  }
  checkOrganisations(members, rules, directory);
  return secAggParameters(members.length, rules.assumptions);
}

/** The rule for a sum. @throws SecAggViolation survivors-too-few, organisations-too-few */
export function checkSurvivors(survivors: readonly number[], parameters: SecAggParameters, rules: SumRules, directory: Directory): void {
  const least = Math.max(parameters.leastSurvivors, rules.quorum);
  if (survivors.length < least) {
    throw new SecAggViolation("survivors-too-few", `The sum would be of ${survivors.length} parties; ${least} are the fewest that are added.`);
  }
  checkOrganisations(survivors, rules, directory);
}

/** @throws SecAggViolation party-unknown */
export function entryOf(directory: Directory, party: number): DirectoryEntry {
  const entry = directory.of(party);
  if (entry === undefined) throw new SecAggViolation("party-unknown", `The roster knows nobody in place ${party} of the plan's list.`, party);
  return entry;
}

function checkOrganisations(parties: readonly number[], { kMin }: SumRules, directory: Directory): void {
  const organisations = new Set(parties.map((party) => entryOf(directory, party).organisation));
  if (organisations.size < kMin) {
    throw new SecAggViolation(
      "organisations-too-few",
      `The ${parties.length} parties belong to ${organisations.size} organisations; the plan asks for ${kMin} at least.`,
    );
  }
}
