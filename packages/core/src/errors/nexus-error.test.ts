import { describe, expect, it } from "vitest";
import { ERROR_CATALOGUE, isErrorCode, NexusError, toNexusError } from "./index.ts";

describe("NexusError", () => {
  it("takes exit code, status, hint and page from the catalogue", () => {
    const error = new NexusError("SPEC_INVALID", "It is wrong.", { details: { spec: 1 } });
    expect(error).toMatchObject({
      code: "SPEC_INVALID",
      exitCode: 2,
      rpcStatus: "invalid_argument",
      docsPath: "docs/errors.md#spec_invalid",
      retryable: false,
      hint: ERROR_CATALOGUE.SPEC_INVALID.hint,
      details: { spec: 1 },
    });
  });

  it("keeps what it was given, and makes something of everything else", () => {
    const known = new NexusError("TIMEOUT", "Too late.");
    expect(toNexusError(known)).toBe(known);
    expect(toNexusError(Object.assign(new Error("no space"), { code: "ENOSPC" })).code).toBe("DISK_FULL");
    expect(toNexusError(new DOMException("stop", "AbortError")).code).toBe("INTERRUPTED");
    const strange = toNexusError("a string");
    expect([strange.code, strange.cause]).toEqual(["INTERNAL", "a string"]);
  });

  it("knows its codes, and not what every object inherits", () => {
    expect(isErrorCode("TIMEOUT")).toBe(true);
    expect(isErrorCode("toString")).toBe(false);
  });
});

describe("the catalogue", () => {
  it.each(Object.entries(ERROR_CATALOGUE))("%s says what it means and what to do next, in sentences", (code, { meaning, hint }) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(meaning).toMatch(/^[A-Z].*\.$/);
    expect(hint).toMatch(/.\.$/);
  });
});
