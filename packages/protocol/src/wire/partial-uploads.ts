/**
 * What arrived of uploads that were cut, kept for a while so that their senders can go on. It knows nothing of how bytes
 * travel: a transport says where its sender wants to go on and how its connection is ended.
 *
 * @module
 */
import type { Sha256, StagedBlob } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";

/** Which upload is meant: nobody goes on with another sender's, for another task, or with other bytes. */
export interface UploadIdentity {
  /** The sender's name, the same over all its sessions. */
  readonly uploader: string;
  readonly taskId: string | undefined;
  /** The hash that the sender claims. */
  readonly hash: Sha256;
  /** Of the whole blob. */
  readonly sizeBytes: number;
}

/** Bounds on what senders that went away can leave behind, and on how much one sends at once. */
export interface PartialUploadLimits {
  /** How long a part waits for its sender. Default 10 minutes. */
  readonly keptMs: number;
  /** Parts in all; the oldest goes first. Default 1,000: each holds a file open. */
  readonly maxKept: number;
  /** Bytes of parts in all. Default 16 GiB. */
  readonly maxKeptBytes: number;
  /** Parts of one sender. Default 4. */
  readonly maxKeptOfOne: number;
  /** Bytes of one sender's parts. Default 4 GiB. */
  readonly maxKeptBytesOfOne: number;
  /** Uploads that one sender may have under way at once; further ones are refused. Default 16. */
  readonly maxRunningOfOne: number;
}

const DEFAULT_LIMITS: PartialUploadLimits = {
  keptMs: 600_000,
  maxKept: 1_000,
  maxKeptBytes: 16 * 1024 ** 3,
  maxKeptOfOne: 4,
  maxKeptBytesOfOne: 4 * 1024 ** 3,
  maxRunningOfOne: 16,
};

/** A connection that was cut at the sender's end may still have bytes here, which are read in that time; one that is silent has none. */
const DRAIN_MS = 100;

/** How far an upload came: `complete` says that the whole of it was taken over. */
export interface UploadProgress {
  readonly offsetBytes: number;
  readonly complete: boolean;
}

/** An upload under way. One of `keep`, `complete` and `discard` ends it; what comes after the first changes nothing. */
export interface RunningUpload {
  /** Where the bytes go; those before the offset are in it. */
  readonly staged: StagedBlob;
  /** The connection broke after so many bytes of the blob: they wait for their sender. */
  keep(receivedBytes: number): Promise<void>;
  /** The blob was taken over. Its sender, should it not hear of it, is told so when it asks. */
  complete(): void;
  discard(): Promise<void>;
}

/** How an upload is begun. */
export interface OpenUpload {
  /** Where the sender goes on; 0 begins anew and forgets what was kept. */
  readonly offsetBytes: number;
  /** Opens a place for the bytes of an upload that begins. */
  readonly stage: () => Promise<StagedBlob>;
  /** Ends the connection, since the sender has come back on another one; what arrived over it is kept. */
  readonly interrupt: () => void;
}

/** Keeps parts of uploads, in memory and in the store's staging: a restart forgets them all. */
export interface PartialUploads {
  /** How far an upload came. One that still seems to be under way is ended: its sender is on a new connection. */
  progress(upload: UploadIdentity): Promise<UploadProgress>;
  /**
   * Begins an upload, or goes on with a part.
   *
   * @throws UPLOAD_OFFSET_MISMATCH when the part does not end at the offset, COORDINATOR_UNREACHABLE when the sender has too many under way
   */
  open(upload: UploadIdentity, how: OpenUpload): Promise<RunningUpload>;
  /** Tasks that parts or running uploads belong to. */
  readonly taskIds: readonly string[];
  /** Forgets parts of tasks that are not open any more, and ends their uploads. */
  discardOthers(openTaskIds: ReadonlySet<string>): Promise<void>;
  /** Forgets every part, for example because the disk is full. */
  discardAll(): Promise<void>;
  /** Forgets every part and keeps none from now on. */
  close(): Promise<void>;
}

interface Part {
  readonly upload: UploadIdentity;
  readonly staged: StagedBlob;
  readonly sizeBytes: number;
  readonly timer: NodeJS.Timeout;
}

