/**
 * What every Transport must do. An implementation's test calls {@link transportCompliance} with a way to set up both ends.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { type ConnectRouter, createClient } from "@connectrpc/connect";
import { type BlobStore, memoryBlobStore, type Sha256 } from "@ciphernx/core/blobs";
import { type ErrorCode, NexusError } from "@ciphernx/core/errors";
import { describe, expect, it } from "vitest";
import { ControlService, NodeService } from "../proto.ts";
import { callerToken } from "./bearer.ts";
import type { BlobEndpoint, BlobUpload } from "./blob-endpoint.ts";
import type { TokenSource, Transport } from "./transport.ts";
import type { WireLog } from "./wire-log.ts";

/** The far end of a transport under test. */
export interface TransportFixture extends AsyncDisposable {
  connect(token?: TokenSource): Transport;
}

/** What the fixture has to serve. */
export interface TransportFixtureOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly blobs: BlobEndpoint;
  readonly log: WireLog;
}

/** Runs the suite against one implementation. */
export function transportCompliance(name: string, setUp: (options: TransportFixtureOptions) => Promise<TransportFixture>): void {
  describe(`${name}: calls`, () => {
    it("carries messages both ways, with the caller's token", async () => {
      await using world = await openWorld(setUp);
      const control = createClient(ControlService, world.transport.rpc);
      const { runs } = await control.listRuns({});
      expect(runs.map((run) => run.id)).toEqual(["owner"]);
      await using anonymous = world.connect(() => undefined);
      expect((await createClient(ControlService, anonymous.rpc).listRuns({})).runs[0]?.id).toBe("nobody");
    });

    it("asks for the token before every call", async () => {
      let token = "first";
      await using world = await openWorld(setUp);
      await using transport = world.connect(() => token);
      const control = createClient(ControlService, transport.rpc);
      expect((await control.listRuns({})).runs[0]?.id).toBe("first");
      token = "second";
      expect((await control.listRuns({})).runs[0]?.id).toBe("second");
    });

    it("wakes a waiting call", async () => {
      await using world = await openWorld(setUp);
      const node = createClient(NodeService, world.transport.rpc);
      const waiting = node.nextTask({ waitMs: 60_000 });
      await world.polled();
      // Other calls are not held up by one that waits.
      await node.heartbeat({});
      world.wake("task_1");
      expect((await waiting).task?.taskId).toBe("task_1");
    });

    it("ends a waiting call when its signal is aborted, on both sides", async () => {
      await using world = await openWorld(setUp);
      const stop = new AbortController();
      const waiting = createClient(NodeService, world.transport.rpc).nextTask({ waitMs: 60_000 }, { signal: stop.signal });
      await world.polled();
      stop.abort();
      await expectCode(waiting, "INTERRUPTED");
      await world.pollAborted();
      const reason = new NexusError("RUN_STATE", "The run was stopped.");
      await expectCode(createClient(NodeService, world.transport.rpc).nextTask({}, { signal: AbortSignal.abort(reason) }), "RUN_STATE");
    });

    it("keeps a call's deadline", async () => {
      await using world = await openWorld(setUp);
      const node = createClient(NodeService, world.transport.rpc);
      // Long enough for a handshake on a busy machine: a call whose time is over before it is sent aborts nothing.
      await expectCode(node.nextTask({ waitMs: 60_000 }, { timeoutMs: 500 }), "TIMEOUT");
      await world.pollAborted();
      await expectCode(node.nextTask({ waitMs: 60_000 }, { signal: AbortSignal.timeout(30) }), "TIMEOUT");
    });

    it("brings errors across with code, message, hint and details", async () => {
      await using world = await openWorld(setUp);
      const error = await failure(createClient(ControlService, world.transport.rpc).getRun({ runId: "run_é" }));
      expect(error).toBeInstanceOf(NexusError);
      expect(error).toMatchObject({ code: "RUN_NOT_FOUND", message: "No run has the id run_é.", hint: "Look → elsewhere." });
      expect(error.details).toEqual({ run: "run_é", rounds: [1, 2.5], size: "9007199254740993", nested: { ok: true, none: null } });
    });

    it("shows nothing of an unexpected error but a reference into the log", async () => {
      await using world = await openWorld(setUp);
      const error = await failure(createClient(ControlService, world.transport.rpc).stopRun({ runId: "secret" }));
      expect(error.code).toBe("INTERNAL");
      expect(JSON.stringify([error.message, error.details, error.hint])).not.toMatch(/secret|compliance|at .*\.ts/);
      const reference = String(error.details["reference"]);
      expect(world.logged.filter((line) => line.includes(reference) && line.includes("secret"))).toHaveLength(1);
    });

    it("refuses a call that the service does not have", async () => {
      await using world = await openWorld(setUp);
      await expectCode(createClient(ControlService, world.transport.rpc).listModels({}), "MESSAGE_INVALID");
    });

    it("refuses a message that is too large", async () => {
      await using world = await openWorld(setUp);
      await expectCode(createClient(ControlService, world.transport.rpc).planRun({ spec: "x".repeat(5_000_000) }), "MESSAGE_INVALID");
    });

    it("ends calls under way when it is closed, and makes none afterwards", async () => {
      await using world = await openWorld(setUp);
      const node = createClient(NodeService, world.transport.rpc);
      const waiting = node.nextTask({ waitMs: 60_000 });
      await world.polled();
      const ended = expectCode(waiting, "INTERRUPTED");
      await world.transport.close();
      await ended;
      await expectCode(node.heartbeat({}), "INTERRUPTED");
      await expectCode(world.transport.blobs.get(sha256(new Uint8Array())), "INTERRUPTED");
      await world.transport.close();
    });
  });

  describe(`${name}: blobs`, () => {
    for (const sizeBytes of [0, 1, 5_000_000]) {
      it(`sends and fetches ${sizeBytes} bytes`, async () => {
        await using world = await openWorld(setUp);
        const { blobs } = world.transport;
        const bytes = randomBytes(sizeBytes);
        const hash = sha256(bytes);
        await blobs.put(bytes, { hash, sizeBytes, taskId: "task 1/ö" });
        expect(world.uploads).toEqual([{ hash, sizeBytes, taskId: "task 1/ö", caller: "owner" }]);
        expect(Buffer.from(await world.store.read(hash)).equals(bytes)).toBe(true);
        expect(Buffer.from(await blobs.get(hash, { expectedSizeBytes: sizeBytes })).equals(bytes)).toBe(true);
        const streamed: Buffer[] = [];
        for await (const chunk of blobs.stream(hash)) streamed.push(Buffer.from(chunk));
        expect(Buffer.concat(streamed).equals(bytes)).toBe(true);
      });
    }

    it("sends from a stream, and the same blob twice", async () => {
      await using world = await openWorld(setUp);
      const bytes = randomBytes(300_000);
      const hash = sha256(bytes);
      for (let turn = 0; turn < 2; turn++) {
        await world.transport.blobs.put(pieces(bytes, 70_000), { hash, sizeBytes: bytes.length });
        expect(Buffer.from(await world.transport.blobs.get(hash)).equals(bytes)).toBe(true);
      }
      expect(world.uploads).toHaveLength(2);
    });

    it("refuses bytes with another hash, and keeps nothing of them", async () => {
      await using world = await openWorld(setUp);
      for (const sizeBytes of [10, 200_000]) {
        const announced = sha256(Buffer.from(`other ${sizeBytes}`));
        await expectCode(world.transport.blobs.put(randomBytes(sizeBytes), { hash: announced, sizeBytes }), "BLOB_CORRUPT");
      }
      expect(world.uploads).toEqual([]);
      await world.expectNothingStaged();
    });

    it("refuses fewer or more bytes than announced", async () => {
      await using world = await openWorld(setUp);
      const bytes = randomBytes(200_000);
      const hash = sha256(bytes);
      for (const sizeBytes of [bytes.length - 1, bytes.length + 1]) {
        await expectCode(world.transport.blobs.put(bytes, { hash, sizeBytes }), "BLOB_CORRUPT");
        await expectCode(world.transport.blobs.put(pieces(bytes, 64_000), { hash, sizeBytes }), "BLOB_CORRUPT");
      }
      expect(world.uploads).toEqual([]);
      await world.expectNothingStaged();
    });

    it("does not give out a stored blob that has changed", async () => {
      await using world = await openWorld(setUp);
      const hash = await world.corrupt(randomBytes(100_000));
      await expectCode(world.transport.blobs.get(hash), "BLOB_CORRUPT");
      await expectCode(drain(world.transport.blobs.stream(hash)), "BLOB_CORRUPT");
    });

    it("says that a blob is missing or has another size than expected", async () => {
      await using world = await openWorld(setUp);
      await expectCode(world.transport.blobs.get(sha256(Buffer.from("missing"))), "BLOB_NOT_FOUND");
      const hash = await world.store.put(randomBytes(1_000));
      await expectCode(world.transport.blobs.get(hash, { expectedSizeBytes: 999 }), "BLOB_CORRUPT");
      await expectCode(drain(world.transport.blobs.stream(hash, { expectedSizeBytes: 1_001 })), "BLOB_CORRUPT");
      expect(await world.transport.blobs.get(hash, { expectedSizeBytes: 1_000 })).toHaveLength(1_000);
    });

    it("asks who may read and send, before any byte is sent", async () => {
      await using world = await openWorld(setUp);
      await using stranger = world.connect(() => "stranger");
      await using anonymous = world.connect();
      const bytes = randomBytes(5_000_000);
      const hash = await world.store.put(bytes);
      await expectCode(anonymous.blobs.get(hash), "UNAUTHENTICATED");
      await expectCode(stranger.blobs.get(hash), "FORBIDDEN");
      await expectCode(anonymous.blobs.put(bytes, { hash, sizeBytes: bytes.length }), "UNAUTHENTICATED");
      await expectCode(stranger.blobs.put(pieces(bytes, 100_000), { hash, sizeBytes: bytes.length }), "FORBIDDEN");
      expect(world.stagedCount()).toBe(0);
    });

    it("passes on why a complete upload was not accepted", async () => {
      await using world = await openWorld(setUp);
      const bytes = Buffer.from("unwanted");
      const error = await failure(world.transport.blobs.put(bytes, { hash: sha256(bytes), sizeBytes: bytes.length, taskId: "closed" }));
      expect(error).toMatchObject({ code: "TASK_CLOSED", message: "Task closed is over.", details: { task: "closed" } });
      await world.expectNothingStaged();
    });

    it("stops when its signal is aborted", async () => {
      await using world = await openWorld(setUp);
      const stop = new AbortController();
      const stalls = (async function* () {
        yield randomBytes(100_000);
        stop.abort();
        await new Promise<void>(() => {});
      })();
      await expectCode(world.transport.blobs.put(stalls, { hash: sha256(new Uint8Array()), sizeBytes: 200_000, signal: stop.signal }), "INTERRUPTED");
      await world.expectNothingStaged();
      const hash = await world.store.put(randomBytes(1_000_000));
      await expectCode(world.transport.blobs.get(hash, { signal: AbortSignal.abort() }), "INTERRUPTED");
      const half = new AbortController();
      await expectCode(
        (async () => {
          for await (const _ of world.transport.blobs.stream(hash, { signal: half.signal })) half.abort();
        })(),
        "INTERRUPTED",
      );
    });

    it("passes on why the source of an upload failed", async () => {
      await using world = await openWorld(setUp);
      const source = (async function* () {
        yield randomBytes(100_000);
        throw new NexusError("DATA_UNREADABLE", "The file is gone.");
      })();
      await expectCode(world.transport.blobs.put(source, { hash: sha256(new Uint8Array()), sizeBytes: 200_000 }), "DATA_UNREADABLE");
      await world.expectNothingStaged();
    });

    it("lets a reader leave a stream early, and goes on", async () => {
      await using world = await openWorld(setUp);
      const bytes = randomBytes(2_000_000);
      const hash = await world.store.put(bytes);
      for await (const chunk of world.transport.blobs.stream(hash)) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(await world.transport.blobs.get(hash)).toHaveLength(bytes.length);
    });
  });
}

