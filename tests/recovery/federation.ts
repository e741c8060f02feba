import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { joinNode } from "@ciphernx/ai/federation/node";
import {
  createOrganisation,
  foundingEntry,
  inviteOrganisation,
  joinRoster,
  type OpenOrganisation,
  rosterAccess,
  type RosterAccess,
  runSigner,
  signForNode,
} from "@ciphernx/ai/federation/organisation";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { connect, type Nexus, type RunEvent, type RunHandle } from "@ciphernx/ai/client";
import { ownerTokenPath } from "@ciphernx/coordinator";
import { type TemporaryFolder, temporaryFolder } from "@ciphernx/core/store/testing";
import { expect } from "vitest";
import { type CoordinatorProcess, type StartOptions, startCoordinatorProcess } from "./coordinator-process.ts";
import { type Pace, PARTIES, party, runSpec } from "./parties.ts";

/** A coordinator process and its parties; a test kills what it likes and starts it again. */
export interface Federation extends AsyncDisposable {
  readonly folder: string;
  /** The coordinator's data folder. */
  readonly home: string;
  readonly port: number;
  readonly nexus: Nexus;
  /** The process that serves now. */
  coordinator: CoordinatorProcess;
  /** Sets what the parties of this process wait for. */
  pace: Pace;
  /** kill −9, and a new process on the same folder and port, which opens a gate. */
  killCoordinator(gate?: string): Promise<void>;
  /** The same with SIGTERM; from another checkout when its root is given. */
  restartCoordinator(root?: string): Promise<void>;
  /** A new process, when there is none. */
  startCoordinator(options?: Omit<StartOptions, "port">): Promise<void>;
  /** Files that say that somebody uses the data folder. */
  locks(): Promise<readonly string[]>;
  /** Starts a run, signed where the parties are on a roster. */
  start(spec: RunSpecInput): Promise<RunHandle>;
  /** A single-use token for another party. */
  joinToken(): Promise<string>;
}

export interface FederationOptions {
  /** Parties that serve in the test's own process. Default: all. */
  readonly parties?: readonly string[];
  /** Parties on the roster that a test starts in processes of their own. */
  readonly elsewhere?: readonly string[];
  /** The data folder's parent, when it is not a temporary folder of this federation. */
  readonly folder?: string;
  /** Whether each party is an organisation on a roster. Default: there is none. */
  readonly isRostered?: boolean;
}

type RunSigner = ReturnType<typeof runSigner>;

const AT_ONCE: Pace = { before: () => {} };

export async function startFederation({
  parties = PARTIES,
  elsewhere = [],
  folder: given,
  isRostered = false,
}: FederationOptions = {}): Promise<Federation> {
  const temporary: TemporaryFolder | undefined = given === undefined ? await temporaryFolder() : undefined;
  const folder = given ?? temporary!.path;
  const home = join(folder, "home");
  const leaving = new AbortController();
  const coordinator = await startCoordinatorProcess(home, { port: 0 });
  const port = Number(new URL(coordinator.url).port);
  const nexus = connect({ url: coordinator.url, token: (await readFile(ownerTokenPath(home), "utf8")).trim() });

  let signer: RunSigner | undefined;

  const federation: Federation = {
    start: (spec) => nexus.runs.start(spec, signer === undefined ? {} : { signer }),
    folder,
    home,
    port,
    nexus,
    coordinator,
    pace: AT_ONCE,
    async killCoordinator(gate) {
      await federation.coordinator.kill();
      await federation.startCoordinator(gate === undefined ? {} : { open: gate });
    },
    async restartCoordinator(root) {
      await federation.coordinator.stop();
      await federation.startCoordinator(root === undefined ? {} : { root });
    },
    async startCoordinator(options) {
      federation.coordinator = await startCoordinatorProcess(home, { ...options, port });
    },
    async locks() {
      const names = [...(await readdir(home)), ...(await readdir(join(home, "postgres", "data")))];
      return names.filter((name) => /^(lock.*|coordinator\.json|postmaster\.pid)$/.test(name));
    },
    joinToken: async () => (await nexus.nodes.createJoinToken({ approved: true })).token,
    async [Symbol.asyncDispose]() {
      leaving.abort();
      await Promise.allSettled(serving);
      await nexus.close();
      await federation.coordinator.stop();
      await temporary?.[Symbol.asyncDispose]();
    },
  };
  const pace: Pace = { before: (...task) => federation.pace.before(...task) };
  const serving: Promise<void>[] = [];
  if (isRostered) signer = await joinOnRoster(federation, coordinator.url, [...parties, ...elsewhere]);
  for (const name of parties) {
    const place = { name, folder: join(folder, name), signal: leaving.signal };
    const joining = isRostered ? {} : { url: coordinator.url, token: await federation.joinToken() };
    serving.push(party(name, pace).serve({ ...place, ...joining }));
  }
  await online(nexus, parties);
  return federation;
}

