import { defineErrors, EXIT } from "./define.ts";

export const wireErrors = defineErrors({
  PROXY_REFUSED: {
    exit: EXIT.connection,
    rpc: "permission_denied",
    meaning: "The HTTP proxy on the way to the coordinator wants another user and password, or lets nobody through to that host and port.",
    hint: "Check --proxy or HTTPS_PROXY; hosts that are reached without it are listed in NO_PROXY. Ask whoever runs the proxy to let CONNECT through to the coordinator's port.",
  },
  COORDINATOR_UNREACHABLE: {
    exit: EXIT.connection,
    rpc: "unavailable",
    meaning: "No coordinator answers at that address.",
    hint: "Start one with `nexus up`, or check the address.",
    retryable: true,
  },
  UNAUTHENTICATED: {
    exit: EXIT.connection,
    rpc: "unauthenticated",
    meaning: "The caller showed no valid token, session or signature.",
    hint: "Use the owner token of the coordinator's data folder or a valid API token; a node opens its session anew, or joins again.",
  },
  FORBIDDEN: {
    exit: EXIT.connection,
    rpc: "permission_denied",
    meaning: "The caller is known, but not allowed to do that.",
    hint: "Ask the owner of the project.",
  },
  SIGNATURE_INVALID: {
    exit: EXIT.connection,
    rpc: "permission_denied",
    meaning: "A signature does not belong to the named node and content.",
    hint: "If the node's folder was restored or copied, join it again.",
  },
  PORT_IN_USE: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "Another program listens on that port.",
    hint: "Choose another with --port, or stop the other program.",
  },
  ADDRESS_NOT_LOOPBACK: {
    exit: EXIT.usage,
    rpc: "invalid_argument",
    meaning: "Nothing is sent off the machine, or served to another, without TLS.",
    hint: "Use 127.0.0.1 or ::1 here; `nexus up --listen` serves other machines over TLS, at https://.",
  },
  UPLOAD_OFFSET_MISMATCH: {
    exit: EXIT.failed,
    rpc: "aborted",
    meaning: "An interrupted upload was to go on at another byte than the one at which the coordinator's part of it ends.",
    hint: "Ask how far the upload came and send the rest from there, or send all of it.",
    retryable: true,
  },
  MESSAGE_INVALID: {
    exit: EXIT.failed,
    rpc: "invalid_argument",
    meaning: "A message lacks a field or holds a value out of its range.",
    hint: "Use a client of the same version as the coordinator.",
  },
});
