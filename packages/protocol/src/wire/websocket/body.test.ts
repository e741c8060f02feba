import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { incomingBody, outgoingBody } from "./body.ts";
import { MAX_PIECE_BYTES, WINDOW_BYTES } from "./frames.ts";

const NOBODY = { grant: () => {}, abandon: () => {} };

async function collect(body: AsyncIterable<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const piece of body) bytes.push(...piece);
  return bytes;
}

describe("a body that comes in", () => {
  it("takes what was granted and no more", () => {
    const body = incomingBody(100, NOBODY);
    expect(body.push(new Uint8Array(60), false)).toBe(true);
    expect(body.push(new Uint8Array(41), false)).toBe(false);
    expect(body.push(new Uint8Array(40), true)).toBe(true);
    expect(body.push(new Uint8Array(0), false)).toBe(false);
  });

  it("takes no piece that is too large, whatever was granted", () => {
    expect(incomingBody(WINDOW_BYTES, NOBODY).push(new Uint8Array(MAX_PIECE_BYTES + 1), false)).toBe(false);
  });

  it("grants nothing before somebody wants it, then a window", async () => {
    const granted: number[] = [];
    const body = incomingBody(1_000, { grant: (bytes) => granted.push(bytes), abandon: () => {} });
    body.push(new Uint8Array(10), false);
    expect(granted).toEqual([]);
    const reading = body[Symbol.asyncIterator]();
    await reading.next();
    expect(granted).toEqual([WINDOW_BYTES - 1_000]);
  });

  it("fails where it broke, after what had come", async () => {
    const body = incomingBody(1_000, NOBODY);
    body.push(Uint8Array.of(1, 2), false);
    body.fail(new Error("cut"));
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const piece of body) seen.push(...piece);
      })(),
    ).rejects.toThrow("cut");
    expect(seen).toEqual([1, 2]);
  });

  it("is given up by whoever leaves early, and by nobody else", async () => {
    let abandoned = 0;
    const body = incomingBody(1_000, { grant: () => {}, abandon: () => (abandoned += 1) });
    body.push(Uint8Array.of(1), false);
    for await (const piece of body) {
      expect([...piece]).toEqual([1]);
      break;
    }
    expect(abandoned).toBe(1);
    const whole = incomingBody(1_000, { grant: () => {}, abandon: () => (abandoned += 1) });
    whole.push(Uint8Array.of(1), true);
    expect(await collect(whole)).toEqual([1]);
    expect(abandoned).toBe(1);
  });
});

describe("a body from one end to the other", () => {
  it("arrives as it was sent, with never more than a window on its way", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(200_000), { maxLength: 12 }), fc.nat(WINDOW_BYTES), async (lengths, firstBytes) => {
        let underway = 0;
        let most = 0;
        const ends: { out?: ReturnType<typeof outgoingBody> } = {};
        const incoming = incomingBody(firstBytes, { grant: (bytes) => expect(ends.out!.credit(bytes)).toBe(true), abandon: () => {} });
        const outgoing = outgoingBody(firstBytes, async (piece) => {
          underway += piece.length;
          most = Math.max(most, underway);
          expect(incoming.push(piece, false)).toBe(true);
        });
        ends.out = outgoing;
        const sent = lengths.reduce((sum, length) => sum + length, 0);
        const sending = (async () => {
          for (const length of lengths) await outgoing.write(new Uint8Array(length).fill(7));
          incoming.push(new Uint8Array(), true);
        })();
        let received = 0;
        for await (const piece of incoming) {
          expect(piece.length).toBeLessThanOrEqual(MAX_PIECE_BYTES);
          received += piece.length;
          underway -= piece.length;
        }
        await sending;
        expect(received).toBe(sent);
        expect(most).toBeLessThanOrEqual(WINDOW_BYTES);
      }),
      { numRuns: 60 },
    );
  });
});
