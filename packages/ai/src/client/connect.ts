import { type AuditEvent, auditEventSchema } from "@ciphernx/core/audit";
import { NexusError } from "@ciphernx/core/errors";
import type { Roster } from "@ciphernx/core/roster";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type ApiToken,
  ControlService,
  type Dataset,
  type GetStatusResponse,
  type Invitation,
  type Member,
  type Model,
  type Node,
  type Run,
  type RunSignatureSchema,
} from "@ciphernx/protocol/proto";
import type { Transport } from "@ciphernx/protocol/wire";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import type { Sha256 } from "@ciphernx/core/blobs";
import type { Role } from "@ciphernx/core/identity";
import { createClient } from "@connectrpc/connect";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { parseDocumentWith, type Refusal } from "@ciphernx/core/spec";
import { parseRunSpec, refusedError, type RunPlan, type RunSpecInput } from "../spec/index.ts";
import { rosterOf } from "../federation/organisation/roster-access.ts";
import type { AskedStart, RunSigner } from "../federation/organisation/run-signer.ts";
import { encodeSafetensors, type ParameterSet } from "../tensor/index.ts";
import { present, type RunHandle, runHandle } from "./run-handle.ts";

/** How often a start is signed anew because what is registered changed. */
const SIGNING_ATTEMPTS = 5;

const AUDIT_PAGE = 1_000;

/** Which events of the audit log are wanted; all of them by default. */
export interface AuditEventsQuery {
  /** Events with a greater number. */
  readonly after?: number;
  readonly action?: string;
  readonly actor?: string;
  /** ISO 8601. */
  readonly since?: string;
}

export interface ConnectOptions {
  /** Where the coordinator listens, for example `http://127.0.0.1:7700`. */
  readonly url: string;
  /** An API token, or the owner token: `nexus up` writes that to `owner.token` in its data folder. */
  readonly token: string;
  /** The CA of a coordinator at an `https://` address, PEM: its `ca/ca.crt`. Default: the CAs of the system. */
  readonly ca?: string | undefined;
  /** An HTTP proxy on the way to an `https://` address, for example `http://proxy.example:3128`. Default: as `HTTPS_PROXY` and `NO_PROXY` say. */
  readonly proxy?: string | undefined;
}

export interface StartOptions {
  /** Same key, same run: a repeated call starts nothing new. */
  readonly idempotencyKey?: string;
  /** Parameters to start from, instead of the spec's initialisation. */
  readonly initial?: ParameterSet;
  /** Signs the start for an organisation: `runSigner` of `@ciphernx/ai/federation/organisation`. Needed where the project has a roster. */
  readonly signer?: RunSigner | undefined;
}

/** A spec's plan, or why it cannot be run. */
export type PlanAnswer = { readonly ok: true; readonly plan: RunPlan } | { readonly ok: false; readonly refusals: readonly Refusal[] };

