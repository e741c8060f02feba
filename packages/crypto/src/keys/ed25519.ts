/**
 * Ed25519 signatures (RFC 8032 §5.1, PureEdDSA) through WebCrypto, so that Node and browsers run the same code
 * and the key's secret stays inside the runtime's own implementation.
 *
 * Stricter than the RFC in one point, and so the same on every host: a public key or commitment of small order
 * verifies nothing. (Such a key would "sign" any message; older OpenSSL accepts it, newer refuses it.)
 *
 * @module
 */

/** Length of a public key in bytes. */
export const PUBLIC_KEY_BYTES = 32;
/** Length of the secret seed in bytes, from which the whole key derives (RFC 8032 §5.1.5). */
export const SEED_BYTES = 32;
/** Length of a signature in bytes. */
export const SIGNATURE_BYTES = 64;

/** A signing key: the public half as bytes, the secret half as a handle of the runtime. */
export interface SigningKey {
  /** 32 bytes, RFC 8032 §5.1.2 encoding. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly secret: CryptoKey;
}

const ALGORITHM = "Ed25519";

/**
 * PKCS#8 of an Ed25519 seed is this prefix and the 32 bytes: version 0, OID 1.3.101.112, OCTET STRING in
 * OCTET STRING (RFC 8410 §7, without the optional public key).
 */
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20);

/**
 * y coordinates of the points whose order divides 8, little-endian with the sign bit cleared: 0 (order 4), 1 (the neutral
 * element), the two of order 8, −1 (order 2), and p and p + 1 as non-canonical spellings of 0 and 1.
 */
const SMALL_ORDER_Y = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => Uint8Array.from(hex.match(/../g)!, (byte) => Number.parseInt(byte, 16)));

/**
 * A fresh key from the runtime's CSPRNG.
 * @param options.extractable false: nothing, this program included, can read the secret out of the runtime again. Default true
 */
export async function generateSigningKey({ extractable = true }: { readonly extractable?: boolean } = {}): Promise<SigningKey> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, extractable, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new TypeError("WebCrypto answered Ed25519 with a single key instead of a pair");
  return { publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)), secret: pair.privateKey };
}

/**
 * Reads a key from its 32-byte seed or from PKCS#8 (48 bytes). The public half is computed from the seed.
 *
 * @throws RangeError when the bytes are neither.
 */
export async function importSigningKey(bytes: Uint8Array): Promise<SigningKey> {
  const pkcs8 = bytes.length === SEED_BYTES ? concat(PKCS8_PREFIX, bytes) : Uint8Array.from(bytes);
  if (pkcs8.length !== PKCS8_PREFIX.length + SEED_BYTES || PKCS8_PREFIX.some((byte, i) => pkcs8[i] !== byte)) {
    throw new RangeError(`an Ed25519 signing key is a ${SEED_BYTES}-byte seed or its PKCS#8 form, not these ${bytes.length} bytes`);
  }
  const secret = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", secret);
  if (x === undefined) throw new TypeError("WebCrypto exported an Ed25519 key without its public half");
  return { publicKey: fromBase64Url(x), secret };
}

/** The key's secret: its 32-byte seed, or PKCS#8. Whoever holds it can sign; store it with mode 0600 and wipe copies. */
export async function exportSigningKey(key: SigningKey, format: "seed" | "pkcs8" = "seed"): Promise<Uint8Array<ArrayBuffer>> {
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", key.secret));
  return format === "pkcs8" ? pkcs8 : pkcs8.slice(PKCS8_PREFIX.length, PKCS8_PREFIX.length + SEED_BYTES);
}

/** Signs bytes. Deterministic: same key, same bytes, same 64-byte signature. */
export async function sign(key: SigningKey, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign(ALGORITHM, key.secret, backed(bytes)));
}

/**
 * Whether a signature over `bytes` belongs to a public key. False, never an error, for anything that is not a valid
 * signature: wrong lengths, a key that is no point of the curve or of small order, a non-canonical scalar.
 */
export async function verify(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  if (isSmallOrder(publicKey) || isSmallOrder(signature.subarray(0, PUBLIC_KEY_BYTES))) return false;
  let key: CryptoKey;
  try {
    key = await imported(publicKey);
  } catch (error) {
    // Some runtimes refuse 32 bytes that are no point already here, others only when verifying.
    if (error instanceof DOMException && error.name === "DataError") return false;
    throw error;
  }
  return crypto.subtle.verify(ALGORITHM, key, backed(signature), backed(bytes));
}

/** Public keys as they were imported, the latest used last: importing one takes a quarter as long as verifying with it, and peers sign again and again. */
const importedKeys = new Map<string, Promise<CryptoKey>>();
const MOST_IMPORTED = 2_048;

function imported(publicKey: Uint8Array): Promise<CryptoKey> {
  const name = String.fromCharCode(...publicKey);
  const key = importedKeys.get(name) ?? crypto.subtle.importKey("raw", backed(publicKey), ALGORITHM, false, ["verify"]);
  importedKeys.delete(name);
  importedKeys.set(name, key);
  key.catch(() => importedKeys.delete(name)); // whoever waits for it gets the error
  if (importedKeys.size > MOST_IMPORTED) importedKeys.delete(importedKeys.keys().next().value!);
  return key;
}

function isSmallOrder(point: Uint8Array): boolean {
  return SMALL_ORDER_Y.some((y) => y.every((byte, i) => byte === (i === PUBLIC_KEY_BYTES - 1 ? point[i]! & 0x7f : point[i])));
}

/** WebCrypto takes views of plain memory only; shared memory is copied. */
function backed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : Uint8Array.from(bytes);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
