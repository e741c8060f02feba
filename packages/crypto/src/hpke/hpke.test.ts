import { hexToBytes } from "@noble/hashes/utils.js";
import { describe, expect, it } from "vitest";
import { RFC_7748_6_1, RFC_9180_A_1_3 } from "./hpke.vectors.ts";
import { nodeHpke } from "./node.ts";
import { type AuthHpke, webHpke } from "./index.ts";

const text = (words: string) => new TextEncoder().encode(words);
/** u = 0, 1, and the point of order 8 that RFC 7748's references list. */
const SMALL_ORDER = [
  new Uint8Array(32),
  Uint8Array.of(1, ...new Uint8Array(31)),
  hexToBytes("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
];

describe.each([
  ["node:crypto", nodeHpke],
  ["WebCrypto", webHpke],
] as const)("over %s", (_, hpkeOf) => {
  const hpke = hpkeOf();

  it("agrees as RFC 7748 §6.1 has it", async () => {
    const [alice, bob] = [await hpke.fromSecret(hexToBytes(RFC_7748_6_1.alice)), await hpke.fromSecret(hexToBytes(RFC_7748_6_1.bob))];
    expect([alice.publicKey, bob.publicKey]).toEqual([hexToBytes(RFC_7748_6_1.alicePublic), hexToBytes(RFC_7748_6_1.bobPublic)]);
    expect(await hpke.agree(alice, bob.publicKey)).toEqual(hexToBytes(RFC_7748_6_1.shared));
    expect(await hpke.agree(bob, alice.publicKey)).toEqual(hexToBytes(RFC_7748_6_1.shared));
  });

  it("seals and opens what RFC 9180 A.1.3 has", async () => {
    const { info, aad, pt, ct, pkEm, skEm, skRm, pkRm, skSm, pkSm } = RFC_9180_A_1_3;
    const [sender, recipient] = [await hpke.fromSecret(hexToBytes(skSm)), await hpke.fromSecret(hexToBytes(skRm))];
    expect([sender.publicKey, recipient.publicKey]).toEqual([hexToBytes(pkSm), hexToBytes(pkRm)]);
    const fixed = hpkeOf(await hpke.fromSecret(hexToBytes(skEm)));
    const bound = { info: hexToBytes(info), aad: hexToBytes(aad) };
    const sealed = await fixed.seal({ ...bound, recipient: hexToBytes(pkRm), sender, plaintext: hexToBytes(pt) });
    expect(sealed).toEqual({ enc: hexToBytes(pkEm), ciphertext: hexToBytes(ct) });
    expect(await hpke.open({ ...bound, recipient, sender: hexToBytes(pkSm), ...sealed })).toEqual(hexToBytes(pt));
  });

  it("opens nothing that another sealed, or for another, or that was changed", async () => {
    const [sender, recipient, other] = await Promise.all([pair(hpke, 1), pair(hpke, 2), pair(hpke, 3)]);
    const bound = { info: text("info"), aad: text("aad") };
    const sealed = await hpke.seal({ ...bound, recipient: recipient.publicKey, sender, plaintext: text("secret") });
    const opens = { ...bound, ...sealed, recipient, sender: sender.publicKey };
    expect(await hpke.open(opens)).toEqual(text("secret"));
    expect(await hpke.open({ ...opens, sender: other.publicKey })).toBeUndefined();
    expect(await hpke.open({ ...opens, recipient: other })).toBeUndefined();
    expect(await hpke.open({ ...opens, aad: text("aae") })).toBeUndefined();
    expect(await hpke.open({ ...opens, info: text("inf0") })).toBeUndefined();
    expect(await hpke.open({ ...opens, enc: other.publicKey })).toBeUndefined();
    expect(await hpke.open({ ...opens, enc: sealed.enc.subarray(1) })).toBeUndefined();
    expect(await hpke.open({ ...opens, ciphertext: sealed.ciphertext.with(3, sealed.ciphertext[3]! ^ 1) })).toBeUndefined();
    expect(await hpke.open({ ...opens, ciphertext: sealed.ciphertext.subarray(0, 5) })).toBeUndefined();
  });

  it("seals the same twice in different ways", async () => {
    const [sender, recipient] = await Promise.all([pair(hpke, 1), pair(hpke, 2)]);
    const options = { recipient: recipient.publicKey, sender, info: text("info"), aad: text("aad"), plaintext: text("secret") };
    const [one, two] = [await hpke.seal(options), await hpke.seal(options)];
    expect(one.enc).not.toEqual(two.enc);
    expect(one.ciphertext).not.toEqual(two.ciphertext);
  });

  it("takes no keys of small order", async () => {
    const own = await pair(hpke, 1);
    for (const point of SMALL_ORDER) {
      expect(await hpke.agree(own, point)).toBeUndefined();
      const options = { recipient: point, sender: own, info: text("info"), aad: text("aad"), plaintext: text("secret") };
      await expect(hpke.seal(options)).rejects.toThrow(RangeError);
    }
    expect(await hpke.agree(own, new Uint8Array(31))).toBeUndefined();
  });
});

it("opens in one what the other sealed", async () => {
  const [node, web] = [nodeHpke(), webHpke()];
  for (const [from, to] of [
    [node, web],
    [web, node],
  ] as const) {
    const [sender, recipient] = [await pair(from, 7), await pair(to, 8)];
    const bound = { info: text("info"), aad: text("aad") };
    const sealed = await from.seal({ ...bound, recipient: recipient.publicKey, sender, plaintext: text("secret") });
    expect(await to.open({ ...bound, ...sealed, recipient, sender: sender.publicKey })).toEqual(text("secret"));
  }
});

it("refuses a secret of another length", async () => {
  await expect(webHpke().fromSecret(new Uint8Array(31))).rejects.toThrow("32 bytes, not 31");
  expect(() => nodeHpke().fromSecret(new Uint8Array(33))).toThrow("32 bytes, not 33");
});

function pair(hpke: AuthHpke, byte: number) {
  return hpke.fromSecret(new Uint8Array(32).fill(byte));
}
