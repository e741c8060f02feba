/**
 * What every `BlobStore` must do. An implementation's test calls this with a way to make an empty store.
 *
 * @module
 */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlobStore, Sha256 } from "./blob-store.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** FIPS 180-4's own examples: SHA-256 of "abc", of the empty string, of the 448-bit message, of a million "a". */
const PUBLISHED: readonly (readonly [Uint8Array, string])[] = [
  [text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  [text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"],
  [text("a".repeat(1_000_000)), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
];

const ABSENT = "00".repeat(32) as Sha256;

function pattern(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 31 + (index >> 8)) & 255);
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk));
  return new Uint8Array(Buffer.concat(parts));
}

async function listed(store: BlobStore): Promise<string[]> {
  const hashes: string[] = [];
  for await (const hash of store.list()) hashes.push(hash);
  return hashes.sort();
}

/** Runs the suite. `make` gives an empty store each time. */
export function blobStoreCompliance(name: string, make: () => Promise<BlobStore>): void {
  describe(`${name} is a BlobStore`, () => {
    it("addresses bytes by their SHA-256 (FIPS 180-4 examples)", async () => {
      const store = await make();
      for (const [bytes, hash] of PUBLISHED) {
        expect(await store.put(bytes)).toBe(hash);
        expect(await store.size(hash as Sha256)).toBe(bytes.length);
        expect(Buffer.compare(await store.read(hash as Sha256), bytes)).toBe(0);
      }
      expect(await listed(store)).toEqual(PUBLISHED.map(([, hash]) => hash).sort());
    });

    it("gives the same blob however the bytes were cut", async () => {
      const store = await make();
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), async (chunks) => {
          const whole = Buffer.concat(chunks);
          const staged = await store.stage();
          for (const chunk of chunks) {
            const lent = Uint8Array.from(chunk);
            await staged.write(lent);
            lent.fill(255); // the caller's buffer is the caller's again
          }
          const committed = await staged.commit();
          expect(committed).toEqual({ hash: createHash("sha256").update(whole).digest("hex"), sizeBytes: whole.length });
          expect(Buffer.compare(await store.read(committed.hash), whole)).toBe(0);
        }),
        { numRuns: 25 },
      );
    });

    it("keeps the order of writes that were not awaited one by one", async () => {
      const store = await make();
      const staged = await store.stage();
      const bytes = pattern(100_000);
      await Promise.all([0, 1, 2, 3, 4].map((part) => staged.write(bytes.slice(part * 20_000, (part + 1) * 20_000))));
      expect((await staged.commit()).hash).toBe(createHash("sha256").update(bytes).digest("hex"));
    });

    it("goes on after a flush, and holds what was written before it", async () => {
      const store = await make();
      const bytes = pattern(700_000);
      const staged = await store.stage();
      for (const [from, to] of [
        [0, 10],
        [10, 300_000],
        [300_000, 300_000],
        [300_000, 700_000],
      ] as const) {
        await staged.write(bytes.subarray(from, to));
        await staged.flush();
      }
      const { hash } = await staged.commit();
      expect(hash).toBe(createHash("sha256").update(bytes).digest("hex"));
      expect(Buffer.compare(await store.read(hash), bytes)).toBe(0);
      await expect(staged.flush()).rejects.toMatchObject({ code: "INTERNAL" });
    });

    it("shows nothing before the commit, and lets staged bytes be checked", async () => {
      const store = await make();
      const staged = await store.stage();
      await staged.write(text("hello "));
      await staged.write(text("world"));
      const { hash, sizeBytes } = await staged.finish();
      expect(sizeBytes).toBe(11);
      expect(await staged.finish()).toEqual({ hash, sizeBytes });
      expect(await store.size(hash)).toBeUndefined();
      expect(await listed(store)).toEqual([]);
      expect(new TextDecoder().decode(await staged.read(6, 5))).toBe("world");
      await expect(staged.read(6, 6)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
      await expect(staged.write(text("!"))).rejects.toMatchObject({ code: "INTERNAL" });
      expect(await staged.commit()).toEqual({ hash, sizeBytes });
      expect(await staged.commit()).toEqual({ hash, sizeBytes });
      await staged.discard();
      expect(await store.size(hash)).toBe(11);
    });

    it("forgets what is discarded, as often as one likes", async () => {
      const store = await make();
      const staged = await store.stage();
      await staged.write(text("secret"));
      const { hash } = await staged.finish();
      await staged.discard();
      await staged.discard();
      await expect(staged.commit()).rejects.toMatchObject({ code: "INTERNAL" });
      expect(await store.size(hash)).toBeUndefined();
    });

    it("takes the same bytes from many at once", async () => {
      const store = await make();
      const bytes = pattern(70_000);
      const hashes = await Promise.all(Array.from({ length: 12 }, () => store.put(bytes)));
      expect(new Set(hashes).size).toBe(1);
      expect(await listed(store)).toEqual([hashes[0]]);
      expect(Buffer.compare(await store.read(hashes[0] as Sha256), bytes)).toBe(0);
    });

    it("reads any window, and says when there is less than was asked for", async () => {
      const store = await make();
      const bytes = pattern(1000);
      const hash = await store.put(bytes);
      await fc.assert(
        fc.asyncProperty(fc.nat(1000), fc.nat(1000), async (offset, length) => {
          const reading = store.read(hash, offset, length);
          if (offset + length > 1000) await expect(reading).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
          else expect(Buffer.compare(await reading, bytes.subarray(offset, offset + length))).toBe(0);
        }),
        { numRuns: 25 },
      );
      expect((await store.read(hash, 990)).length).toBe(10);
    });

    it("gives out copies: writing into them changes nothing", async () => {
      const store = await make();
      const hash = await store.put(text("constant"));
      (await store.read(hash)).fill(0);
      for await (const chunk of store.stream(hash)) chunk.fill(0);
      expect(new TextDecoder().decode(await store.read(hash))).toBe("constant");
    });

    it("streams a large blob in small chunks, of which four hold at once", async () => {
      const store = await make();
      const bytes = pattern(3 * 1024 * 1024 + 17);
      const hash = await store.put(bytes);
      expect(Buffer.compare(await collect(store.stream(hash)), bytes)).toBe(0);

      const alive: Uint8Array[] = [];
      let offset = 0;
      for await (const chunk of store.stream(hash)) {
        expect(chunk.length).toBeLessThanOrEqual(256 * 1024);
        alive.push(chunk);
        if (alive.length < 4) continue;
        const window = Buffer.concat(alive);
        expect(Buffer.compare(window, bytes.subarray(offset, offset + window.length))).toBe(0);
        offset += alive.shift()?.length ?? 0;
      }
    });

    it("streams from any offset, and says when the blob ends before it", async () => {
      const store = await make();
      const bytes = pattern(700_001);
      const hash = await store.put(bytes);
      for (const offset of [0, 1, 262_144, 262_145, 700_000, 700_001]) {
        expect(Buffer.compare(await collect(store.stream(hash, offset)), bytes.subarray(offset))).toBe(0);
      }
      await expect(collect(store.stream(hash, 700_002))).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
    });

    it("names the blob that is not there", async () => {
      const store = await make();
      expect(await store.size(ABSENT)).toBeUndefined();
      await expect(store.read(ABSENT)).rejects.toThrow(expect.objectContaining({ code: "BLOB_NOT_FOUND", message: expect.stringContaining(ABSENT) }));
      await expect(collect(store.stream(ABSENT))).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
      await store.delete(ABSENT);
    });

    it("refuses an address that is none", async () => {
      const store = await make();
      for (const name of ["", "../../etc/passwd", "AB".repeat(32), `${"ab".repeat(32)}/x`, "staging"]) {
        expect(await store.size(name as Sha256)).toBeUndefined();
        await expect(store.read(name as Sha256)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
        await expect(store.delete(name as Sha256)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
      }
    });

    it("deletes, and takes the same bytes again", async () => {
      const store = await make();
      const hash = await store.put(text("again"));
      await store.delete(hash);
      await store.delete(hash);
      expect(await store.size(hash)).toBeUndefined();
      expect(await listed(store)).toEqual([]);
      expect(await store.put(text("again"))).toBe(hash);
      expect(await store.size(hash)).toBe(5);
    });
  });
}
