import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { loadIdentity } from "@ciphernx/ai/federation/node";
import { authorityCertificateFile, readNodeCertificate } from "@ciphernx/core/identity/ca";
import { certificateFinding, type Expected } from "../certificates.ts";
import { type Check, type Finding, good, problem, warning } from "../finding.ts";

const OTHERS = 0o077;

/** Certificates that lie on this machine: the CA of the data folder and who may read its key; a node's own, and the CA that it trusts. */
export const checkCertificates: Check = async ({ global: { home }, nodeFolder }) => [
  ...(await authority(home)),
  ...(nodeFolder === undefined ? [] : await node(nodeFolder)),
];

async function authority(home: string): Promise<readonly Finding[]> {
  const path = authorityCertificateFile(home);
  const findings = await looked(path, {
    subject: "CA",
    fix: "Start the coordinator with `nexus up … --rotate-ca`; nodes learn of the new key by themselves.",
  });
  if (findings.length === 0) return [];
  const folder = join(home, "ca");
  for (const file of ["authority.json", "ca.passphrase"]) {
    const mode = await stat(join(folder, file)).then(
      (found) => found.mode,
      () => 0, // there is none, as with a CA of one's own
    );
    if ((mode & OTHERS) === 0 || process.platform === "win32") continue;
    findings.push(
      problem(
        "CA",
        `${join(folder, file)} may be read by others on this machine.`,
        `chmod 600 ${join(folder, file)}; if somebody may have read it, replace the key: \`nexus up … --rotate-ca\`.`,
      ),
    );
  }
  return findings;
}

async function node(folder: string): Promise<readonly Finding[]> {
  const identity = await loadIdentity(folder).then(
    (joined) => joined,
    () => undefined, // the check of the node's folder tells
  );
  if (identity === undefined || !identity.url.startsWith("https:")) return [];
  const [own, trusted] = [join(folder, "tls.pem"), join(folder, "ca.crt")];
  const again = `Run the node: it asks for a new one by its signing key (\`nexus node run --folder ${folder}\`).`;
  const findings = [
    ...(await looked(own, { subject: "node certificate", fix: again, renewsItself: true })),
    ...(await looked(trusted, { subject: "node's CA", fix: "Copy `ca/ca.crt` from the coordinator's data folder to it." })),
  ];
  const [certificate] = await certificatesIn(own);
  if (certificate === undefined) return [warning("node certificate", `${own} holds none yet`, again), ...findings];
  const named = readNodeCertificate(new Uint8Array(certificate.raw));
  if (named?.nodeId !== identity.identity.nodeId) {
    findings.push(
      problem("node certificate", `${own} is that of ${named?.nodeId ?? "no node"}, not of ${identity.identity.nodeId}`, `Delete ${own}. ${again}`),
    );
  }
  const authorities = await certificatesIn(trusted);
  if (!authorities.some((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey))) {
    findings.push(warning("node certificate", `no CA in ${trusted} has issued it`, `Delete ${own}. ${again}`));
  } else if (named !== undefined)
    findings.push(good("node certificate", `names ${named.nodeId} of ${named.projectId}, issued by a CA that it trusts`));
  return findings;
}

/** Looks at each certificate of a file; nothing where there is no such file. */
async function looked(path: string, expected: Expected): Promise<Finding[]> {
  try {
    const certificates = await certificatesIn(path);
    return certificates.map((certificate) => certificateFinding(certificate, expected));
  } catch (error) {
    return [problem(expected.subject, `${path}: ${error instanceof Error ? error.message : String(error)}`, expected.fix)];
  }
}

/** The certificates of a PEM file, whatever else is in it; none where there is no such file. */
async function certificatesIn(path: string): Promise<readonly X509Certificate[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return [];
    throw error;
  }
  return [...text.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(([pem]) => new X509Certificate(pem));
}
