import { describe, expect, it } from "vitest";
import { createSharedLock } from "./shared-lock.ts";
import { sleep } from "./sleep.ts";

describe("createSharedLock", () => {
  it("never runs exclusive work beside anything, and shared work together", async () => {
    const lock = createSharedLock();
    let sharing = 0;
    let mostSharing = 0;
    let alone = false;
    const shared = () =>
      lock.shared(async () => {
        expect(alone).toBe(false);
        sharing += 1;
        mostSharing = Math.max(mostSharing, sharing);
        await sleep(2);
        sharing -= 1;
      });
    const exclusive = () =>
      lock.exclusive(async () => {
        expect(alone).toBe(false);
        expect(sharing).toBe(0);
        alone = true;
        await sleep(2);
        alone = false;
      });
    await Promise.all(Array.from({ length: 60 }, (_, index) => (index % 5 === 0 ? exclusive() : shared())));
    expect(mostSharing).toBeGreaterThan(1);
  });

  it("passes on results and failures and goes on after them", async () => {
    const lock = createSharedLock();
    await expect(lock.exclusive(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(lock.shared(() => Promise.reject(new Error("nor this")))).rejects.toThrow("nor this");
    await expect(lock.exclusive(() => Promise.resolve(1))).resolves.toBe(1);
    await expect(lock.shared(() => Promise.resolve(2))).resolves.toBe(2);
  });
});
