/**
 * A coordinator on a real socket and a real database, and nodes in this process that talk to it as every node does. DBOS is one a
 * process, so a test file has one of these.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, type Nexus } from "@ciphernx/ai/client";
import { allocateExamples, createDataset, type DatasetSchema, describeDataset, type Examples, type PartyDataset } from "@ciphernx/ai/data";
import {
  type AuditHeads,
  type DatasetGuard,
  joinNode,
  type KeptValues,
  loadIdentity,
  type NodeConnection,
  type NodeEvent,
  type NodeIdentity,
  type NodeRoster,
  type NodeSession,
  openSession,
  registerDataset,
  runNode,
  SOFTWARE_VERSION,
  type SumJournal,
} from "@ciphernx/ai/federation/node";
import { loadKernel } from "@ciphernx/ai/nn";
import { randomStream } from "@ciphernx/ai/random";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { networkTrainer, type Trainer } from "@ciphernx/ai/training";
import { sleep } from "@ciphernx/core/lifecycle";
import { temporaryFolder, testDatabase } from "@ciphernx/core/store/testing";
import { nodeSecAgg } from "@ciphernx/crypto/secagg/node";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { pino } from "pino";
import { type Coordinator, type CoordinatorOptions, ownerTokenPath, startCoordinator } from "./index.ts";

export interface TestCoordinator extends AsyncDisposable {
  readonly coordinator: Coordinator;
  readonly url: string;
  /** The data folder. */
  readonly home: string;
  readonly token: string;
  readonly nexus: Nexus;
  /** A folder below which a node's identity may be kept. */
  folderOf(name: string): string;
  /** Joins a node that is approved at once; nothing runs it yet. */
  join(name: string): Promise<NodeIdentity>;
}