/** Joins parties, each signed for by an organisation of its own. */
async function joinOnRoster({ nexus, folder }: Federation, url: string, parties: readonly string[]): Promise<RunSigner> {
  await using transport = connectTransport({ baseUrl: url });
  const { projectId: project } = await nexus.status();
  let founder: { readonly organisation: OpenOrganisation; readonly access: RosterAccess } | undefined;
  for (const name of parties) {
    const passphrase = randomBytes(32);
    const organisation = await createOrganisation({ folder: join(folder, `org-${name}`), name, project, url, passphrase });
    const access = rosterAccess(transport, { project, keys: organisation.keys });
    if (founder === undefined) {
      founder = { organisation, access };
      await nexus.organisations.found((await foundingEntry(organisation)).entry);
    } else {
      const invitation = await inviteOrganisation(founder.access, founder.organisation, { name, expiresInSeconds: 60 });
      await joinRoster(rosterAccess(transport, { project, keys: [invitation.key] }), organisation, invitation);
    }
    const { token } = await nexus.nodes.createJoinToken();
    await joinNode({ url, token, name, folder: join(folder, name) });
    await signForNode(access, organisation, join(folder, name));
  }
  // The organisation's own way to the roster, whichever process serves it.
  const lasting = connectTransport({ baseUrl: url });
  return runSigner(rosterAccess(lasting, { project, keys: founder!.organisation.keys }), founder!.organisation);
}

/** Waits until parties have registered their data. */
export async function online(nexus: Nexus, parties: readonly string[]): Promise<void> {
  for (;;) {
    const present = new Set((await nexus.datasets.list()).map(({ nodeName }) => nodeName));
    if (parties.every((name) => present.has(name))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The hash of a run in which nothing happens. */
export async function undisturbedHash(federation: Federation, rounds: number, spec: RunSpecInput = runSpec(rounds)): Promise<string> {
  const run = await federation.start(spec);
  return (await run.result()).modelHash;
}

/** What has to hold of a run that has ended, whatever was killed: each round committed once, events without gaps, nothing left over. */
export async function expectWhole(federation: Federation, run: RunHandle, rounds: number): Promise<readonly RunEvent[]> {
  const events = await Array.fromAsync(run.events({ follow: false }));
  expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
  const committed = events.flatMap((event) => (event.type === "round-committed" ? [event.payload.round] : []));
  expect(committed).toEqual(Array.from({ length: rounds }, (_, index) => index + 1));
  expect(events.at(-1)).toMatchObject({ type: "run-finished", payload: { outcome: "completed" } });

  const { rounds: attempts } = await run.show();
  expect(attempts.filter(({ state }) => state === "committed").map(({ round }) => round)).toEqual(committed);
  expect(attempts.filter(({ state }) => !["committed", "abandoned"].includes(state))).toEqual([]);

  expect(await readdir(join(federation.home, "blobs", "staging"))).toEqual([]);
  // What the last round left over is collected after its commit.
  await expect
    .poll(async () => {
      const rows = await federation.coordinator.query('select hash from blobs order by hash collate "C"');
      const files = await blobFiles(federation.home);
      return { strayFiles: files.length - rows.length, files: files.length, same: rows.every(({ hash }, index) => hash === files[index]) };
    })
    .toMatchObject({ strayFiles: 0, same: true });
  return events;
}

async function blobFiles(home: string): Promise<readonly string[]> {
  const names = await readdir(join(home, "blobs"), { recursive: true });
  return names.flatMap((name) => /^[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(name)?.[1] ?? []).toSorted();
}

/** Waits for an event of a run. */
export async function event(run: RunHandle, matches: (event: RunEvent) => boolean): Promise<RunEvent> {
  for await (const found of run.events()) if (matches(found)) return found;
  throw new Error(`The run ${run.id} ended before that happened.`);
}
