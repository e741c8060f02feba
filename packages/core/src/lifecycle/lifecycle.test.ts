import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { NexusError } from "../errors/index.ts";
import { createWaiters, sleep } from "./index.ts";

describe("sleep", () => {
  it("ends by itself and leaves no listener", async () => {
    const { signal } = new AbortController();
    await sleep(1, { signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("is interrupted by its signal, also when that came first", async () => {
    const controller = new AbortController();
    const sleeping = sleep(60_000, { signal: controller.signal });
    controller.abort();
    await expect(sleeping).rejects.toMatchObject({ code: "INTERRUPTED" });
    await expect(sleep(60_000, { signal: controller.signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  it("keeps the reason when that is a NexusError", async () => {
    const reason = new NexusError("TIMEOUT", "too late");
    await expect(sleep(60_000, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("waiters", () => {
  it("wakes all who wait for a key and nobody else", async () => {
    const waiters = createWaiters();
    const a = [waiters.wait("a"), waiters.wait("a")];
    const b = waiters.wait("b", { timeoutMs: 20 });
    expect(waiters.wake("a")).toBe(2);
    expect(await Promise.all(a)).toEqual([true, true]);
    expect(await b).toBe(false);
    expect(waiters.wake("a")).toBe(0);
    expect(waiters.size).toBe(0);
  });

  it("wakes everyone at once", async () => {
    const waiters = createWaiters();
    const waiting = [waiters.wait("a"), waiters.wait("b"), waiters.wait("c")];
    expect(waiters.wakeAll()).toBe(3);
    expect(await Promise.all(waiting)).toEqual([true, true, true]);
  });

  it("lets someone who was woken wait again from within", async () => {
    const waiters = createWaiters();
    const twice = waiters.wait("a").then(() => waiters.wait("a"));
    waiters.wake("a");
    await sleep(1);
    expect(waiters.size).toBe(1);
    waiters.wake("a");
    expect(await twice).toBe(true);
  });

  it("forgets a sleeper whose signal aborts", async () => {
    const waiters = createWaiters();
    const controller = new AbortController();
    const waiting = waiters.wait("a", { signal: controller.signal, timeoutMs: 60_000 });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(waiters.size).toBe(0);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });
});
