export { type Attempt, attemptContext } from "./attempt.ts";
export { checkAdvertisement, checkAgreement, checkDealing } from "./check-messages.ts";
export {
  maskSeed,
  type MaskStream,
  maskVector,
  type PackedSource,
  PackedVectorTooShort,
  type UnmaskedTile,
  unmaskSum,
  type UnmaskSumOptions,
} from "./masking/index.ts";
export { type Advertisement, type Cohort, cohortOf, type ProvenAdvertisement } from "./messages/advertisement.ts";
export { type RevealedShare, type SealedShares, type ShareKind } from "./messages/share.ts";
export { type SurvivorList, type SurvivorSignature } from "./messages/survivors.ts";
export {
  type Assumptions,
  bitmapOf,
  packedBytes,
  placesOf,
  type Ring,
  ringFor,
  secAggParameters,
  type SecAggParameters,
} from "./parameters/index.ts";
export {
  type AddressedShares,
  type CohortAnnouncement,
  createParticipant,
  type Inbox,
  type MaskedVector,
  type Participant,
  type ParticipantOptions,
  type ReceivedShares,
} from "./participant.ts";
export { type SecAggPrimitives } from "./primitives.ts";
export { recover, type Recovered, type RecoverOptions, type UnmaskAnswer } from "./recover.ts";
export { type Directory, type DirectoryEntry, type SumRules } from "./rules.ts";
export { SecAggViolation, type ViolationReason } from "./violation.ts";
export { webSecAgg } from "./web.ts";
