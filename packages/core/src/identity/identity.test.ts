import { generateKeyPairSync, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NexusError } from "../errors/index.ts";
import { addressKey } from "./attempt-limit.ts";
import {
  apiTokenState,
  claimsApiToken,
  createAttemptLimit,
  hashSecret,
  isApiToken,
  isRole,
  newApiToken,
  redactError,
  redactSecrets,
  redactValue,
  sameSecret,
} from "./index.ts";

describe("API tokens", () => {
  it("have a prefix and a checksum that every single changed character breaks", () => {
    const token = newApiToken();
    expect(token).toMatch(/^nxt_[\w-]{43}[0-9a-f]{8}$/);
    expect(isApiToken(token)).toBe(true);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom("a", "f", "X", "Z", "0", "9", "_", "-"), (place, character) => {
        const changed = token.slice(0, place) + character + token.slice(place + 1);
        return isApiToken(changed) === (changed === token);
      }),
    );
    expect(isApiToken(token.slice(0, -1))).toBe(false);
    expect(isApiToken(`${token}0`)).toBe(false);
    expect(claimsApiToken(token.slice(0, 9))).toBe(true);
    expect(claimsApiToken(randomBytes(32).toString("base64url").replace(/^n/, "m"))).toBe(false);
  });

  it("are valid until they expire or are revoked", () => {
    const expiresAt = new Date("2030-01-01T00:00:00Z");
    expect(apiTokenState({ expiresAt, revokedAt: null }, new Date("2029-12-31T23:59:59Z"))).toBe("valid");
    expect(apiTokenState({ expiresAt, revokedAt: null }, expiresAt)).toBe("expired");
    expect(apiTokenState({ expiresAt, revokedAt: new Date("2029-01-01T00:00:00Z") }, new Date("2031-01-01T00:00:00Z"))).toBe("revoked");
  });
});

describe("secrets", () => {
  it("are stored as SHA-256: FIPS 180-4, the example of one block", () => {
    expect(hashSecret("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
  it("are compared whatever their lengths", () => {
    expect([sameSecret("a", "a"), sameSecret("a", "b"), sameSecret("a", "aa"), sameSecret("", "")]).toEqual([true, false, false, true]);
  });
});

it("roles are four words", () => {
  expect(["owner", "data-scientist", "data-owner", "auditor", "Owner", "toString", ""].map(isRole)).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

describe("the limit on wrong secrets", () => {
  it("lets a burst through, then one each time the bucket has filled by one", () => {
    let now = 0;
    const limit = createAttemptLimit({ perMinute: 20, now: () => now });
    for (let attempt = 0; attempt < 20; attempt += 1) {
      expect(limit.retryAfterSeconds("10.0.0.1")).toBe(0);
      limit.failed("10.0.0.1");
    }
    expect(limit.retryAfterSeconds("10.0.0.1")).toBe(3);
    expect(limit.retryAfterSeconds("10.0.0.2")).toBe(0);
    for (let attempt = 0; attempt < 100; attempt += 1) limit.failed("10.0.0.1");
    expect(limit.retryAfterSeconds("10.0.0.1")).toBe(3);
    now = 3_000;
    expect(limit.retryAfterSeconds("10.0.0.1")).toBe(0);
    limit.failed("10.0.0.1");
    expect(limit.retryAfterSeconds("10.0.0.1")).toBe(3);
    now = 10 * 60_000;
    expect(limit.retryAfterSeconds("10.0.0.1")).toBe(0);
  });

  it("remembers so many addresses and no more, the latest ones", () => {
    const limit = createAttemptLimit({ perMinute: 1, maxAddresses: 3, now: () => 0 });
    for (let host = 0; host < 100; host += 1) limit.failed(`10.0.0.${host}`);
    expect(limit.size).toBe(3);
    expect(limit.retryAfterSeconds("10.0.0.0")).toBe(0);
    expect(limit.retryAfterSeconds("10.0.0.99")).toBe(60);
  });

  it.each([
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["192.0.2.7", "192.0.2.7"],
    ["::1", "0:0:0:0"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["2001:DB8:0:0:ffff::2", "2001:db8:0:0"],
    ["2001:0db8:0001:2::", "2001:db8:1:2"],
    ["fe80::1%eth0", "fe80:0:0:0"],
  ])("counts %s as %s", (address, key) => expect(addressKey(address)).toBe(key));
});

describe("redaction", () => {
  const random = randomBytes(32).toString("base64url");
  it.each([
    ["an API token", newApiToken()],
    ["an invitation of an organisation", `noi_${randomBytes(32).toString("base64url")}`],
    ["a join token", `njt_${randomBytes(24).toString("base64url")}`],
    ["an owner or session token", `${random.slice(0, 41)}aZ`],
    ["a private key as PKCS#8 in base64", generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "der" }).toString("base64")],
    ["a key as PEM", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHnotsecret\n-----END PRIVATE KEY-----"],
  ])("takes out %s, in a text and in JSON", (_, secret) => {
    expect(redactSecrets(`before ${secret} after`)).toBe("before [redacted] after");
    const line = redactSecrets(JSON.stringify({ msg: `x ${secret}`, token: secret }));
    expect(JSON.parse(line)).toEqual({ msg: "x [redacted]", token: "[redacted]" });
  });

  it("takes out what stands in headers and addresses", () => {
    expect(redactSecrets("authorization: Bearer abc.def-ghi")).toBe("authorization: Bearer [redacted]");
    expect(redactSecrets("postgres://nexus:hunter2@db:5432/x")).toBe("postgres://nexus:[redacted]@db:5432/x");
    expect(redactSecrets("http://proxy:p@ss:w@10.0.0.1:3128 refused")).toBe("http://proxy:[redacted]@10.0.0.1:3128 refused");
    expect(redactSecrets("Set-Cookie: a=0123456789; HttpOnly\nok")).toBe("Set-Cookie: [redacted]\nok");
    expect(JSON.parse(redactSecrets(JSON.stringify({ cookie: "theme=dark; sid=0123456789", n: 1 })))).toEqual({ cookie: "[redacted]", n: 1 });
  });

  it("goes through values and errors", () => {
    const token = newApiToken();
    const value = { list: [1n, { said: `x ${token}` }], at: new Date(0), none: null };
    expect(redactValue(value)).toEqual({ ...value, list: [1n, { said: "x [redacted]" }] });
    const error = new NexusError("USAGE", `No ${token}.`, { hint: `Not ${token} .`, details: value });
    expect(redactError(error)).toMatchObject({ code: "USAGE", message: "No [redacted].", hint: "Not [redacted] .", details: { at: value.at } });
  });

  it("leaves hashes, ids, names and addresses as they are", () => {
    const text = `run_0123456789abcdefghjk ${hashSecret("x")} http://127.0.0.1:7700/x heart-disease-of-four-hospitals-in-the-midlan njt_TOKEN`;
    expect(redactSecrets(text)).toBe(text);
  });
});
