import { defineErrors, EXIT } from "./define.ts";

export const tlsErrors = defineErrors({
  SERVER_NOT_TRUSTED: {
    exit: EXIT.connection,
    rpc: "unauthenticated",
    meaning: "The certificate of the server is not one to trust: another CA's, for another name, or out of its time. Nothing was sent to it.",
    hint: "Check the address; give the coordinator's CA certificate (`ca/ca.crt` in its data folder) with --ca.",
  },
  TLS_MISMATCH: {
    exit: EXIT.connection,
    rpc: "failed_precondition",
    meaning: "One side speaks TLS 1.3, the other does not.",
    hint: "Use https:// with the port of `nexus up --listen`, and http:// with the plain port on the coordinator's own machine.",
  },
  CERTIFICATE_REQUIRED: {
    exit: EXIT.connection,
    rpc: "unauthenticated",
    meaning: "A node came over TLS without a certificate of the coordinator's CA that names it.",
    hint: "Run the node with its own folder, as `nexus node join` made it.",
  },
  CERTIFICATE_EXPIRED: {
    exit: EXIT.connection,
    rpc: "unauthenticated",
    meaning: "The certificate of a node has expired.",
    hint: "`nexus node run` renews it by itself; check the clocks of both machines.",
    retryable: true,
  },
  CERTIFICATE_REQUEST_INVALID: {
    exit: EXIT.failed,
    rpc: "invalid_argument",
    meaning: "A request for a certificate is damaged, asks for another kind of key, or is not signed by the key that it brings.",
    hint: "Use a node of the same version as the coordinator.",
  },
  CA_UNUSABLE: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "The coordinator's certification authority cannot be opened.",
    hint: "Give the file with its passphrase: `nexus up --ca-passphrase-file FILE`.",
  },
});
