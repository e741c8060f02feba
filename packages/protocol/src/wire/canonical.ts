/**
 * What nodes and organisations sign. Another implementation can be written from this comment and the vectors in
 * `canonical.vectors.ts`; signatures are Ed25519 (RFC 8032) over exactly these bytes.
 *
 * Values are encoded as `canonicalBytes` of `@ciphernx/crypto/keys` does, all integers big-endian:
 *
 * ```
 * text = 0x01 ‖ u32 byte length ‖ UTF-8      bytes  = 0x02 ‖ u32 length ‖ bytes
 * u64  = 0x03 ‖ 8 bytes                      f64    = 0x04 ‖ IEEE 754 bits (NaN as 7ff8000000000000)
 * list = 0x05 ‖ u32 items ‖ items            absent = 0x00
 *
 * registration = text "ciphernx.node.v1/registration" ‖ list of
 *     text token, text name, bytes publicKey, and of a node that will sign its requests: text "signs-requests"
 * session      = text "ciphernx.node.v1/session" ‖ list of
 *     text nodeId, bytes nonce, text kernelBuild, text softwareVersion
 * certificate  = text "ciphernx.node.v1/certificate" ‖ list of
 *     text nodeId, bytes nonce, bytes request
 * report       = text "ciphernx.node.v1/report" ‖ list of
 *     text taskId, text runId, u64 round, u64 attempt, text specHash, text baseModelHash, text blobHash,
 *     u64 weight, list of metrics, failure, text planHash
 * start        = text "ciphernx.run.v1/start" ‖ list of
 *     text organisation, text specHash, text planHash, text initialModelHash, text idempotencyKey
 * reading      = text "ciphernx.roster.v1/reading" ‖ list of
 *     text projectId, u64 atUnixMs, u64 after
 *
 * metrics = one [text name, f64 value] list each, sorted by the name's UTF-8 bytes
 * failure = absent, or the list [text code, text message]
 * ```
 *
 * Hashes are the 64 lower-case hex digits that the message holds. `duration_ms` is not signed: nothing depends on it.
 *
 * @module
 */
import { canonicalBytes } from "@ciphernx/crypto/keys";

const DOMAIN = {
  registration: "ciphernx.node.v1/registration",
  session: "ciphernx.node.v1/session",
  certificate: "ciphernx.node.v1/certificate",
  report: "ciphernx.node.v1/report",
  start: "ciphernx.run.v1/start",
  reading: "ciphernx.roster.v1/reading",
} as const;

/** The signed fields of a RegisterRequest. */
export interface SignedRegistration {
  readonly token: string;
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** It shows no certificate, and signs its requests. Default false. */
  readonly signsRequests?: boolean;
}

/** The signed fields of an OpenSessionRequest. */
export interface SignedSession {
  readonly nodeId: string;
  /** The 32 bytes of the challenge. */
  readonly nonce: Uint8Array;
  readonly kernelBuild: string;
  readonly softwareVersion: string;
}

/** The signed fields of an IssueCertificateRequest. */
export interface SignedCertificateRequest {
  readonly nodeId: string;
  /** The 32 bytes of the challenge. */
  readonly nonce: Uint8Array;
  /** PKCS#10, DER. */
  readonly request: Uint8Array;
}

/** The signed fields of a ReportRequest; the generated message fits as it is. */
export interface SignedReport {
  readonly taskId: string;
  readonly runId: string;
  /** Unsigned 32-bit. */
  readonly round: number;
  /** Unsigned 32-bit. */
  readonly attempt: number;
  readonly specHash: string;
  readonly baseModelHash: string;
  readonly blobHash: string;
  readonly weight: bigint;
  readonly metrics: Readonly<Record<string, number>>;
  readonly failure?: { readonly code: string; readonly message: string } | undefined;
  readonly planHash: string;
}

/** What an organisation signs when it starts a run. The plan's hash covers the roster, and with it the project. */
export interface SignedStart {
  readonly organisation: string;
  readonly specHash: string;
  readonly planHash: string;
  /** Empty where the run starts from the spec's initialisation. */
  readonly initialModelHash: string;
  readonly idempotencyKey: string;
}

/** The signed fields of a ReadRosterRequest, and the project that is meant. */
export interface SignedReading {
  readonly projectId: string;
  readonly atUnixMs: bigint;
  readonly after: number;
}

/** Bytes that a joining node signs with its new key: proof that it holds the key it registers. */
export function registrationBytes({ token, name, publicKey, signsRequests = false }: SignedRegistration): Uint8Array<ArrayBuffer> {
  return canonicalBytes(DOMAIN.registration, [token, name, publicKey, ...(signsRequests ? ["signs-requests"] : [])]);
}

/** Bytes that a node signs to open a session: its answer to the coordinator's nonce. */
export function sessionBytes({ nodeId, nonce, kernelBuild, softwareVersion }: SignedSession): Uint8Array<ArrayBuffer> {
  return canonicalBytes(DOMAIN.session, [nodeId, nonce, kernelBuild, softwareVersion]);
}

/** Bytes that a node signs to be given a certificate for its TLS key. */
export function certificateBytes({ nodeId, nonce, request }: SignedCertificateRequest): Uint8Array<ArrayBuffer> {
  return canonicalBytes(DOMAIN.certificate, [nodeId, nonce, request]);
}

/** Bytes that a node signs with every report. */
export function reportBytes(report: SignedReport): Uint8Array<ArrayBuffer> {
  const metrics = Object.entries(report.metrics).toSorted(([a], [b]) => compareUtf8(a, b));
  return canonicalBytes(DOMAIN.report, [
    report.taskId,
    report.runId,
    BigInt(report.round),
    BigInt(report.attempt),
    report.specHash,
    report.baseModelHash,
    report.blobHash,
    report.weight,
    metrics,
    report.failure && [report.failure.code, report.failure.message],
    report.planHash,
  ]);
}

/** Bytes that an organisation signs to start a run. */
export function startBytes({ organisation, specHash, planHash, initialModelHash, idempotencyKey }: SignedStart): Uint8Array<ArrayBuffer> {
  return canonicalBytes(DOMAIN.start, [organisation, specHash, planHash, initialModelHash, idempotencyKey]);
}

/** Bytes that somebody signs to read the roster of a project: that it holds the key that it shows. */
export function readingBytes({ projectId, atUnixMs, after }: SignedReading): Uint8Array<ArrayBuffer> {
  return canonicalBytes(DOMAIN.reading, [projectId, atUnixMs, BigInt(after)]);
}

const utf8 = new TextEncoder();

/** Order of UTF-8 bytes, which is that of code points; JavaScript's own comparison is by UTF-16 unit and differs beyond U+FFFF. */
function compareUtf8(a: string, b: string): number {
  const [left, right] = [utf8.encode(a), utf8.encode(b)];
  const common = Math.min(left.length, right.length);
  for (let i = 0; i < common; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
