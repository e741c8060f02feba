import { scryptSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashPassword, passwordFault, verifyPassword } from "./password.ts";

describe("passwords", () => {
  it("are hashed by scrypt as RFC 7914 §12 has it", () => {
    // The RFC's own vector, against the primitive that the module calls.
    const key = scryptSync("pleaseletmein", "SodiumChloride", 64, { N: 16_384, r: 8, p: 1 });
    expect(key.toString("hex")).toMatch(/^7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2/);
  });

  it("are known again, and nothing else is; no two hashes are alike", async () => {
    const hash = await hashPassword("correct horse battery staple");
    expect(hash).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[\w-]{22}\$[\w-]{43}$/);
    expect(await verifyPassword(hash, "correct horse battery staple")).toBe(true);
    expect(await verifyPassword(hash, "correct horse battery stable")).toBe(false);
    expect(await hashPassword("correct horse battery staple")).not.toBe(hash);
  });

  it("are the same however their accents are encoded", async () => {
    const hash = await hashPassword("le café de la gare".normalize("NFC"));
    expect(await verifyPassword(hash, "le café de la gare".normalize("NFD"))).toBe(true);
  });

  it("refuse a hash of weaker settings", async () => {
    await expect(verifyPassword("$scrypt$ln=10,r=8,p=1$AAAA$AAAA", "x")).rejects.toMatchObject({ code: "INTERNAL" });
  });
});

describe("what is fit for a password", () => {
  it.each([
    ["short", "at least 15"],
    ["x".repeat(257), "more than 256"],
    ["aaaaaaaaaaaaaaaaaaaa", "over and over"],
    ["my ada@clinic.example", "its owner"],
    ["Ada Lovelace is great", "its owner"],
  ])("not %s", (password, told) => expect(passwordFault(password, ["ada@clinic.example", "Ada Lovelace"])).toContain(told));

  it("is anything long that is not known of the person", () => {
    expect(passwordFault("correct horse battery staple", ["ada@clinic.example", "Ada"])).toBeUndefined();
    fc.assert(
      fc.property(fc.string({ maxLength: 14 }), (text) => {
        expect(passwordFault(text, [])).toContain("at least 15");
      }),
    );
  });
});
