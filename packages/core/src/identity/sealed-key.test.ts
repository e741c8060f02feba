import { createDecipheriv, randomBytes } from "node:crypto";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { openSealedKey, sealedKeySchema, sealKey } from "./sealed-key.ts";

const KEY = "a private key";
const PASSPHRASE = "five random words are easy";
const SECRET = randomBytes(32);

describe("a sealed key", () => {
  it.each([
    ["a passphrase", PASSPHRASE, "scrypt-17-8-1"],
    ["32 random bytes", SECRET, "hkdf-sha256"],
  ] as const)("is opened by what sealed it, %s, and by nothing else", async (_, secret, kdf) => {
    const sealed = await sealKey(KEY, secret);
    expect(sealedKeySchema.parse(JSON.parse(JSON.stringify(sealed)))).toEqual(sealed);
    expect(sealed.kdf).toBe(kdf);
    expect(await openSealedKey(sealed, secret)).toBe(KEY);
    expect(await openSealedKey(sealed, typeof secret === "string" ? "five other words are wrong" : randomBytes(32))).toBeUndefined();
    const bytes = Buffer.from(sealed.sealed, "base64");
    bytes[0]! ^= 1;
    expect(await openSealedKey({ ...sealed, sealed: bytes.toString("base64") }, secret)).toBeUndefined();
  });

  it("is derived by the kind of secret, whatever the file says", async () => {
    const [stretched, random] = await Promise.all([sealKey(KEY, PASSPHRASE), sealKey(KEY, SECRET)]);
    expect(await openSealedKey({ ...stretched, kdf: "hkdf-sha256" }, PASSPHRASE)).toBeUndefined();
    expect(await openSealedKey({ ...random, kdf: "scrypt-17-8-1" }, SECRET)).toBeUndefined();
    expect(await openSealedKey(random, SECRET.toString("latin1"))).toBeUndefined();
  });

  it("of 32 random bytes is opened by HKDF of another implementation", async () => {
    const { salt, iv, sealed } = await sealKey(KEY, SECRET);
    const key = hkdf(sha256, SECRET, Buffer.from(salt, "base64"), Buffer.from("ciphernx.sealed-key.v1"), 32);
    const bytes = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64")).setAuthTag(bytes.subarray(-16));
    expect(Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString()).toBe(KEY);
  });

  it.each([0, 16, 31, 33])("is not sealed with %i bytes", async (length) => {
    await expect(sealKey(KEY, randomBytes(length))).rejects.toThrow(`not ${length}`);
    await expect(openSealedKey(await sealKey(KEY, SECRET), randomBytes(length))).rejects.toThrow(`not ${length}`);
  });
});