/** A connection to a coordinator. Close it when done, or bind it with `await using`. */
export interface Nexus extends AsyncDisposable {
  status(): Promise<GetStatusResponse>;
  readonly nodes: {
    list(): Promise<readonly Node[]>;
    /** By id or name. */
    approve(node: string): Promise<Node>;
    remove(node: string): Promise<Node>;
    /**
     * A single-use token for `nexus node join`. `approved`: the node needs no approval afterwards. `publicUrl`: where nodes on other
     * machines join with it; undefined when the coordinator serves its own machine only.
     */
    createJoinToken(options?: {
      readonly expiresInSeconds?: number;
      readonly approved?: boolean;
    }): Promise<{ readonly token: string; readonly expiresAt: string; readonly publicUrl: string | undefined }>;
  };
  readonly datasets: {
    list(): Promise<readonly Dataset[]>;
    /** By id, or `name@node`. */
    get(dataset: string): Promise<Dataset>;
  };
  readonly runs: {
    /** Prices a spec against what is registered now; starts nothing. */
    plan(spec: string | RunSpecInput): Promise<PlanAnswer>;
    /** @throws NexusError SPEC_INVALID, SPEC_REFUSED, RUN_NOT_SIGNED */
    start(spec: string | RunSpecInput, options?: StartOptions): Promise<RunHandle>;
    list(): Promise<readonly Run[]>;
    get(id: string): Promise<Run>;
    handle(id: string): RunHandle;
  };
  /** Who belongs to the project. What organisations say in the roster themselves is in `@ciphernx/ai/federation/organisation`. */
  readonly organisations: {
    /** The roster, every entry verified; undefined where no organisation has begun one. @throws NexusError ROSTER_INVALID */
    roster(): Promise<Roster | undefined>;
    /** Begins the roster with the entry of `foundingEntry`. Only an owner may. */
    found(entry: string): Promise<void>;
  };
  readonly models: {
    list(): Promise<readonly Model[]>;
    /** By id, or by the id of its run. */
    get(model: string): Promise<Model>;
    /** The safetensors file, verified against its hash. */
    file(model: Model): Promise<Uint8Array<ArrayBuffer>>;
  };
  /** What was decided, by whom and when; for owners and auditors. */
  readonly audit: {
    /** Events after a number, oldest first, page by page until the end. */
    events(query?: AuditEventsQuery): AsyncIterable<AuditEvent>;
  };
  /** Bearer tokens for programs. Only an owner may make and revoke them. */
  readonly tokens: {
    /**
     * Makes one; its `secret` is told here and never again. Default lifetime 90 days, at most 365.
     * @throws NexusError API_TOKEN_NAME_TAKEN
     */
    create(options: {
      readonly name: string;
      readonly role: Role;
      readonly expiresInSeconds?: number;
    }): Promise<{ readonly token: ApiToken; readonly secret: string }>;
    list(): Promise<readonly ApiToken[]>;
    /** By id, or by the name of one that is not revoked; calls that wait under it end at once. @throws NexusError API_TOKEN_NOT_FOUND */
    revoke(token: string): Promise<ApiToken>;
  };
  /** People who sign in at the coordinator's page. Everybody sees who is a member; only an owner changes that. */
  readonly members: {
    /**
     * Makes a link with which somebody becomes a member: good once, for 3 days unless said otherwise, 30 at most. The links are told here
     * and never again: `localLink` for a browser on the coordinator's machine, `publicLink` for others, when they are served.
     */
    invite(options: {
      readonly role: Role;
      readonly name?: string;
      /** The only address that the link is good for. */
      readonly email?: string;
      readonly expiresInSeconds?: number;
    }): Promise<{ readonly invitation: Invitation; readonly localLink: string; readonly publicLink: string | undefined }>;
    list(): Promise<{ readonly members: readonly Member[]; readonly invitations: readonly Invitation[] }>;
    /** By id or e-mail address. @throws NexusError MEMBER_NOT_FOUND, LAST_OWNER */
    setRole(member: string, role: Role): Promise<Member>;
    /** A member by id or e-mail address, or an invitation by its id; sessions end at once. @throws NexusError MEMBER_NOT_FOUND, LAST_OWNER */
    remove(member: string): Promise<Member | Invitation>;
  };
  close(): Promise<void>;
}

/**
 * Connects to a coordinator, with what the token's role allows.
 *
 * @example
 * await using nexus = connect({ url: "http://127.0.0.1:7700", token });
 * const run = await nexus.runs.start(spec);
 * for await (const event of run.events()) console.log(event.number, event.type);
 * const { modelHash } = await run.result();
 */
export function connect({ url, token, ca, proxy }: ConnectOptions): Nexus {
  return nexusOver(connectTransport({ baseUrl: url, token: () => token, tls: { ca }, proxy }));
}

