import type { ErrorEntry } from "./define.ts";
import { auditErrors } from "./audit.ts";
import { dataErrors } from "./data.ts";
import { generalErrors } from "./general.ts";
import { identityErrors } from "./identity.ts";
import { nodeErrors } from "./node.ts";
import { rosterErrors } from "./roster.ts";
import { peopleErrors } from "./people.ts";
import { runErrors } from "./run.ts";
import { signatureErrors } from "./signatures.ts";
import { specErrors } from "./spec.ts";
import { storeErrors } from "./store.ts";
import { tlsErrors } from "./tls.ts";
import { wireErrors } from "./wire.ts";

/**
 * The one table of error codes: exit code, RPC status, meaning and default hint. An area of the
 * product owns one file beside this one; the reference page `docs/errors.md` is generated from here.
 */
export const ERROR_CATALOGUE = {
  ...generalErrors,
  ...specErrors,
  ...auditErrors,
  ...dataErrors,
  ...nodeErrors,
  ...rosterErrors,
  ...runErrors,
  ...storeErrors,
  ...tlsErrors,
  ...wireErrors,
  ...signatureErrors,
  ...identityErrors,
  ...peopleErrors,
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
