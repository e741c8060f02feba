import { defineErrors, EXIT } from "./define.ts";

/** Of nodes that sign each request because they show no client certificate. */
export const signatureErrors = defineErrors({
  SIGNATURE_REQUIRED: {
    exit: EXIT.connection,
    rpc: "unauthenticated",
    meaning: "A node that joined to sign its requests, as a browser does, sent one without a signature, or with the session of another node.",
    hint: "Open the page of the node anew; another program signs each request as `packages/protocol/src/wire/signatures` says.",
  },
  BROWSER_STORAGE_UNUSABLE: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "The browser keeps nothing for the coordinator's page, so the node's key would be lost with it.",
    hint: "Let the page keep data: leave private browsing, allow site data for the coordinator's address, or make room on the disk.",
  },
  CLOCK_DIFFERS: {
    exit: EXIT.connection,
    rpc: "unauthenticated",
    meaning: "A signed request was made at a time too far from the coordinator's: a clock is wrong, or the request was held up or sent again.",
    hint: "Set the clock of the node's machine, best by letting its system do so over the network; the message says by how much it is off.",
    retryable: true,
  },
  REQUEST_REPLAYED: {
    exit: EXIT.connection,
    rpc: "unauthenticated",
    meaning:
      "A signed request came a second time. Each is signed anew, so the second was sent by somebody else, or by a proxy that repeats requests.",
    hint: "See whether a proxy between node and coordinator sends requests again.",
  },
  SIGNED_TOO_OFTEN: {
    exit: EXIT.connection,
    rpc: "resource_exhausted",
    meaning: "A node signed more requests within a minute than the coordinator remembers of one node.",
    hint: "Wait a minute. A node in good order signs a few requests a second.",
    retryable: true,
  },
});
