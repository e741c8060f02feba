import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyFingerprint, makeCertificateRequest, openAuthority, readNodeCertificate } from "./index.ts";
import { openSealedKey, sealKey } from "../sealed-key.ts";

const NODE = { projectId: "prj_1", nodeId: "node_1", signingKey: new Uint8Array(32).fill(7) };
const DAY_MS = 24 * 3_600_000;

async function folder() {
  const path = await mkdtemp(join(tmpdir(), "nexus-ca-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const der = (pem: string): Uint8Array => new X509Certificate(pem).raw;

/** Whether the machine has the program; the tests that ask it are skipped without. */
const HAS_OPENSSL = spawnSync("openssl", ["version"]).status === 0;

/** What OpenSSL itself says of a chain. */
async function opensslVerifies(home: string, anchors: string, chain: string, purpose: string): Promise<string> {
  const [leaf = "", ...rest] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
  const files = { anchors: join(home, "anchors.pem"), leaf: join(home, "leaf.pem"), rest: join(home, "rest.pem") };
  await Promise.all([writeFile(files.anchors, anchors), writeFile(files.leaf, leaf), writeFile(files.rest, rest.join("") || anchors)]);
  const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", files.anchors, "-untrusted", files.rest, files.leaf];
  try {
    return execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    return (error as { readonly stderr: string }).stderr;
  }
}

describe("the authority of a data folder", () => {
  it.skipIf(!HAS_OPENSSL)("certifies servers and nodes so that OpenSSL agrees, each for its purpose alone", async () => {
    await using home = await folder();
    const { authority, certificateFile } = await openAuthority({ home: home.path });
    expect(await readFile(certificateFile, "utf8")).toBe(authority.certificatePem);
    const server = await authority.issueServer(["hospital.example", "10.1.2.3", "fd00::1"]);
    const { request } = await makeCertificateRequest();
    const node = await authority.issueNode(request, NODE);
    const { certificatePem } = authority;
    expect(await opensslVerifies(home.path, certificatePem, server.chainPem, "sslserver")).toContain("leaf.pem: OK");
    expect(await opensslVerifies(home.path, certificatePem, node, "sslclient")).toContain("leaf.pem: OK");
    expect(await opensslVerifies(home.path, certificatePem, server.chainPem, "sslclient")).toMatch(
      /unsuitable certificate purpose|unsupported certificate purpose/,
    );
    expect(await opensslVerifies(home.path, certificatePem, node, "sslserver")).toMatch(
      /unsuitable certificate purpose|unsupported certificate purpose/,
    );
    const parsed = new X509Certificate(server.chainPem);
    expect(parsed.checkHost("hospital.example")).toBe("hospital.example");
    expect([parsed.checkIP("10.1.2.3"), parsed.checkIP("fd00::1"), parsed.checkIP("10.1.2.4")]).toEqual(["10.1.2.3", "fd00::1", undefined]);
    expect(parsed.checkPrivateKey(createPrivateKey(server.keyPem))).toBe(true);
    expect(new Date(parsed.validTo).getTime()).toBeLessThan(Date.now() + 31 * DAY_MS);
  });

  it("names the node, its project and its signing key in the certificate", async () => {
    await using home = await folder();
    const { authority } = await openAuthority({ home: home.path });
    const { request, keyPem } = await makeCertificateRequest();
    const certificate = await authority.issueNode(request, NODE);
    expect(readNodeCertificate(der(certificate))).toMatchObject({ ...NODE, trustDomain: authority.trustDomain });
    expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
    // Whose certificates are no node's: the authority's, and a server's.
    expect(readNodeCertificate(der(authority.certificatePem))).toBeUndefined();
    expect(readNodeCertificate(der((await authority.issueServer(["a.example"])).chainPem))).toBeUndefined();
    expect(readNodeCertificate(new Uint8Array([1, 2, 3]))).toBeUndefined();
  });

  it("reads damaged certificates and requests without anything but its own errors", async () => {
    await using home = await folder();
    const { authority } = await openAuthority({ home: home.path });
    const { request } = await makeCertificateRequest();
    const issued = await authority.issueNode(request, NODE);
    const certificate = Buffer.from(der(issued));
    const { publicKey } = new X509Certificate(issued);
    const damaged = (bytes: Uint8Array) =>
      fc
        .tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }))
        .map(([at, flip]) => bytes.map((byte, index) => (index === at ? byte ^ flip : byte)));
    fc.assert(
      fc.property(damaged(certificate), (bytes) => {
        const read = readNodeCertificate(bytes);
        expect(read === undefined || read.signingKey.length === 32).toBe(true);
      }),
    );
    await fc.assert(
      fc.asyncProperty(damaged(request), async (bytes) => {
        const answer = await authority.issueNode(bytes, NODE).catch((error: unknown) => error);
        // Lengths and tags around what is signed are none of what is proved: there, the key that proved itself is certified.
        if (typeof answer === "string") expect(new X509Certificate(answer).publicKey.equals(publicKey)).toBe(true);
        else expect(answer).toMatchObject({ code: "CERTIFICATE_REQUEST_INVALID" });
      }),
    );
  });

  it("refuses requests that prove no possession, damaged ones, and other kinds of keys", async () => {
    await using home = await folder();
    const { authority } = await openAuthority({ home: home.path });
    const { request } = await makeCertificateRequest();
    const other = await makeCertificateRequest();
    const refusal = (bytes: Uint8Array) => authority.issueNode(bytes, NODE).catch((error: unknown) => error);
    // The request of one key with the signature of another.
    const swapped = Uint8Array.from([...request.subarray(0, request.length - 64), ...other.request.subarray(other.request.length - 64)]);
    expect(await refusal(swapped)).toMatchObject({ code: "CERTIFICATE_REQUEST_INVALID" });
    for (const bytes of [new Uint8Array(), request.subarray(1), new Uint8Array(5000), Buffer.from("no request")]) {
      expect(await refusal(bytes)).toMatchObject({ code: "CERTIFICATE_REQUEST_INVALID" });
    }
    const key = join(home.path, "p384.pem");
    await writeFile(key, generateKeyPairSync("ec", { namedCurve: "secp384r1" }).privateKey.export({ type: "pkcs8", format: "pem" }));
    const p384 = execFileSync("openssl", ["req", "-new", "-key", key, "-subj", "/CN=node", "-outform", "DER"]);
    expect(await refusal(p384)).toMatchObject({ code: "CERTIFICATE_REQUEST_INVALID", message: expect.stringContaining("P-256") as string });
  });

  it("keeps its key sealed, opens it again, and tells a wrong passphrase", async () => {
    await using home = await folder();
    const first = await openAuthority({ home: home.path });
    expect(first.madePassphrase).toBe(join(home.path, "ca", "ca.passphrase"));
    const again = await openAuthority({ home: home.path });
    expect([again.authority.fingerprint, again.authority.trustDomain]).toEqual([first.authority.fingerprint, first.authority.trustDomain]);
    expect(again.madePassphrase).toBeUndefined();
    const sealed = join(home.path, "ca", "authority.json");
    expect(await readFile(sealed, "utf8")).not.toContain("PRIVATE KEY");
    for (const path of [sealed, first.madePassphrase!]) expect((await stat(path)).mode & 0o077).toBe(0);
    const wrong = join(home.path, "wrong");
    await writeFile(wrong, "something else\n");
    await expect(openAuthority({ home: home.path, passphraseFile: wrong })).rejects.toMatchObject({ code: "CA_UNUSABLE" });
    await rm(first.madePassphrase!);
    await expect(openAuthority({ home: home.path })).rejects.toMatchObject({
      code: "CA_UNUSABLE",
      message: expect.stringContaining("no passphrase") as string,
    });
  });

  it("takes its passphrase from systemd's credentials", async () => {
    await using home = await folder();
    await using credentials = await folder();
    await writeFile(join(credentials.path, "ca-passphrase"), "from systemd\n");
    const first = await openAuthority({ home: home.path, credentialsFolder: credentials.path });
    expect(first.madePassphrase).toBeUndefined();
    const same = await openAuthority({ home: home.path, passphraseFile: join(credentials.path, "ca-passphrase"), credentialsFolder: "" });
    expect(same.authority.fingerprint).toBe(first.authority.fingerprint);
  });

  it.skipIf(!HAS_OPENSSL)("after a rotation is trusted by those who know the old one alone, and trusts the old one's nodes", async () => {
    await using home = await folder();
    const { authority: old } = await openAuthority({ home: home.path });
    const { authority } = await openAuthority({ home: home.path, rotate: true });
    expect(authority.trustDomain).toBe(old.trustDomain);
    expect(authority.fingerprint).not.toBe(old.fingerprint);
    const { chainPem } = await authority.issueServer(["a.example"]);
    expect(await opensslVerifies(home.path, old.certificatePem, chainPem, "sslserver")).toContain("leaf.pem: OK");
    expect(await opensslVerifies(home.path, authority.certificatePem, chainPem, "sslserver")).toContain("leaf.pem: OK");
    const node = await old.issueNode((await makeCertificateRequest()).request, NODE);
    expect(await opensslVerifies(home.path, authority.trustedPem, node, "sslclient")).toContain("leaf.pem: OK");
    // What a join token carries is found in what the server shows.
    expect(
      chainPem
        .split(/(?<=-----END CERTIFICATE-----\n)/)
        .filter(Boolean)
        .map(keyFingerprint),
    ).toContain(authority.fingerprint);
    const { authority: third } = await openAuthority({ home: home.path, rotate: true });
    expect(third.trustedPem).toContain(authority.certificatePem);
    const { chainPem: longer } = await third.issueServer(["a.example"]);
    for (const known of [old, authority, third]) {
      expect(await opensslVerifies(home.path, known.certificatePem, longer, "sslserver")).toContain("leaf.pem: OK");
    }
    expect((await openAuthority({ home: home.path })).authority.fingerprint).toBe(third.fingerprint);
  });

  it.skipIf(!HAS_OPENSSL)("can be the operator's own, and is not when its files do not belong together", async () => {
    await using home = await folder();
    await using elsewhere = await folder();
    const at = (name: string) => join(elsewhere.path, name);
    const make = (name: string, ...more: readonly string[]) =>
      execFileSync(
        "openssl",
        ["req", "-x509", "-nodes", "-days", "30", "-subj", `/CN=${name}`, "-keyout", at(`${name}.key`), "-out", at(`${name}.crt`), ...more],
        {
          stdio: "pipe",
        },
      );
    const usage = ["-addext", "keyUsage=critical,keyCertSign"];
    make("p384", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", ...usage);
    make("rsa", "-newkey", "rsa:2048", ...usage);
    make("leaf", "-newkey", "rsa:2048", "-addext", "basicConstraints=critical,CA:FALSE");
    for (const name of ["p384", "rsa"]) {
      const own = { certificateFile: at(`${name}.crt`), keyFile: at(`${name}.key`) };
      const { authority } = await openAuthority({ home: home.path, own });
      const node = await authority.issueNode((await makeCertificateRequest()).request, NODE);
      expect(await opensslVerifies(home.path, authority.certificatePem, node, "sslclient")).toContain("leaf.pem: OK");
      expect((await openAuthority({ home: home.path, own })).authority.trustDomain).toBe(authority.trustDomain);
    }
    for (const [certificate, key] of [
      ["p384.crt", "rsa.key"],
      ["leaf.crt", "leaf.key"],
      ["rsa.key", "rsa.crt"],
      ["none.crt", "rsa.key"],
    ]) {
      const own = { certificateFile: at(certificate!), keyFile: at(key!) };
      await expect(openAuthority({ home: home.path, own })).rejects.toMatchObject({ code: "CA_UNUSABLE" });
    }
  });
});

it("a sealed key opens with its passphrase alone, and not when a bit of it was changed", async () => {
  const sealed = await sealKey("secret", "correct horse");
  expect(await openSealedKey(sealed, "correct horse")).toBe("secret");
  expect(await openSealedKey(sealed, "correct horsf")).toBeUndefined();
  const bytes = Buffer.from(sealed.sealed, "base64");
  bytes[0]! ^= 1;
  expect(await openSealedKey({ ...sealed, sealed: bytes.toString("base64") }, "correct horse")).toBeUndefined();
});
