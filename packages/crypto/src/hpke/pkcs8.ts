/** PKCS#8 of an X25519 secret is this prefix and the 32 bytes: version 0, OID 1.3.101.110, OCTET STRING in OCTET STRING (RFC 8410 §7). */
const PREFIX = Uint8Array.of(0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20);

/** An X25519 secret in the form that platforms import. @throws RangeError for another length than 32 bytes */
export function x25519Pkcs8(secret: Uint8Array): Uint8Array<ArrayBuffer> {
  if (secret.length !== 32) throw new RangeError(`an X25519 secret has 32 bytes, not ${secret.length}`);
  const pkcs8 = new Uint8Array(PREFIX.length + secret.length);
  pkcs8.set(PREFIX);
  pkcs8.set(secret, PREFIX.length);
  return pkcs8;
}
