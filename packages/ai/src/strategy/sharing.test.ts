import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gatherShared, placeLocal, placesOf, scatterShared, sharingOf, takeLocal } from "./sharing.ts";

const TENSORS = [
  { name: "d", shape: [2] },
  { name: "a", shape: [2, 2] },
  { name: "c", shape: [] },
  { name: "b", shape: [3] },
];

describe("sharing", () => {
  it("is one run when all is shared, and joins neighbours otherwise", () => {
    expect(sharingOf({ tensors: TENSORS })).toEqual({ runs: [{ offset: 0, shared: 0, length: 10 }], length: 10, local: [], localLength: 0 });
    const { runs, length, local, localLength } = sharingOf({ tensors: TENSORS, local: ["b"] });
    expect({ runs, length, localLength }).toEqual({
      runs: [
        { offset: 0, shared: 0, length: 4 },
        { offset: 7, shared: 4, length: 3 },
      ],
      length: 7,
      localLength: 3,
    });
    expect(local).toEqual([{ name: "b", shape: [3], offset: 4, length: 3 }]);
  });

  it("finds the places of a tile, worked out by hand", () => {
    const sharing = sharingOf({ tensors: TENSORS, local: ["b"] });
    expect(placesOf(sharing, 2, 4)).toEqual([
      { offset: 2, shared: 0, length: 2 },
      { offset: 7, shared: 2, length: 2 },
    ]);
    expect(placesOf(sharing, 5, 2)).toEqual([{ offset: 8, shared: 0, length: 2 }]);
  });

  it("takes a model apart and puts it together again, whatever stays and however it is cut", () => {
    const names = TENSORS.map(({ name }) => name);
    fc.assert(
      fc.property(
        fc.subarray(names),
        fc.float32Array({ minLength: 10, maxLength: 10, noNaN: true }),
        fc.integer({ min: 1, max: 10 }),
        (local, model, tile) => {
          const sharing = sharingOf({ tensors: TENSORS, local });
          const own = takeLocal(model, sharing);
          const shared = gatherShared(model.slice(), sharing);
          expect([shared.length, own.length]).toEqual([sharing.length, sharing.localLength]);
          expect(sharing.length + sharing.localLength).toBe(10);

          const together = new Float32Array(10);
          scatterShared(shared, together, sharing);
          placeLocal(own, together, sharing);
          expect(together).toEqual(model);

          const tiled = model.slice().fill(7);
          for (let start = 0; start < sharing.length; start += tile) {
            const length = Math.min(tile, sharing.length - start);
            for (const place of placesOf(sharing, start, length)) {
              tiled.set(shared.subarray(start + place.shared, start + place.shared + place.length), place.offset);
            }
          }
          placeLocal(own, tiled, sharing);
          expect(tiled).toEqual(model);
        },
      ),
    );
  });
});