/** The same over any transport, for example one within the process. */
export function nexusOver(transport: Transport): Nexus {
  const client = createClient(ControlService, transport.rpc);
  // A spec is checked here first: a typing mistake needs no coordinator, and its message names the line.
  const specText = (spec: string | RunSpecInput): string => JSON.stringify(parseRunSpec(spec));
  const handle = (id: string): RunHandle => runHandle(id, client, transport);

  async function planOf(spec: string | RunSpecInput): Promise<PlanAnswer> {
    const { planJson, refusals } = await client.planRun({ spec: specText(spec) });
    if (planJson !== "") return { ok: true, plan: JSON.parse(planJson) as RunPlan };
    return {
      ok: false,
      refusals: refusals.map(({ path, reason, remedy, editsJson }) => ({
        path,
        reason,
        remedy,
        ...(editsJson === "" ? {} : { edits: JSON.parse(editsJson) as NonNullable<Refusal["edits"]> }),
      })),
    };
  }

  /** The plan as it is now, signed. */
  async function signed(signer: RunSigner, start: Omit<AskedStart, "plan">): Promise<MessageInitShape<typeof RunSignatureSchema>> {
    const planned = await planOf(start.spec);
    if (!planned.ok) throw refusedError(planned.refusals);
    const { plan } = planned;
    return { organisation: signer.organisation, planHash: plan.planHash, signature: await signer.sign({ ...start, plan }) };
  }

  return {
    status: () => client.getStatus({}),
    nodes: {
      list: async () => (await client.listNodes({})).nodes,
      approve: async (node) => present((await client.approveNode({ node })).node, node),
      remove: async (node) => present((await client.removeNode({ node })).node, node),
      createJoinToken: async ({ expiresInSeconds = 0, approved = false } = {}) => {
        const { token, expiresAt, publicUrl } = await client.createJoinToken({ expiresInSeconds, approved });
        return { token, expiresAt, publicUrl: publicUrl === "" ? undefined : publicUrl };
      },
    },
    datasets: {
      list: async () => (await client.listDatasets({})).datasets,
      get: async (dataset) => present((await client.getDataset({ dataset })).dataset, dataset),
    },
    runs: {
      plan: planOf,
      async start(spec, { idempotencyKey = crypto.randomUUID(), initial, signer } = {}) {
        const parsed = parseRunSpec(spec);
        let initialModelHash = "";
        if (initial !== undefined) {
          const file = encodeSafetensors(initial);
          initialModelHash = bytesToHex(sha256(file));
          await transport.blobs.put(file, { hash: initialModelHash as Sha256, sizeBytes: file.length });
        }
        const request = { spec: JSON.stringify(parsed), idempotencyKey, initialModelHash };
        for (let attempt = 1; ; attempt += 1) {
          const signature = signer && (await signed(signer, { spec: parsed, initialModelHash, idempotencyKey }));
          try {
            const { run } = await client.startRun({ ...request, ...(signature === undefined ? {} : { signature }) });
            return handle(present(run, "the run").id);
          } catch (error) {
            // Somebody joined, or registered a dataset, since the plan was made.
            if (!(error instanceof NexusError) || error.code !== "PLAN_MOVED" || attempt === SIGNING_ATTEMPTS) throw error;
          }
        }
      },
      list: async () => (await client.listRuns({})).runs,
      get: async (runId) => present((await client.getRun({ runId })).run, runId),
      handle,
    },
    organisations: {
      async roster() {
        const { entries } = await client.getRoster({});
        return entries.length === 0 ? undefined : rosterOf(entries);
      },
      found: async (entry) => void (await client.foundRoster({ entry })),
    },
    models: {
      list: async () => (await client.listModels({})).models,
      get: async (model) => present((await client.getModel({ model })).model, model),
      file: (model) => transport.blobs.get(model.hash as Sha256, { expectedSizeBytes: Number(model.sizeBytes) }),
    },
    audit: {
      async *events({ after = 0, action = "", actor = "", since = "" } = {}) {
        for (let from = after; ;) {
          const { events } = await client.listAuditEvents({ after: BigInt(from), limit: AUDIT_PAGE, action, actor, since });
          for (const text of events) {
            const event = parseDocumentWith(auditEventSchema, JSON.parse(text), "An event of the audit log");
            from = event.number;
            yield event;
          }
          if (events.length < AUDIT_PAGE) return;
        }
      },
    },
    tokens: {
      create: async ({ name, role, expiresInSeconds = 0 }) => {
        const { token, secret } = await client.createApiToken({ name, role, expiresInSeconds });
        return { token: present(token, name), secret };
      },
      list: async () => (await client.listApiTokens({})).tokens,
      revoke: async (token) => present((await client.revokeApiToken({ token })).token, token),
    },
    members: {
      invite: async ({ role, name = "", email = "", expiresInSeconds = 0 }) => {
        const { invitation, localLink, publicLink } = await client.inviteMember({ role, name, email, expiresInSeconds });
        return { invitation: present(invitation, "the invitation"), localLink, publicLink: publicLink === "" ? undefined : publicLink };
      },
      list: async () => client.listMembers({}),
      setRole: async (member, role) => present((await client.setMemberRole({ member, role })).member, member),
      remove: async (member) => {
        const removed = await client.removeMember({ member });
        return present(removed.member ?? removed.invitation, member);
      },
    },
    close: () => transport.close(),
    [Symbol.asyncDispose]: () => transport.close(),
  };
}
