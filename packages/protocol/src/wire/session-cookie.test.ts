import { describe, expect, it } from "vitest";
import { claimsSessionToken, isFromOwnPage, sessionCookieValue, sessionToken, socketSessionToken } from "./session-cookie.ts";

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

describe("a session cookie at a WebSocket", () => {
  const cookie = "s=abc";
  it("counts from a page of the server's own origin", () => {
    expect(socketSessionToken({ cookie, origin: "https://a.example:7701" }, "s", "a.example:7701", true)).toBe("nxs_abc");
    expect(socketSessionToken({ cookie, ...own, origin: "https://a.example" }, "s", "A.example:443", true)).toBe("nxs_abc");
    expect(socketSessionToken({ cookie, origin: "http://localhost:7700" }, "s", "localhost:7700", false)).toBe("nxs_abc");
  });

  it.each([
    ["another host", { origin: "https://b.example" }],
    ["another port", { origin: "https://a.example:1" }],
    ["the same host in plain", { origin: "http://a.example" }],
    ["nowhere", {}],
    ["nowhere, though the browser says that it is the same", own],
    ["a document without an origin", { origin: "null" }],
    ["its own origin, which the browser says it is not", { origin: "https://a.example", "sec-fetch-site": "cross-site" }],
    ["two origins", { origin: "https://a.example https://b.example" }],
  ])("does not count from %s", (_, headers) => {
    expect(socketSessionToken({ cookie, ...headers }, "s", "a.example", true)).toBeUndefined();
  });
});
