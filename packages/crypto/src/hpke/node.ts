/**
 * HPKE over Node's own cryptography. The library's WebCrypto primitives wait for some twenty answers a message (0.85 ms); these answer at once, or nearly (0.3 ms), and a
 * party of a large cohort seals and opens hundreds. HMAC on short inputs is @noble/hashes': Node's costs four times as much to set up.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, KeyObject } from "node:crypto";
import { Dhkem, type DhkemPrimitives, HkdfSha256Native, KemId } from "@hpke/common";
import { Aes128Gcm } from "@hpke/core";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { x25519Pkcs8 } from "./pkcs8.ts";
import { type AgreementKey, authHpke, type AuthHpke, TAG_BYTES, type X25519, X25519_BYTES } from "./suite.ts";

/** A key as the library passes it through: for itself it is opaque. */
interface NodeKey {
  /** Absent where nothing is agreed with the key: the public half of an own pair is only written into what is derived, and importing it takes as long as agreeing. */
  readonly key?: KeyObject;
  /** Of a public key. */
  readonly raw: Uint8Array<ArrayBuffer>;
}

const x25519: X25519 = {
  fromSecret(secret) {
    const pkcs8 = x25519Pkcs8(secret);
    const key = createPrivateKey({ key: Buffer.from(pkcs8.buffer), format: "der", type: "pkcs8" });
    pkcs8.fill(0);
    return Promise.resolve({ publicKey: rawOf(createPublicKey(key)), secret: key });
  },
  async agree({ secret }, publicKey) {
    return publicKey.length === X25519_BYTES ? agreed(secret as KeyObject, await publicKeyOf(publicKey)) : undefined;
  },
};

class NodeHkdf extends HkdfSha256Native {
  override extract(salt: ArrayBufferLike | ArrayBufferView, ikm: ArrayBufferLike | ArrayBufferView): Promise<ArrayBuffer> {
    return Promise.resolve(bufferOf(extract(sha256, viewOf(ikm), saltOf(salt))));
  }

  override expand(prk: ArrayBufferLike | ArrayBufferView, info: ArrayBufferLike | ArrayBufferView, length: number): Promise<ArrayBuffer> {
    return Promise.resolve(bufferOf(expand(sha256, viewOf(prk), viewOf(info), length)));
  }

  override extractAndExpand(
    salt: ArrayBufferLike | ArrayBufferView,
    ikm: ArrayBufferLike | ArrayBufferView,
    info: ArrayBufferLike | ArrayBufferView,
    length: number,
  ): Promise<ArrayBuffer> {
    return Promise.resolve(bufferOf(expand(sha256, extract(sha256, viewOf(ikm), saltOf(salt)), viewOf(info), length)));
  }
}

/** What HPKE's auth mode calls; the rest of the interface is never reached. */
const primitives: Pick<DhkemPrimitives, "serializePublicKey" | "deserializePublicKey" | "generateKeyPair" | "dh"> = {
  serializePublicKey: (key) => Promise.resolve(bufferOf(nodeKey(key).raw)),
  deserializePublicKey: async (bytes) => {
    const raw = Uint8Array.from(viewOf(bytes));
    return libraryKey({ raw, key: await publicKeyOf(raw) });
  },
  generateKeyPair: () => {
    const { publicKey, privateKey } = generateKeyPairSync("x25519");
    return Promise.resolve(libraryPair({ publicKey: rawOf(publicKey), secret: privateKey }));
  },
  dh: (secret, publicKey) => {
    const shared = agreed(nodeKey(secret).key!, nodeKey(publicKey).key!);
    if (shared === undefined) throw new RangeError("The public key is of small order.");
    return Promise.resolve(shared.buffer);
  },
};

class NodeDhkem extends Dhkem {
  override readonly id = KemId.DhkemX25519HkdfSha256;
  override readonly secretSize = X25519_BYTES;
  override readonly encSize = X25519_BYTES;
  override readonly publicKeySize = X25519_BYTES;
  override readonly privateKeySize = X25519_BYTES;

