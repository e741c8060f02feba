import { X509Certificate } from "node:crypto";
import { type Authority, makeCertificateRequest, openAuthority } from "@ciphernx/core/identity/ca";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import type { TlsPeer } from "@ciphernx/protocol/wire/server";
import { beforeAll, expect, it } from "vitest";
import { createSessions } from "../sessions.ts";
import { createNodeGate } from "./node-gate.ts";

const DAY_MS = 24 * 3_600_000;
const NODE = { projectId: "prj_1", nodeId: "node_1", signingKey: new Uint8Array(32).fill(1) };
let ours: Authority;
let theirs: Authority;

beforeAll(async () => {
  await using stack = new AsyncDisposableStack();
  [ours, theirs] = (await Promise.all(
    [1, 2].map(async () => (await openAuthority({ home: stack.use(await temporaryFolder()).path })).authority),
  )) as [Authority, Authority];
});

const showing = (pem: string): TlsPeer => ({ certificate: new X509Certificate(pem).raw, distrusted: undefined });
const nodeCertificate = async (by: Authority, names = NODE) => showing(await by.issueNode((await makeCertificateRequest()).request, names));
const code = (action: () => void): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
};

it("lets in whom the certificate names, until it ends", async () => {
  let laterMs = 0;
  const sessions = createSessions();
  const gate = createNodeGate({ sessions, trustDomain: ours.trustDomain }, () => new Date(Date.now() + laterMs));
  const token = sessions.open({ nodeId: "node_1", kernelBuild: "x", publicKey: NODE.signingKey, signsRequests: false });
  const cases: readonly (readonly [string, TlsPeer, string | undefined])[] = [
    ["its own", await nodeCertificate(ours), undefined],
    ["one without the names of a node", showing((await ours.issueServer(["a.example"])).chainPem), "CERTIFICATE_REQUIRED"],
    ["one of another trust domain, though its CA were trusted", await nodeCertificate(theirs), "CERTIFICATE_REQUIRED"],
    ["another node's", await nodeCertificate(ours, { ...NODE, nodeId: "node_2" }), "CERTIFICATE_REQUIRED"],
    ["one for another signing key", await nodeCertificate(ours, { ...NODE, signingKey: new Uint8Array(32) }), "CERTIFICATE_REQUIRED"],
    ["none", { certificate: undefined, distrusted: undefined }, "CERTIFICATE_REQUIRED"],
    ["a distrusted one", { certificate: undefined, distrusted: "DEPTH_ZERO_SELF_SIGNED_CERT" }, "CERTIFICATE_REQUIRED"],
    ["an expired one", { certificate: undefined, distrusted: "CERT_HAS_EXPIRED" }, "CERTIFICATE_EXPIRED"],
  ];
  for (const path of ["/ciphernx.node.v1.NodeService/Heartbeat", `/blobs/${"0".repeat(64)}`]) {
    for (const [name, peer, expected] of cases) {
      expect([path, name, code(() => gate.admit({ peer, path, token }))]).toEqual([path, name, expected]);
    }
  }
  // The connection stays open for longer than the certificate is good.
  const [[, peer]] = cases as [(typeof cases)[number]];
  laterMs = 8 * DAY_MS;
  expect(code(() => gate.admit({ peer, path: "/blobs/x", token }))).toBe("CERTIFICATE_EXPIRED");
  expect([gate.belongsTo(peer, "node_1"), gate.belongsTo(peer, "node_2")]).toEqual([true, false]);
});

it("asks nodes that join, and people, for no certificate", () => {
  const gate = createNodeGate({ sessions: createSessions(), trustDomain: ours.trustDomain });
  const peer: TlsPeer = { certificate: undefined, distrusted: undefined };
  const answer = (path: string, token?: string) => code(() => gate.admit({ peer, path, token }));
  for (const method of ["Register", "Challenge", "IssueCertificate"]) expect(answer(`/ciphernx.node.v1.NodeService/${method}`)).toBeUndefined();
  for (const path of ["/ciphernx.control.v1.ControlService/ListNodes", `/blobs/${"0".repeat(64)}`]) expect(answer(path, "owner")).toBeUndefined();
  for (const method of ["OpenSession", "NextTask", "Report", "RegisterDataset", "Heartbeat", "Anything"]) {
    expect(answer(`/ciphernx.node.v1.NodeService/${method}`)).toBe("CERTIFICATE_REQUIRED");
  }
});
