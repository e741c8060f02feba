/** What somebody did that the protocol does not allow. */
export type ViolationReason =
  /** A message came before its turn, or a second time. */
  | "out-of-order"
  /** No party has that place in the plan's list, or the roster does not know its key. */
  | "party-unknown"
  /** A signature is not that of the party over this attempt, model and plan. */
  | "signature-invalid"
  /** This party is not in the cohort, or with other keys than it advertised. */
  | "own-keys-swapped"
  /** Keys that the cohort's root does not contain. */
  | "keys-swapped"
  /** A message has not the form that is due. */
  | "malformed"
  | "cohort-too-small"
  | "organisations-too-few"
  /** More parties than chance allows want this one as their neighbour. */
  | "chosen-too-often"
  /** The sets of parties contradict each other: dealers who are not in the cohort, survivors who did not deal. */
  | "sets-contradict"
  | "dealers-too-few"
  | "share-missing"
  | "survivors-too-few"
  /** The coordinator counts this party as dropped although it sent its vector. */
  | "counted-as-dropped"
  /** Too few holders signed the same list of survivors over the same cohort. */
  | "views-differ"
  /** Shares of this attempt were given away already. */
  | "already-answered"
  /** Shares of one dealer do not lie on one polynomial, or not on that of what it committed to. */
  | "dealing-inconsistent"
  /** Fewer shares than the threshold came back. */
  | "shares-too-few";

/** A deviation from the protocol, as the one who noticed it names it. */
export class SecAggViolation extends Error {
  readonly reason: ViolationReason;
  /** Place of the party in the plan's list; absent when the coordinator deviated, or it cannot be told who. */
  readonly party: number | undefined;

  constructor(reason: ViolationReason, message: string, party?: number) {
    super(message);
    this.name = "SecAggViolation";
    this.reason = reason;
    this.party = party;
  }
}
