import { defineErrors, EXIT } from "./define.ts";

export const generalErrors = defineErrors({
  INTERNAL: {
    exit: EXIT.internal,
    rpc: "internal",
    meaning: "Something happened that the program does not expect; this is a defect.",
    hint: "Run again with NEXUS_DEBUG=1 and report what it prints.",
  },
  FILE_UNUSABLE: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "A file or folder does not exist, is of another kind, or may not be read or written by this user.",
    hint: "Check the path in the message and its permissions, or name another.",
  },
  INTERRUPTED: {
    exit: EXIT.interrupted,
    rpc: "canceled",
    meaning: "The person or program that started the work stopped it.",
    hint: "Start it again; whatever was acknowledged is kept.",
  },
  PROFILE_INVALID: {
    exit: EXIT.usage,
    rpc: "invalid_argument",
    meaning: "The configuration file of the command line cannot be read, or says what has no meaning.",
    hint: "Correct the file; docs/CLI.md shows one.",
  },
  PROFILE_NOT_FOUND: {
    exit: EXIT.usage,
    rpc: "not_found",
    meaning: "The configuration file of the command line describes no profile of that name.",
    hint: "Name another with --profile, or describe it there.",
  },
  TIMEOUT: {
    exit: EXIT.timeout,
    rpc: "deadline_exceeded",
    meaning: "The work did not end within the time it was given.",
    hint: "Give it more time, or look at what it is waiting for with `nexus run show`.",
    retryable: true,
  },
  UNHEALTHY: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "Something on this machine will fail, as `nexus doctor` found.",
    hint: "Mend what it names, one after the other, and run it again.",
  },
  USAGE: {
    exit: EXIT.usage,
    rpc: "invalid_argument",
    meaning: "The command or the call was written in a way that has no meaning.",
    hint: "See `--help` of the command for its options and an example.",
  },
});