/** SHA-256 of bytes as a blob's address. */
export function sha256(bytes: Uint8Array): Sha256 {
  return createHash("sha256").update(bytes).digest("hex") as Sha256;
}

/** Asserts that a promise rejects with a `NexusError` of that code. */
export async function expectCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  expect((await failure(promise)).code).toBe(code);
}

async function failure(promise: Promise<unknown>): Promise<NexusError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof NexusError)) throw new Error("a NexusError was expected, but this came", { cause: outcome });
  return outcome;
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}

async function* pieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += length) yield bytes.subarray(offset, offset + length);
}

/** Waits for something that happens on the other side, without a deadline of its own: the test's deadline is enough. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** A coordinator in miniature: real services and a real blob store, with policies that tests can tell apart. */
async function openWorld(setUp: (options: TransportFixtureOptions) => Promise<TransportFixture>) {
  const inner = memoryBlobStore();
  const uploads: (BlobUpload & { caller: string | undefined })[] = [];
  const logged: string[] = [];
  const changed = new Set<string>();
  let staged = 0;
  let open = 0;
  let polls = 0;
  let aborted = 0;
  const wakers = new Set<(taskId: string) => void>();

  const store: BlobStore = {
    ...inner,
    async stage() {
      const blob = await inner.stage();
      staged += 1;
      open += 1;
      let ended = false;
      const end = () => {
        if (!ended) open -= 1;
        ended = true;
      };
      return { ...blob, discard: () => blob.discard().finally(end), commit: () => blob.commit().finally(end) };
    },
    async *stream(hash, offset = 0) {
      for await (const chunk of inner.stream(hash, offset)) {
        const copy = Uint8Array.from(chunk);
        if (changed.has(hash)) copy[0]! ^= 1;
        yield copy;
      }
    },
  };
  const authorize = (caller: string | undefined) => {
    if (caller === undefined) throw new NexusError("UNAUTHENTICATED", "No token.");
    if (caller !== "owner") throw new NexusError("FORBIDDEN", "Not you.");
  };
  const blobs: BlobEndpoint = {
    store,
    authorizeGet: async (caller) => authorize(caller),
    authorizePut: async (caller) => authorize(caller),
    async staged({ staged: blob, hash, sizeBytes, taskId, caller }) {
      if (taskId === "closed") throw new NexusError("TASK_CLOSED", "Task closed is over.", { details: { task: taskId } });
      await blob.commit();
      uploads.push({ hash, sizeBytes, taskId, caller });
    },
  };
  const record = (fields: object, message: string) => {
    logged.push(`${message} ${JSON.stringify(fields, (_key, value: unknown) => (value instanceof Error ? String(value.stack) : value))}`);
  };
  const routes = (router: ConnectRouter) =>
    router
      .service(ControlService, {
        listRuns: (_request, context) => ({ runs: [{ id: callerToken(context) ?? "nobody" }] }),
        planRun: () => ({}),
        getRun({ runId }) {
          throw new NexusError("RUN_NOT_FOUND", `No run has the id ${runId}.`, {
            hint: "Look → elsewhere.",
            details: { run: runId, rounds: [1, 2.5], size: 9007199254740993n, nested: { ok: true, none: null } },
          });
        },
        stopRun({ runId }) {
          throw new TypeError(`cannot read properties of ${runId}`);
        },
      })
      .service(NodeService, {
        heartbeat: () => ({}),
        nextTask(_request, context) {
          polls += 1;
          return new Promise((resolve, reject) => {
            const wake = (taskId: string) => resolve({ task: { taskId } });
            wakers.add(wake);
            context.signal.addEventListener("abort", () => {
              wakers.delete(wake);
              aborted += 1;
              reject(new DOMException("stopped", "AbortError"));
            });
          });
        },
      });

  const fixture = await setUp({ routes, blobs, log: { debug: record, warn: record, error: record } });
  const transport = fixture.connect(() => "owner");
  return {
    transport,
    connect: (token?: TokenSource) => fixture.connect(token),
    store: inner,
    uploads,
    logged,
    stagedCount: () => staged,
    /** Every staged blob has been committed or discarded, and nothing uploaded is kept. */
    async expectNothingStaged() {
      await until(() => open === 0);
      expect(uploads).toEqual([]);
    },
    async corrupt(bytes: Uint8Array) {
      const hash = await inner.put(bytes);
      changed.add(hash);
      return hash;
    },
    polled: () => until(() => polls > 0),
    pollAborted: () => until(() => aborted > 0),
    wake(taskId: string) {
      for (const waker of wakers) waker(taskId);
    },
    async [Symbol.asyncDispose]() {
      await transport.close();
      await fixture[Symbol.asyncDispose]();
    },
  };
}
