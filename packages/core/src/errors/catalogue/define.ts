/** Process exit codes of the `nexus` command, shared by every program that ends on an error. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  timeout: 3,
  connection: 4,
  internal: 5,
  interrupted: 130,
} as const;

/** RPC status names (gRPC canonical codes, as Connect spells them). */
export type RpcStatus =
  | "aborted"
  | "already_exists"
  | "canceled"
  | "data_loss"
  | "deadline_exceeded"
  | "failed_precondition"
  | "internal"
  | "invalid_argument"
  | "not_found"
  | "out_of_range"
  | "permission_denied"
  | "resource_exhausted"
  | "unauthenticated"
  | "unavailable";

/** One row of the error catalogue. */
export interface ErrorEntry {
  /** Exit code of the command line. */
  readonly exit: (typeof EXIT)[keyof typeof EXIT];
  /** Status on the wire. */
  readonly rpc: RpcStatus;
  /** What the code means, one sentence, for the reference page. */
  readonly meaning: string;
  /** The next step, used when the thrower gives no more specific one. */
  readonly hint: string;
  /** Whether the same call may succeed later without anything being changed. Default false. */
  readonly retryable?: boolean;
}

/** Checks the shape of one area's codes and keeps their names as literal types. */
export function defineErrors<const T extends Record<string, ErrorEntry>>(entries: T): T {
  return entries;
}
