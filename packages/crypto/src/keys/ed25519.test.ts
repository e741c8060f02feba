import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { exportSigningKey, generateSigningKey, importSigningKey, sign, verify } from "./index.ts";

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const toHex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** RFC 8032 §7.1: TEST 1, 2, 3 and SHA(abc). */
const RFC_8032 = [
  {
    name: "TEST 1 (empty message)",
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  },
  {
    name: "TEST 2 (one byte)",
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  },
  {
    name: "TEST 3 (two bytes)",
    seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  },
  {
    name: "TEST SHA(abc)",
    seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    publicKey: "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    message: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    signature: "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
  },
];

describe("Ed25519, RFC 8032 §7.1", () => {
  it.each(RFC_8032)("$name", async (vector) => {
    const key = await importSigningKey(hex(vector.seed));
    expect(toHex(key.publicKey)).toBe(vector.publicKey);
    expect(toHex(await sign(key, hex(vector.message)))).toBe(vector.signature);
    expect(await verify(hex(vector.publicKey), hex(vector.message), hex(vector.signature))).toBe(true);
  });
});

describe("signing keys", () => {
  it("survive export and import in both forms", async () => {
    const key = await generateSigningKey();
    const message = new TextEncoder().encode("hello");
    const signature = await sign(key, message);
    for (const format of ["seed", "pkcs8"] as const) {
      const again = await importSigningKey(await exportSigningKey(key, format));
      expect(again.publicKey).toEqual(key.publicKey);
      expect(await sign(again, message)).toEqual(signature);
    }
  });

  it("are refused in any other form", async () => {
    const pkcs8 = await exportSigningKey(await generateSigningKey(), "pkcs8");
    await expect(importSigningKey(new Uint8Array(31))).rejects.toThrow(RangeError);
    await expect(importSigningKey(new Uint8Array(33))).rejects.toThrow(RangeError);
    await expect(importSigningKey(new Uint8Array(48))).rejects.toThrow(RangeError);
    pkcs8[9] = 0x66;
    await expect(importSigningKey(pkcs8)).rejects.toThrow(RangeError);
  });

  it("accept views into larger and shared memory", async () => {
    const { publicKey, message, signature } = RFC_8032[2]!;
    const shared = new Uint8Array(new SharedArrayBuffer(200));
    shared.set(hex(publicKey), 3);
    shared.set(hex(message), 50);
    shared.set(hex(signature), 100);
    expect(await verify(shared.subarray(3, 35), shared.subarray(50, 52), shared.subarray(100, 164))).toBe(true);
  });
});

describe("verify", () => {
  it("is false after any one bit is changed", async () => {
    const vector = RFC_8032[2]!;
    const [publicKey, message, signature] = [hex(vector.publicKey), hex(vector.message), hex(vector.signature)];
    const total = (32 + 2 + 64) * 8;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: total - 1 }), async (bit) => {
        const all = Uint8Array.of(...publicKey, ...message, ...signature);
        all[bit >> 3]! ^= 1 << (bit & 7);
        expect(await verify(all.subarray(0, 32), all.subarray(32, 34), all.subarray(34))).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it("is false for wrong lengths instead of throwing", async () => {
    const vector = RFC_8032[0]!;
    const [publicKey, signature] = [hex(vector.publicKey), hex(vector.signature)];
    expect(await verify(publicKey.subarray(1), new Uint8Array(), signature)).toBe(false);
    expect(await verify(publicKey, new Uint8Array(), signature.subarray(0, 63))).toBe(false);
    expect(await verify(publicKey, new Uint8Array(), Uint8Array.of(...signature, 0))).toBe(false);
    expect(await verify(new Uint8Array(), new Uint8Array(), new Uint8Array())).toBe(false);
  });

  it("is false when the scalar is not reduced (RFC 8032 §5.1.7: 0 ≤ s < L)", async () => {
    const vector = RFC_8032[0]!;
    const signature = hex(vector.signature);
    const order = (1n << 252n) + 27742317777372353535851937790883648493n;
    let s = 0n;
    for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(signature[i]!);
    s += order;
    for (let i = 32; i < 64; i++, s >>= 8n) signature[i] = Number(s & 0xffn);
    expect(await verify(hex(vector.publicKey), new Uint8Array(), signature)).toBe(false);
  });

  it("is false for keys of small order, which would sign anything", async () => {
    const points = smallOrderPoints();
    expect(points).toHaveLength(8);
    // With s = 0 the equation of RFC 8032 §5.1.7 is 0 = R + k·A, and for A of small order some R of small order solves it.
    let solutions = 0;
    for (const key of points) {
      for (const commitment of points) {
        for (let message = 0; message < 4; message++) {
          const digest = createHash("sha512").update(commitment.encoded).update(key.encoded).update(Uint8Array.of(message)).digest();
          const k = BigInt(`0x${Buffer.from(digest.toReversed()).toString("hex")}`) % ORDER;
          if (add(commitment.point, multiply(k % 8n, key.point))[1] === 1n) solutions += 1;
          expect(await verify(key.encoded, Uint8Array.of(message), Uint8Array.of(...commitment.encoded, ...new Uint8Array(32)))).toBe(false);
        }
      }
    }
    expect(solutions).toBeGreaterThanOrEqual(8);
  });
});

type Point = readonly [x: bigint, y: bigint];
const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (a: bigint) => ((a % P) + P) % P;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) if (e & 1n) result = mod(result * b);
  return result;
}

const inverse = (a: bigint) => power(a, P - 2n);
const D = mod(-121665n * inverse(121666n));

function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const t = mod(D * mod(x1 * x2) * mod(y1 * y2));
  return [mod((x1 * y2 + x2 * y1) * inverse(1n + t)), mod((y1 * y2 + x1 * x2) * inverse(1n - t))];
}

function multiply(scalar: bigint, point: Point): Point {
  let sum: Point = [0n, 1n];
  for (let e = scalar, q = point; e > 0n; e >>= 1n, q = add(q, q)) if (e & 1n) sum = add(sum, q);
  return sum;
}

/** The eight points whose order divides 8, computed from the curve (RFC 8032 §5.1) rather than from a table. */
function smallOrderPoints(): { point: Point; encoded: Uint8Array<ArrayBuffer> }[] {
  const found = new Map<string, { point: Point; encoded: Uint8Array<ArrayBuffer> }>();
  for (let y = 2n; found.size < 8; y++) {
    const xx = mod((y * y - 1n) * inverse(D * y * y + 1n));
    let x = power(xx, (P + 3n) / 8n);
    if (mod(x * x) !== xx) x = mod(x * power(2n, (P - 1n) / 4n));
    if (mod(x * x) !== xx) continue;
    // ORDER · point loses the large part of the point and keeps the small one.
    const small = multiply(ORDER, [x, y]);
    for (let i = 0n; i < 8n; i++) {
      const point = multiply(i, small);
      const encoded = new Uint8Array(32);
      for (let j = 0, rest = point[1] | ((point[0] & 1n) << 255n); j < 32; j++, rest >>= 8n) encoded[j] = Number(rest & 0xffn);
      found.set(encoded.join(), { point, encoded });
    }
  }
  return [...found.values()];
}
