import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { exportSigningKey, generateSigningKey } from "@ciphernx/crypto/keys";
import { makeCertificateRequest, openAuthority } from "@ciphernx/core/identity/ca";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { certificateFinding } from "./certificates.ts";
import { checkCertificates } from "./checks/certificates.ts";
import { checkClock } from "./clock.ts";
import type { Examined } from "./finding.ts";

const DAY_MS = 24 * 3_600_000;
const examined = (home: string): Examined => ({
  global: { home, url: undefined, token: undefined, ca: undefined, proxy: undefined, mode: "json", yes: false },
  ...{ nodeFolder: undefined, env: {}, signal: new AbortController().signal },
});

describe("certificates", () => {
  it("are compared with the clock, and each finding has its fix", async () => {
    await using folder = await temporaryFolder();
    const { authority } = await openAuthority({ home: folder.path, credentialsFolder: undefined });
    const { chainPem } = await authority.issueServer(["localhost"]);
    const certificate = new X509Certificate(chainPem);
    const at = (days: number, renewsItself = false) =>
      certificateFinding(certificate, { subject: "certificate", fix: "renew", renewsItself }, new Date(Date.now() + days * DAY_MS));
    expect(at(0)).toMatchObject({ state: "good", found: expect.stringContaining("(29 days)") as string });
    expect(at(28)).toMatchObject({ state: "warning", fix: "renew" });
    expect(at(31)).toMatchObject({ state: "problem", found: expect.stringContaining("expired on") as string, fix: "renew" });
    expect(at(31, true)).toMatchObject({ state: "warning" });
    expect(at(-1)).toMatchObject({ state: "problem", fix: expect.stringContaining("clock") as string });
  });

  it("of the data folder are looked at, and who may read their keys", async () => {
    await using folder = await temporaryFolder();
    expect(await checkCertificates(examined(folder.path))).toEqual([]);
    await openAuthority({ home: folder.path, credentialsFolder: undefined });
    expect(await checkCertificates(examined(folder.path))).toMatchObject([{ subject: "CA", state: "good" }]);
    await chmod(join(folder.path, "ca", "ca.passphrase"), 0o644);
    expect(await checkCertificates(examined(folder.path))).toMatchObject([
      { state: "good" },
      {
        state: "problem",
        found: expect.stringContaining("ca.passphrase may be read") as string,
        fix: expect.stringContaining("chmod 600") as string,
      },
    ]);
    await mkdir(join(folder.path, "other", "ca"), { recursive: true });
    await writeFile(join(folder.path, "other", "ca", "ca.crt"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect(await checkCertificates(examined(join(folder.path, "other")))).toMatchObject([{ subject: "CA", state: "problem" }]);
  });

  it("of a node name it, and lead to what it trusts", async () => {
    await using folder = await temporaryFolder();
    const { authority } = await openAuthority({ home: join(folder.path, "home"), credentialsFolder: undefined });
    const { authority: other } = await openAuthority({ home: join(folder.path, "other"), credentialsFolder: undefined });
    const node = join(folder.path, "node");
    await mkdir(node);
    const key = await generateSigningKey();
    await writeFile(join(node, "node.key"), Buffer.from(await exportSigningKey(key, "pkcs8")).toString("base64"), { mode: 0o600 });
    const identity = { formatVersion: 1, nodeId: "nod_1", name: "clinic", url: "https://hospital.example:7701", projectId: "prj_1" };
    await writeFile(join(node, "node.json"), JSON.stringify(identity));
    await writeFile(join(node, "ca.crt"), authority.certificatePem);
    const look = async () =>
      (await checkCertificates({ ...examined(join(folder.path, "none")), nodeFolder: node })).map(({ subject, state }) => `${subject}: ${state}`);
    expect(await look()).toEqual(["node certificate: warning", "node's CA: good"]);

    const issued = async (by: typeof authority, nodeId: string, now = new Date()) => {
      const { keyPem, request } = await makeCertificateRequest();
      const certificate = await by.issueNode(request, { projectId: "prj_1", nodeId, signingKey: key.publicKey }, { now });
      await writeFile(join(node, "tls.pem"), `${keyPem}${certificate}`);
    };
    await issued(authority, "nod_1");
    expect(await look()).toEqual(["node certificate: good", "node's CA: good", "node certificate: good"]);
    await issued(authority, "nod_1", new Date(Date.now() - 8 * DAY_MS));
    expect(await look()).toContain("node certificate: warning");
    await issued(authority, "nod_2");
    expect(await look()).toContain("node certificate: problem");
    await issued(other, "nod_1");
    expect(await look()).toEqual(["node certificate: good", "node's CA: good", "node certificate: warning"]);
  });

  it("of a server are verified by the CA that is given, and by the name that is asked for", async () => {
    await using folder = await temporaryFolder();
    const { authority } = await openAuthority({ home: folder.path, credentialsFolder: undefined });
    const { keyPem, chainPem } = await authority.issueServer(["localhost"]);
    const server = https.createServer({ key: keyPem, cert: chainPem }, (_, response) => void response.end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { signal } = new AbortController();
    try {
      expect(await checkClock(`https://localhost:${port}`, signal, authority.certificatePem)).toMatchObject({ subject: "clock", state: "good" });
      expect(await checkClock(`https://localhost:${port}`, signal)).toMatchObject({
        ...{ subject: "certificate", state: "problem", fix: expect.stringContaining("--ca") as string },
      });
      expect(await checkClock(`https://127.0.0.1:${port}`, signal, authority.certificatePem)).toMatchObject({
        ...{ subject: "certificate", state: "problem", fix: expect.stringContaining("--public-name") as string },
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
