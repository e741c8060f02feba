import { create } from "@bufbuild/protobuf";
import { importSigningKey, sign, verify } from "@ciphernx/crypto/keys";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ReportRequest, ReportRequestSchema, TaskFailureSchema } from "../proto.ts";
import { certificateBytes, readingBytes, registrationBytes, reportBytes, sessionBytes, startBytes } from "./canonical.ts";
import { CANONICAL_VECTORS, VECTOR_SEED } from "./canonical.vectors.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("what a node signs", () => {
  const { registration, signingRegistration, session, certificate, report, failedReport, start, reading } = CANONICAL_VECTORS;
  const cases = [
    ["registration", registrationBytes(registration.content), registration],
    ["registration of a node that signs its requests", registrationBytes(signingRegistration.content), signingRegistration],
    ["session", sessionBytes(session.content), session],
    ["certificate", certificateBytes(certificate.content), certificate],
    ["report", reportBytes(report.content), report],
    ["report of a failure", reportBytes(failedReport.content), failedReport],
    ["start of a run", startBytes(start.content), start],
    ["reading of a roster", readingBytes(reading.content), reading],
  ] as const;
  for (const [name, bytes, vector] of cases) {
    it(`has the published bytes and signature: ${name}`, async () => {
      expect(hex(bytes)).toBe(vector.bytes);
      const key = await importSigningKey(Buffer.from(VECTOR_SEED, "hex"));
      expect(hex(await sign(key, bytes))).toBe(vector.signature);
      expect(await verify(key.publicKey, bytes, Buffer.from(vector.signature, "hex"))).toBe(true);
    });
  }

  it("does not depend on the order of metrics", () => {
    const { metrics } = report.content;
    const reversed = Object.fromEntries(Object.entries(metrics).toReversed());
    expect(Object.keys(reversed)).not.toEqual(Object.keys(metrics));
    expect(hex(reportBytes({ ...report.content, metrics: reversed }))).toBe(report.bytes);
  });

  it("takes the generated message as it is, and covers each of its fields but the signature and the duration", () => {
    const message = (change: Partial<ReportRequest>): ReportRequest => {
      const base = create(ReportRequestSchema, {
        taskId: "task_1",
        runId: "run_1",
        round: 1,
        attempt: 2,
        specHash: "a",
        planHash: "d",
        baseModelHash: "b",
        blobHash: "c",
        weight: 3n,
        metrics: { loss: 1 },
        failure: { code: "X", message: "y" },
      });
      return Object.assign(base, change);
    };
    const changes: Record<string, Partial<ReportRequest>> = {
      taskId: { taskId: "task_2" },
      runId: { runId: "run_2" },
      round: { round: 2 },
      attempt: { attempt: 1 },
      specHash: { specHash: "b" },
      planHash: { planHash: "e" },
      baseModelHash: { baseModelHash: "c" },
      blobHash: { blobHash: "" },
      weight: { weight: 4n },
      metrics: { metrics: { loss: 1.0000000000000002 } },
      failure: { failure: create(TaskFailureSchema, { code: "X", message: "z" }) },
    };
    const seen = new Set([{}, ...Object.values(changes)].map((change) => hex(reportBytes(message(change)))));
    expect(seen.size).toBe(Object.keys(changes).length + 1);
    const unsigned = ReportRequestSchema.fields.map((field) => field.localName).filter((name) => !(name in changes));
    expect(unsigned.toSorted()).toEqual(["durationMs", "signature"]);
  });

  it("never gives the bytes of another purpose", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (a, b, bytes) => {
        fc.pre(a.isWellFormed() && b.isWellFormed());
        const registered = hex(registrationBytes({ token: a, name: b, publicKey: bytes }));
        expect(hex(sessionBytes({ nodeId: a, nonce: bytes, kernelBuild: b, softwareVersion: "" }))).not.toBe(registered);
      }),
      { numRuns: 50 },
    );
  });
});