  constructor() {
    super(KemId.DhkemX25519HkdfSha256, primitives as DhkemPrimitives, new NodeHkdf());
  }
}

class NodeAes128Gcm extends Aes128Gcm {
  override createEncryptionContext(key: ArrayBufferLike | ArrayBufferView) {
    const secret = Uint8Array.from(viewOf(key));
    type Bytes = ArrayBufferLike | ArrayBufferView;
    return {
      seal(nonce: Bytes, plaintext: Bytes, aad: Bytes): Promise<ArrayBuffer> {
        const cipher = createCipheriv("aes-128-gcm", secret, viewOf(nonce)).setAAD(viewOf(aad));
        const body = cipher.update(viewOf(plaintext));
        cipher.final();
        return Promise.resolve(bufferOf(Buffer.concat([body, cipher.getAuthTag()])));
      },
      open(nonce: Bytes, ciphertext: Bytes, aad: Bytes): Promise<ArrayBuffer> {
        const bytes = viewOf(ciphertext);
        const decipher = createDecipheriv("aes-128-gcm", secret, viewOf(nonce), { authTagLength: TAG_BYTES }).setAAD(viewOf(aad));
        decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
        const body = decipher.update(bytes.subarray(0, -TAG_BYTES));
        decipher.final();
        return Promise.resolve(bufferOf(body));
      },
    };
  }
}

/** HPKE over node:crypto. `ephemeral`: for published vectors alone. */
export function nodeHpke(ephemeral?: AgreementKey): AuthHpke {
  return authHpke(
    {
      ...{ kem: new NodeDhkem(), kdf: new NodeHkdf(), aead: new NodeAes128Gcm(), x25519 },
      pairOf: (key) => Promise.resolve(libraryPair(key)),
    },
    ephemeral,
  );
}

function agreed(secret: KeyObject, publicKey: KeyObject): Uint8Array<ArrayBuffer> | undefined {
  try {
    const shared = Uint8Array.from(diffieHellman({ privateKey: secret, publicKey }));
    return shared.every((byte) => byte === 0) ? undefined : shared;
  } catch (error) {
    // OpenSSL refuses points of small order by itself.
    if (error instanceof Error && "code" in error && String(error.code).startsWith("ERR_OSSL")) return undefined;
    throw error;
  }
}

/** By way of WebCrypto: it takes the bytes as they are, a quarter of what node:crypto spends on DER or JWK. */
async function publicKeyOf(raw: Uint8Array): Promise<KeyObject> {
  return KeyObject.from(await crypto.subtle.importKey("raw", Uint8Array.from(raw), "X25519", true, []));
}

/** As JWK: DER takes a dozen times as long to write. */
function rawOf(key: KeyObject): Uint8Array<ArrayBuffer> {
  const { x } = key.export({ format: "jwk" });
  if (x === undefined) throw new TypeError("Node exported an X25519 key without its public half.");
  return Uint8Array.from(Buffer.from(x, "base64url"));
}

function libraryPair({ publicKey, secret }: AgreementKey): CryptoKeyPair {
  return { publicKey: libraryKey({ raw: publicKey }), privateKey: libraryKey({ raw: publicKey, key: secret as KeyObject }) };
}

/** The library's types know WebCrypto's keys alone; it hands them to the primitives as they are. */
function libraryKey(key: NodeKey): CryptoKey {
  return key as unknown as CryptoKey;
}

function nodeKey(key: CryptoKey): NodeKey {
  return key as unknown as NodeKey;
}

function viewOf(bytes: ArrayBufferLike | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);
}

/** An empty salt is one of zeros (RFC 5869 §2.2). */
function saltOf(salt: ArrayBufferLike | ArrayBufferView): Uint8Array | undefined {
  return salt.byteLength === 0 ? undefined : viewOf(salt);
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
