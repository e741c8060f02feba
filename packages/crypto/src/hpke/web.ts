/** HPKE over WebCrypto, for browsers. @module */
import { Aes128Gcm, DhkemX25519HkdfSha256 } from "@hpke/core";
import { type AgreementKey, authHpke, type AuthHpke, type X25519, X25519_BYTES } from "./suite.ts";
import { x25519Pkcs8 } from "./pkcs8.ts";

const ALGORITHM = "X25519";

/** X25519 through WebCrypto. */
const x25519: X25519 = {
  async fromSecret(secret) {
    const pkcs8 = x25519Pkcs8(secret);
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, true, ["deriveBits"]);
    pkcs8.fill(0);
    const { x } = await crypto.subtle.exportKey("jwk", key);
    if (x === undefined) throw new TypeError("WebCrypto exported an X25519 key without its public half");
    return { publicKey: fromBase64Url(x), secret: key };
  },
  async agree(key, publicKey) {
    if (publicKey.length !== X25519_BYTES) return undefined;
    try {
      const other = await crypto.subtle.importKey("raw", Uint8Array.from(publicKey), ALGORITHM, false, []);
      const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: ALGORITHM, public: other }, key.secret as CryptoKey, 8 * X25519_BYTES));
      return shared.every((byte) => byte === 0) ? undefined : shared;
    } catch (error) {
      // WebCrypto refuses points of small order by itself.
      if (error instanceof DOMException && (error.name === "OperationError" || error.name === "DataError")) return undefined;
      throw error;
    }
  },
};

/** HPKE over WebCrypto. `ephemeral`: for published vectors alone. */
export function webHpke(ephemeral?: AgreementKey): AuthHpke {
  const kem = new DhkemX25519HkdfSha256();
  return authHpke(
    {
      ...{ kem, aead: new Aes128Gcm(), x25519 },
      async pairOf({ publicKey, secret }) {
        return { publicKey: await kem.deserializePublicKey(publicKey), privateKey: secret as CryptoKey };
      },
    },
    ephemeral,
  );
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
