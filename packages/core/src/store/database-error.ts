import { NexusError, toNexusError } from "../errors/index.ts";

/** System calls on a connection to a server that is away or has just gone. */
const CONNECTION_ERRNOS = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTCONN", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"]);
/** PostgreSQL, Appendix A: shutting down, crashed, starting up, too many connections, chosen to end a deadlock; class 08 is added below. */
const CONNECTION_SQLSTATES = new Set(["57P01", "57P02", "57P03", "53300", "40P01"]);
/** What the driver says, without any code, when the server goes away under a query. */
const CONNECTION_WORDS =
  /^Connection terminated|^Client (has encountered a connection error|was closed)|^timeout (exceeded|expired)|^Connection ended unexpectedly|^This socket has been ended/;

/** A wrong address, and PostgreSQL's "no such database" and "insufficient privilege"; class 28 (authorization) is added below. */
const REFUSED_CODES = new Set(["ENOTFOUND", "ERR_INVALID_URL", "3D000", "42501"]);

/** Values that no column holds, which callers send: NUL in a text, a number beyond 64 bits (PostgreSQL, Appendix A, class 22). */
const UNSTORABLE = new Set(["22021", "22003", "22P05"]);

/** The error and everything it wraps, outermost first. */
function* chain(error: unknown): Generator<Error> {
  const seen = new Set<unknown>();
  for (let current = error; current instanceof Error && !seen.has(current); current = current.cause) {
    seen.add(current);
    yield current;
    if (current instanceof AggregateError) for (const one of current.errors) if (one instanceof Error) yield one;
  }
}

function codeOf(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function isConnectionError(error: Error): boolean {
  const code = codeOf(error);
  if (code === undefined) return CONNECTION_WORDS.test(error.message);
  return CONNECTION_ERRNOS.has(code) || CONNECTION_SQLSTATES.has(code) || /^08...$/.test(code);
}

/**
 * What a failed statement or connection means: DATABASE_UNAVAILABLE (retryable) when the server is away,
 * DATABASE_REFUSED when it does not let us in, MESSAGE_INVALID when a caller's value is none that it can hold, DISK_FULL for SQLSTATE 53100, INTERNAL otherwise. A `NexusError` stays what it is.
 */
export function databaseError(error: unknown): NexusError {
  for (const one of chain(error)) {
    if (one instanceof NexusError) return one;
    const code = codeOf(one);
    if (code === "53100") return new NexusError("DISK_FULL", `The database's disk is full: ${one.message}`, { cause: error });
    if (code !== undefined && (REFUSED_CODES.has(code) || /^28...$/.test(code))) {
      return new NexusError("DATABASE_REFUSED", `The database did not let us in: ${one.message}`, { cause: error, details: { sqlState: code } });
    }
    if (code !== undefined && UNSTORABLE.has(code)) {
      return new NexusError("MESSAGE_INVALID", `A value of the message can be in no row: ${[...chain(one)].at(-1)!.message}.`, {
        cause: error,
        details: { sqlState: code },
      });
    }
    if (isConnectionError(one)) {
      const words = one.message || code || "no answer";
      return new NexusError("DATABASE_UNAVAILABLE", `The database did not answer: ${words}`, { cause: error });
    }
  }
  // The innermost error is the database's own; the outer ones repeat the statement and its parameters.
  const innermost = [...chain(error)].at(-1);
  const known = toNexusError(error);
  if (known.code !== "INTERNAL" || innermost === undefined) return known;
  const code = codeOf(innermost);
  const details = code === undefined ? {} : { sqlState: code };
  return new NexusError("INTERNAL", `A database statement failed: ${innermost.message}`, { cause: error, details });
}

/** Whether the database refused a row because another has its key (SQLSTATE 23505), by constraint name when given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  for (const one of chain(error)) {
    if (codeOf(one) === "23505") return constraint === undefined || ("constraint" in one && one.constraint === constraint);
  }
  return false;
}
