import { defineErrors, EXIT } from "./define.ts";

export const identityErrors = defineErrors({
  API_TOKEN_NOT_FOUND: {
    exit: EXIT.failed,
    rpc: "not_found",
    meaning: "The project has no API token of that id, and none of that name that is not revoked.",
    hint: "`nexus token list` shows the tokens.",
  },
  API_TOKEN_NAME_TAKEN: {
    exit: EXIT.failed,
    rpc: "already_exists",
    meaning: "The project has an API token of that name; expired ones keep theirs until they are revoked.",
    hint: "Choose another name, or revoke the other token first.",
  },
  RATE_LIMITED: {
    exit: EXIT.connection,
    rpc: "resource_exhausted",
    meaning: "Too many wrong secrets came from that address within a minute.",
    hint: "Wait as long as the message says, and use a token that is valid.",
    retryable: true,
  },
});
