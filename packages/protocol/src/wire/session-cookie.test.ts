import { describe, expect, it } from "vitest";
import { claimsSessionToken, isFromOwnPage, sessionCookieValue, sessionToken } from "./session-cookie.ts";

const own = { "sec-fetch-site": "same-origin" };

describe("a session cookie", () => {
  it("travels on as a token, decoded", () => {
    const token = sessionToken({ ...own, cookie: "a=1; s=abc.d%2Fe%3D; b=2" }, "s");
    expect(token).toBe("nxs_abc.d/e=");
    expect(claimsSessionToken(token!)).toBe(true);
    expect(sessionCookieValue(token!)).toBe("abc.d/e=");
  });

  it.each([
    ["from another site", { "sec-fetch-site": "cross-site", origin: "http://localhost" }],
    ["from another port of this machine", { "sec-fetch-site": "same-site", origin: "http://localhost" }],
    ["from nowhere: an address that somebody typed", { "sec-fetch-site": "none" }],
    ["without a word where from", {}],
  ])("does not count %s", (_, headers) => {
    expect(isFromOwnPage(headers)).toBe(false);
    expect(sessionToken({ ...headers, cookie: "s=abc" }, "s")).toBeUndefined();
  });

  it("counts where an old browser names its origin alone", () => {
    expect(sessionToken({ origin: "http://localhost:1", cookie: "s=abc" }, "s")).toBe("nxs_abc");
  });

  it.each(["", "t=abc", "s=", "s=a; s=b", "s=%E0%A4%A", `s=${"x".repeat(257)}`, "ss=abc"])("is none of ours: %s", (cookie) => {
    expect(sessionToken({ ...own, cookie }, "s")).toBeUndefined();
  });
});
