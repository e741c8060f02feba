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
} from "@ciphernx/protocol/proto";
import type { Transport } from "@ciphernx/protocol/wire";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import type { Sha256 } from "@ciphernx/core/blobs";
import type { Role } from "@ciphernx/core/identity";
import { createClient } from "@connectrpc/connect";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Refusal } from "@ciphernx/core/spec";
import { parseRunSpec, type RunPlan, type RunSpecInput } from "../spec/index.ts";
import { encodeSafetensors, type ParameterSet } from "../tensor/index.ts";
import { present, type RunHandle, runHandle } from "./run-handle.ts";

export interface ConnectOptions {
  /** Where the coordinator listens, for example `http://127.0.0.1:7700`. */
  readonly url: string;
  /** An API token, or the owner token: `nexus up` writes that to `owner.token` in its data folder. */
  readonly token: string;
  /** The CA of a coordinator at an `https://` address, PEM: its `ca/ca.crt`. Default: the CAs of the system. */
  readonly ca?: string | undefined;
}

export interface StartOptions {
  /** Same key, same run: a repeated call starts nothing new. */
  readonly idempotencyKey?: string;
  /** Parameters to start from, instead of the spec's initialisation. */
  readonly initial?: ParameterSet;
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
    /** @throws NexusError SPEC_INVALID, SPEC_REFUSED */
    start(spec: string | RunSpecInput, options?: StartOptions): Promise<RunHandle>;
    list(): Promise<readonly Run[]>;
    get(id: string): Promise<Run>;
    handle(id: string): RunHandle;
  };
  readonly models: {
    list(): Promise<readonly Model[]>;
    /** By id, or by the id of its run. */
    get(model: string): Promise<Model>;
    /** The safetensors file, verified against its hash. */
    file(model: Model): Promise<Uint8Array<ArrayBuffer>>;
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
export function connect({ url, token, ca }: ConnectOptions): Nexus {
  return nexusOver(connectTransport({ baseUrl: url, token: () => token, tls: { ca } }));
}

/** The same over any transport, for example one within the process. */
export function nexusOver(transport: Transport): Nexus {
  const client = createClient(ControlService, transport.rpc);
  // A spec is checked here first: a typing mistake needs no coordinator, and its message names the line.
  const specText = (spec: string | RunSpecInput): string => JSON.stringify(parseRunSpec(spec));
  const handle = (id: string): RunHandle => runHandle(id, client, transport);

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
      async plan(spec) {
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
      },
      async start(spec, { idempotencyKey = crypto.randomUUID(), initial } = {}) {
        const text = specText(spec);
        let initialModelHash = "";
        if (initial !== undefined) {
          const file = encodeSafetensors(initial);
          initialModelHash = bytesToHex(sha256(file));
          await transport.blobs.put(file, { hash: initialModelHash as Sha256, sizeBytes: file.length });
        }
        const { run } = await client.startRun({ spec: text, idempotencyKey, initialModelHash });
        return handle(present(run, "the run").id);
      },
      list: async () => (await client.listRuns({})).runs,
      get: async (runId) => present((await client.getRun({ runId })).run, runId),
      handle,
    },
    models: {
      list: async () => (await client.listModels({})).models,
      get: async (model) => present((await client.getModel({ model })).model, model),
      file: (model) => transport.blobs.get(model.hash as Sha256, { expectedSizeBytes: Number(model.sizeBytes) }),
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
