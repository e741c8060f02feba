import { describe, expect, it } from "vitest";
import { NexusError } from "../errors/index.ts";
import { databaseError, isUniqueViolation } from "./database-error.ts";
import { retrying } from "./retrying.ts";

const withCode = (code: string, message = "words", more: object = {}): Error => Object.assign(new Error(message), { code, ...more });
const wrapped = (cause: unknown): Error => new Error("Failed query: select 1", { cause });

describe("databaseError", () => {
  it.each(["ECONNREFUSED", "ECONNRESET", "57P01", "57P02", "57P03", "08006", "08P01", "53300"])("takes %s for a server that is away", (code) => {
    expect(databaseError(wrapped(withCode(code)))).toMatchObject({ code: "DATABASE_UNAVAILABLE", retryable: true });
  });

  it("knows the driver's words and errors of several addresses", () => {
    expect(databaseError(new Error("Connection terminated unexpectedly")).code).toBe("DATABASE_UNAVAILABLE");
    expect(databaseError(new AggregateError([withCode("ECONNREFUSED")])).code).toBe("DATABASE_UNAVAILABLE");
  });

  it.each(["28P01", "28000", "3D000", "42501", "ENOTFOUND"])("takes %s for a server that does not let us in", (code) => {
    expect(databaseError(wrapped(withCode(code)))).toMatchObject({ code: "DATABASE_REFUSED", retryable: false });
  });

  it("tells a full disk and a plain mistake apart, and shows the database's own words", () => {
    expect(databaseError(wrapped(withCode("53100"))).code).toBe("DISK_FULL");
    const mistake = databaseError(wrapped(withCode("42P01", 'relation "x" does not exist')));
    expect(mistake).toMatchObject({ code: "INTERNAL", retryable: false, details: { sqlState: "42P01" } });
    expect(mistake.message).toContain('relation "x" does not exist');
  });

  it.each(["22021", "22003", "22P05"])("takes %s for a value that a caller sent and no column holds", (code) => {
    expect(databaseError(wrapped(withCode(code)))).toMatchObject({ code: "MESSAGE_INVALID", retryable: false, details: { sqlState: code } });
  });

  it("leaves a NexusError as it is, also one that a transaction wrapped", () => {
    const own = new NexusError("RUN_NOT_FOUND", "no run");
    expect(databaseError(own)).toBe(own);
    expect(databaseError(wrapped(own))).toBe(own);
  });

  it("ends on errors that cause each other", () => {
    const a = new Error("a");
    a.cause = new Error("b", { cause: a });
    expect(databaseError(a).code).toBe("INTERNAL");
  });

  it("finds a unique violation by its constraint", () => {
    const error = wrapped(withCode("23505", "duplicate key", { constraint: "nodes_name" }));
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, "nodes_name")).toBe(true);
    expect(isUniqueViolation(error, "projects_name")).toBe(false);
    expect(isUniqueViolation(withCode("23503"))).toBe(false);
  });
});

describe("retrying", () => {
  it("repeats while the database is away, and no longer than it may", async () => {
    let calls = 0;
    expect(
      await retrying(async () => {
        calls += 1;
        if (calls < 3) throw withCode("57P03");
        return calls;
      }),
    ).toBe(3);
    await expect(retrying(() => Promise.reject(withCode("ECONNREFUSED")), { timeoutMs: 60 })).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
  });

  it("does not repeat what would fail again", async () => {
    let calls = 0;
    const work = async (): Promise<never> => {
      calls += 1;
      throw withCode("42601", "syntax error");
    };
    await expect(retrying(work)).rejects.toMatchObject({ code: "INTERNAL" });
    expect(calls).toBe(1);
  });

  it("ends when its signal aborts", async () => {
    const controller = new AbortController();
    const trying = retrying(() => Promise.reject(withCode("57P01")), { signal: controller.signal });
    controller.abort();
    await expect(trying).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});