export async function testCoordinator(
  options: Pick<CoordinatorOptions, "tls" | "wrongSecretsPerMinute" | "oidc" | "log"> & Partial<Pick<CoordinatorOptions, "port">> = {},
): Promise<TestCoordinator> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = stack.use(await temporaryFolder());
    const database = stack.use(await testDatabase());
    const home = join(folder.path, "home");
    const { databaseUrl } = database;
    const coordinator = stack.use(await startCoordinator({ home, port: 0, databaseUrl, log: pino({ level: "silent" }), ...options }));
    const { url } = coordinator;
    const token = (await readFile(ownerTokenPath(home), "utf8")).trim();
    const nexus = stack.use(connect({ url, token }));
    const folderOf = (name: string): string => join(folder.path, "nodes", name);
    return {
      ...{ coordinator, url, home, token, nexus, folderOf },
      async join(name) {
        const invitation = await nexus.nodes.createJoinToken({ approved: true });
        await joinNode({ url, token: invitation.token, name, folder: folderOf(name) });
        return (await loadIdentity(folderOf(name))).identity;
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** A session that speaks for a node without running it. */
export async function openTestSession(url: string, identity: NodeIdentity, kernelBuild?: string): Promise<NodeSession> {
  return openSession({
    identity,
    kernelBuild: kernelBuild ?? (await loadKernel()).build,
    softwareVersion: SOFTWARE_VERSION,
    connect: (token) => connectTransport({ baseUrl: url, token }),
  });
}

/** Tells the coordinator of a party's rows. */
export async function registerRows(session: NodeSession, name: string, { dataset }: PartyDataset): Promise<string> {
  return registerDataset(session, { name, ...describeDataset(dataset) });
}

/** A node at work in this process. */
export interface WorkingNode extends AsyncDisposable {
  readonly identity: NodeIdentity;
  readonly events: readonly NodeEvent[];
  /** Settles when the node ends; rejects when it can never be let in. */
  readonly ended: Promise<void>;
}

export interface WorkOptions {
  /** Registered as `rows` at every session. */
  readonly rows: PartyDataset;
  /** Called before each task; the node's answers wait for it. */
  readonly before?: (task: Parameters<Trainer["fit"]>[0]) => Promise<unknown>;
  /** Changes the built-in trainer. */
  readonly change?: (trainer: Trainer) => Trainer;
  /** Where the party's own values are kept; default: in the memory of this node. */
  readonly kept?: KeptValues;
  /** Speaks for the owner of the rows; default: every run is let in. */
  readonly guard?: DatasetGuard;
  /** Who may take part beside it; default: everybody. */
  readonly roster?: NodeRoster | undefined;
  /** What it remembers of protected sums; default: in its memory. */
  readonly sums?: SumJournal;
  /** What it has seen of the audit log; default: nothing is kept. */
  readonly auditHeads?: AuditHeads | undefined;
  /** How it reaches the coordinator; default: plainly. */
  readonly connection?: NodeConnection;
}

/** Starts the built-in trainer of a node that has joined. */
export async function startWork(
  url: string,
  identity: NodeIdentity,
  { rows, before = async () => {}, change = (trainer) => trainer, kept, guard, roster, sums, auditHeads, connection }: WorkOptions,
): Promise<WorkingNode> {
  const kernel = await loadKernel();
  const builtIn = networkTrainer({ kernel, dataset: () => Promise.resolve(rows.dataset) });
  const waiting: Trainer = {
    kernelBuild: builtIn.kernelBuild,
    statistics: (task) => builtIn.statistics!(task),
    fit: async (task) => (await before(task), builtIn.fit(task)),
    evaluate: async (task) => (await before(task), builtIn.evaluate(task)),
  };
  const stop = new AbortController();
  const events: NodeEvent[] = [];
  const registered = Promise.withResolvers<void>();
  const ended = runNode({
    identity,
    trainer: change(waiting),
    softwareVersion: SOFTWARE_VERSION,
    ...(connection ?? { connect: (token) => connectTransport({ baseUrl: url, token }) }),
    signal: stop.signal,
    ...(kept === undefined ? {} : { kept }),
    ...(guard === undefined ? {} : { guard }),
    secAgg: nodeSecAgg,
    ...(sums === undefined ? {} : { sums }),
    ...{ roster, auditHeads },
    onEvent: (event) => events.push(event),
    onSession: async (session) => {
      await registerRows(session, "rows", rows);
      registered.resolve();
    },
  });
  ended.catch(() => {}); // whoever awaits it hears of it
  await Promise.race([registered.promise, ended]);
  return {
    identity,
    events,
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended.catch(() => {}); // ditto
    },
  };
}

/** Four numbers a row, three classes. */
export const ROWS_SCHEMA: DatasetSchema = { kind: "tensor", shape: [4], element: "f32", scale: 1, task: "classification", classes: 3 };

/** Rows of three classes around three points, other rows for every name. */
export function classRows(party: string, trainCount: number, testCount: number): PartyDataset {
  const random = randomStream(11, "rows", party);
  const draw = (count: number): Examples => {
    const examples = allocateExamples(ROWS_SCHEMA, count, { shared: true });
    for (let row = 0; row < count; row += 1) {
      const label = random.uint32() % 3;
      examples.targets[row] = label;
      for (let column = 0; column < 4; column += 1) {
        examples.features[row * 4 + column] = (column === label ? 1.5 : 0) + random.uint32() / 2 ** 32 - 0.5;
      }
    }
    return examples;
  };
  const train = draw(trainCount);
  return { party, dataset: createDataset(ROWS_SCHEMA, train, testCount === 0 ? undefined : draw(testCount)) };
}

/** A spec that learns `rows`. */
export function rowsSpec(changes: Partial<RunSpecInput> = {}): RunSpecInput {
  return {
    version: 1,
    name: "small",
    seed: 7,
    data: { dataset: "rows" },
    model: { kind: "mlp", hidden: [5] },
    train: { optimiser: { kind: "sgd", learningRate: 0.2 }, batchSize: 8 },
    protection: { kind: "none" },
    rounds: 3,
    cohort: { deadlineSeconds: 30 },
    ...changes,
  };
}

/** Waits until something is there; the test's own time limit ends a wait in vain. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(20);
  }
}
