import { defineErrors, EXIT } from "./define.ts";

export const rosterErrors = defineErrors({
  ROSTER_INVALID: {
    exit: EXIT.failed,
    rpc: "invalid_argument",
    meaning: "An entry of a project's roster does not follow the one before, says what cannot be said, or is not signed by who has to.",
    hint: "Nothing was taken over from it. If a coordinator sent it, that coordinator is not to be trusted.",
  },
  ROSTER_MOVED: {
    exit: EXIT.failed,
    rpc: "aborted",
    meaning: "Somebody else added an entry to the roster since it was read.",
    hint: "Run the command again.",
    retryable: true,
  },
  ROSTER_NOT_FOUND: {
    exit: EXIT.failed,
    rpc: "not_found",
    meaning: "The project has no roster: no organisation has begun one.",
    hint: "`nexus org init` begins it.",
  },
  ROSTER_FORKED: {
    exit: EXIT.failed,
    rpc: "data_loss",
    meaning: "The coordinator shows another history of the roster than this node or organisation has seen before.",
    hint: "Do not go on: compare `nexus org list` with the other organisations. Either the coordinator was set back to a backup, or it hides entries.",
  },
  NOT_ON_ROSTER: {
    exit: EXIT.failed,
    rpc: "permission_denied",
    meaning: "A party of a run, or who started it, is not on the roster that the run names.",
    hint: "`nexus org list` shows who is; an organisation adds its node with `nexus node approve NAME --org FOLDER`.",
  },
  RUN_NOT_SIGNED: {
    exit: EXIT.failed,
    rpc: "permission_denied",
    meaning: "A run of a project with organisations is not signed by one of them, or not over the spec and plan that came.",
    hint: "Start it with the key of an organisation: `nexus run start SPEC --org FOLDER`.",
  },
  PLAN_MOVED: {
    exit: EXIT.failed,
    rpc: "aborted",
    meaning: "What is registered changed between the plan that was signed and the start of the run.",
    hint: "Start it again; the new plan is signed then.",
    retryable: true,
  },
  ORGANISATION_FOLDER_INVALID: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "The folder holds no organisation's key, or one that cannot be read.",
    hint: "`nexus org init` or `nexus org join` makes one; restore the folder from its backup if it had one.",
  },
  ORGANISATION_KEY_LOCKED: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "The passphrase does not open the organisation's key.",
    hint: "Give the right one with --passphrase-file or NEXUS_ORG_PASSPHRASE_FILE. Without it the key is lost: the founder removes the organisation, and it joins anew under another name.",
  },
  ROSTER_INVITATION_INVALID: {
    exit: EXIT.failed,
    rpc: "permission_denied",
    meaning: "The invitation of an organisation is unknown, was used already, or has ended; or the roster is asked for by nobody whom it knows.",
    hint: "Ask a member for a new one: `nexus org invite NAME`.",
  },
});
