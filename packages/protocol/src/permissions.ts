/**
 * Who may call what: the one table. The coordinator asks it before every call and every blob; whatever is not in it is refused.
 *
 * A row names the callers that are let in: `anyone` shows nothing (joining, opening a session and entries of the roster prove themselves by what
 * is in the message), `node` shows the token of an open session, roles show an API token or, as the owner, the owner token. A row speaks of the
 * call alone: what a node may do with which task, and which blobs it may read, is decided where the task is known.
 *
 * @module
 */
import { type Role, ROLES } from "@ciphernx/core/identity";
import { ControlService, NodeService, RosterService } from "./proto.ts";

/** A kind of caller. */
export type Caller = "anyone" | "node" | Role;

/** A row for every method of a service: one that is missing does not compile. */
type Rows<Service extends { readonly method: object }> = { readonly [Method in keyof Service["method"]]: readonly Caller[] };

const EVERY_ROLE = ROLES;
const OWNER = ["owner"] as const;
const RUNNERS = ["owner", "data-scientist"] as const;

const CONTROL = {
  getStatus: EVERY_ROLE,
  listProjects: EVERY_ROLE,

  createJoinToken: OWNER,
  listNodes: EVERY_ROLE,
  approveNode: OWNER,
  removeNode: OWNER,

  listDatasets: EVERY_ROLE,
  getDataset: EVERY_ROLE,

  planRun: ["owner", "data-scientist", "data-owner"],
  startRun: RUNNERS,
  stopRun: RUNNERS,
  resumeRun: RUNNERS,
  listRuns: EVERY_ROLE,
  getRun: EVERY_ROLE,
  listEvents: EVERY_ROLE,

  listModels: EVERY_ROLE,
  getModel: EVERY_ROLE,

  getRoster: EVERY_ROLE,
  foundRoster: OWNER,

  listAuditEvents: ["owner", "auditor"],

  createApiToken: OWNER,
  listApiTokens: ["owner", "auditor"],
  revokeApiToken: OWNER,

  inviteMember: OWNER,
  listMembers: EVERY_ROLE,
  setMemberRole: OWNER,
  removeMember: OWNER,
} as const satisfies Rows<typeof ControlService>;

const NODE = {
  register: ["anyone"],
  challenge: ["anyone"],
  openSession: ["anyone"],
  issueCertificate: ["anyone"],
  registerDataset: ["node"],
  nextTask: ["node"],
  report: ["node"],
  takeSumStep: ["node"],
  readPlanParties: ["node"],
  heartbeat: ["node"],
} as const satisfies Rows<typeof NodeService>;

const ROSTER = {
  readRoster: ["anyone"],
  appendEntry: ["anyone"],
} as const satisfies Rows<typeof RosterService>;

/** Callers of each RPC: by the service's full name, then by the method's name in TypeScript. */
export const RPC_PERMISSIONS: Readonly<Record<string, Readonly<Record<string, readonly Caller[]>>>> = {
  [ControlService.typeName]: CONTROL,
  [NodeService.typeName]: NODE,
  [RosterService.typeName]: ROSTER,
};

/**
 * RPCs of `NodeService` that a node may call over TLS without a certificate, or with one that has expired: the message proves by itself who sends it.
 * Every other call of a node, and every blob, needs the certificate of that node.
 */
export const WITHOUT_CERTIFICATE: ReadonlySet<string> = new Set<keyof typeof NODE>(["register", "challenge", "issueCertificate"]);

/** Callers of `GET /metrics`. */
export const METRICS_PERMISSIONS = { read: ["owner", "auditor"] } as const satisfies Readonly<Record<string, readonly Caller[]>>;

/** Callers of the blob routes. */
export const BLOB_PERMISSIONS = {
  /** `GET /blobs/HASH`: people any blob that is kept; a node those that its open tasks name. */
  read: ["owner", "data-scientist", "data-owner", "node"],
  /** `PUT /blobs/HASH`: parameters for a run to start from. */
  sendCheckpoint: RUNNERS,
  /** `PUT /blobs/HASH?task=ID`: the update that answers a task. */
  sendUpdate: ["node"],
} as const satisfies Readonly<Record<string, readonly Caller[]>>;