interface Running {
  readonly upload: UploadIdentity;
  readonly interrupt: () => void;
  readonly ended: Promise<void>;
  /** Its sender has begun other bytes for the task: it will not come back to these. */
  superseded: boolean;
}

/** An empty keeper. */
export function createPartialUploads(limits: Partial<PartialUploadLimits> = {}): PartialUploads {
  const { keptMs, maxKept, maxKeptBytes, maxKeptOfOne, maxKeptBytesOfOne, maxRunningOfOne } = { ...DEFAULT_LIMITS, ...limits };
  /** Oldest first. */
  const parts = new Map<string, Part>();
  const running = new Map<string, Set<Running>>();
  /** When uploads that were taken over are forgotten, oldest first. */
  const completed = new Map<string, number>();
  let closed = false;

  const takeOut = (key: string): Part | undefined => {
    const part = parts.get(key);
    if (part !== undefined) clearTimeout(part.timer);
    parts.delete(key);
    return part;
  };
  const forget = async (keys: Iterable<string>): Promise<void> => {
    // All are out of the list before the first is waited for.
    const out = [...keys].map((key) => takeOut(key)).filter((part) => part !== undefined);
    await Promise.all(out.map(({ staged }) => staged.discard()));
  };
  const keysOf = (matches: (part: Part) => boolean): string[] => [...parts].filter(([, part]) => matches(part)).map(([key]) => key);

  /** Makes room for a part by giving up older ones, of its sender first; false when it can never fit. */
  async function makeRoom({ uploader }: UploadIdentity, sizeBytes: number): Promise<boolean> {
    const within = async (matches: (part: Part) => boolean, most: number, mostBytes: number): Promise<boolean> => {
      if (most < 1 || sizeBytes > mostBytes) return false;
      const keys = keysOf(matches);
      let count = keys.length;
      let bytes = keys.reduce((sum, key) => sum + (parts.get(key)?.sizeBytes ?? 0), sizeBytes);
      const victims: string[] = [];
      for (const key of keys) {
        if (count < most && bytes <= mostBytes) break;
        count -= 1;
        bytes -= parts.get(key)?.sizeBytes ?? 0;
        victims.push(key);
      }
      await forget(victims);
      return true;
    };
    return (
      (await within((part) => part.upload.uploader === uploader, maxKeptOfOne, maxKeptBytesOfOne)) &&
      (await within(() => true, maxKept, maxKeptBytes))
    );
  }

  async function keep(self: Running, staged: StagedBlob, sizeBytes: number): Promise<void> {
    const { upload } = self;
    const key = keyOf(upload);
    const before = parts.get(key);
    if (closed || sizeBytes === 0 || (before !== undefined && before.sizeBytes >= sizeBytes)) return staged.discard();
    await staged.flush();
    await forget([key]);
    const fits = await makeRoom(upload, sizeBytes);
    // From here on nothing is awaited before the part is in the list.
    if (!fits || closed || self.superseded) return staged.discard();
    const displaced = takeOut(key);
    const timer = setTimeout(() => void forget([key]), keptMs);
    timer.unref();
    parts.set(key, { upload, staged, sizeBytes, timer });
    await displaced?.staged.discard();
  }

  /** Waits until no upload of that identity is under way, and ends those that go on. */
  async function settle(key: string): Promise<void> {
    for (let others = running.get(key); others !== undefined; others = running.get(key)) {
      const ended = Promise.all([...others].map((other) => other.ended));
      const patience = new AbortController();
      const late = sleep(DRAIN_MS, { signal: patience.signal }).then(() => true);
      late.catch(() => {}); // aborted when it is not needed any more
      const isLate = await Promise.race([ended.then(() => false), late]);
      patience.abort();
      if (isLate) for (const { interrupt } of others) interrupt();
      await ended;
    }
  }

  function isComplete(key: string): boolean {
    return (completed.get(key) ?? 0) > performance.now();
  }

  function remember(key: string): void {
    completed.delete(key);
    for (const [known, until] of completed) {
      if (until > performance.now() && completed.size < maxKept) break;
      completed.delete(known);
    }
    completed.set(key, performance.now() + keptMs);
  }

  return {
    async progress(upload) {
      const key = keyOf(upload);
      await settle(key);
      if (isComplete(key)) return { offsetBytes: upload.sizeBytes, complete: true };
      return { offsetBytes: parts.get(key)?.sizeBytes ?? 0, complete: false };
    },

    async open(upload, { offsetBytes, stage, interrupt }) {
      const key = keyOf(upload);
      if (offsetBytes > 0) await settle(key);
      // From here to the registration nothing is awaited, so that two senders never get the same part.
      const known = parts.get(key);
      if (offsetBytes > 0 && known?.sizeBytes !== offsetBytes) throw offsetMismatch(upload, offsetBytes, known?.sizeBytes ?? 0);
      const underway = [...running.values()].reduce(
        (sum, group) => sum + [...group].filter((one) => one.upload.uploader === upload.uploader).length,
        0,
      );
      if (underway >= maxRunningOfOne) {
        throw new NexusError("COORDINATOR_UNREACHABLE", `The coordinator takes ${maxRunningOfOne} uploads of one sender at a time.`, {
          hint: "Wait for an upload to end, and send this one again.",
        });
      }
      const ended = Promise.withResolvers<void>();
      const self: Running = { upload, interrupt, ended: ended.promise, superseded: false };
      const group = running.get(key) ?? new Set();
      running.set(key, group.add(self));
      const leave = (): void => {
        group.delete(self);
        if (group.size === 0 && running.get(key) === group) running.delete(key);
        ended.resolve();
      };
      completed.delete(key);
      const goesOn = offsetBytes > 0 ? takeOut(key) : undefined;
      let staged: StagedBlob;
      try {
        // One part a task: whoever sends other bytes for it does not come back to the earlier ones.
        for (const one of [...running.values()].flatMap((others) => [...others])) {
          if (upload.taskId !== undefined && isSameTask(one.upload, upload) && keyOf(one.upload) !== key) one.superseded = true;
        }
        await forget(keysOf((part) => keyOf(part.upload) === key || (upload.taskId !== undefined && isSameTask(part.upload, upload))));
        staged = goesOn?.staged ?? (await stage());
      } catch (error) {
        await goesOn?.staged.discard();
        leave();
        throw error;
      }
      let over = false;
      const end = async (work: () => Promise<void>): Promise<void> => {
        if (over) return;
        over = true;
        await work().finally(leave);
      };
      return {
        staged,
        keep: (receivedBytes) => end(() => keep(self, staged, receivedBytes)),
        complete() {
          if (over) return;
          over = true;
          remember(key);
          leave();
        },
        discard: () => end(() => staged.discard()),
      };
    },

    get taskIds() {
      const uploads = [
        ...[...parts.values()].map((part) => part.upload),
        ...[...running.values()].flatMap((group) => [...group].map((one) => one.upload)),
      ];
      return [...new Set(uploads.flatMap(({ taskId }) => (taskId === undefined ? [] : [taskId])))];
    },

    async discardOthers(openTaskIds) {
      const isOver = ({ taskId }: UploadIdentity): boolean => taskId !== undefined && !openTaskIds.has(taskId);
      const stopped = [...running.values()].flatMap((group) => [...group]).filter((one) => isOver(one.upload));
      for (const { interrupt } of stopped) interrupt();
      await Promise.all(stopped.map(({ ended }) => ended));
      await forget(keysOf((part) => isOver(part.upload)));
    },

    discardAll: () => forget([...parts.keys()]),

    async close() {
      closed = true;
      await forget([...parts.keys()]);
    },
  };
}

function keyOf({ uploader, taskId, hash, sizeBytes }: UploadIdentity): string {
  return JSON.stringify([uploader, taskId ?? null, hash, sizeBytes]);
}

function isSameTask(one: UploadIdentity, other: UploadIdentity): boolean {
  return one.uploader === other.uploader && one.taskId === other.taskId;
}

/** The error for an upload that goes on at another byte than where its part ends. */
export function offsetMismatch({ hash }: Pick<UploadIdentity, "hash">, offsetBytes: number, keptBytes: number): NexusError {
  return new NexusError(
    "UPLOAD_OFFSET_MISMATCH",
    `The upload of blob ${hash} cannot go on at byte ${offsetBytes}: ${keptBytes} bytes of it are here.`,
    {
      details: { blob: hash, offsetBytes, keptBytes },
    },
  );
}
