import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colours } from "../output/colours.ts";
import { drawLine } from "./chart.ts";
import { formatFigures } from "./figures.ts";

const PLAIN = colours(false);

describe("a line", () => {
  it("is drawn from corner to corner", () => {
    const points = [
      { x: 1, y: 0 },
      { x: 8, y: 7 },
    ];
    // Characters of 2 × 4 dots: 8 × 8 dots, so the line rises a dot a dot.
    expect(drawLine(points, { from: 1, to: 8, columns: 4, rows: 2 })).toEqual(["⠀⠀⡠⠊", "⡠⠊⠀⠀"]);
  });

  it("of equal values, or of one, is in the middle", () => {
    expect(drawLine([{ x: 1, y: 5 }], { from: 1, to: 3, columns: 2, rows: 3 })).toEqual(["⠀⠀", "⠄⠀", "⠀⠀"]);
    expect(
      drawLine(
        [
          { x: 1, y: 5 },
          { x: 3, y: 5 },
        ],
        { from: 1, to: 3, columns: 2, rows: 3 },
      ),
    ).toEqual(["⠀⠀", "⠤⠤", "⠀⠀"]);
  });

  it("stays within its frame, and has no gap between its first and its last point", () => {
    const values = fc.array(fc.double({ min: -1e12, max: 1e12, noNaN: true }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 6 }), (ys, columns, rows) => {
        const lines = drawLine(
          ys.map((y, index) => ({ x: index + 1, y })),
          { from: 1, to: ys.length, columns, rows },
        );
        expect(lines.map(({ length }) => length)).toEqual(Array.from({ length: rows }, () => columns));
        for (let column = 0; column < columns; column += 1) expect(lines.some((line) => line[column] !== "⠀")).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe("figures of a run", () => {
  const rounds = new Map(
    Array.from({ length: 5 }, (_, index) => [
      index + 1,
      { "fit.loss": 2 - index / 4, "fit.accuracy": 0.5, ...(index % 2 === 0 ? { "evaluated.accuracy": 0.6 + index / 20 } : {}) },
    ]),
  );

  it("are drawn beside each other within 79 characters, held-out ones where there are some", () => {
    const drawn = formatFigures(rounds, { rounds: 10, columns: 200 }, PLAIN)!.split("\n");
    expect(drawn).toHaveLength(8);
    expect(Math.max(...drawn.map(({ length }) => length))).toBeLessThanOrEqual(79);
    expect(drawn[0]).toMatch(/^loss 1\.0000, best 1\.0000 in 5 +accuracy 80\.00%, best 80\.00% in 5$/);
    expect(drawn[1]).toMatch(/^2\.0000 │.* 80\.00% │/);
    expect(drawn[6]).toMatch(/^1\.0000 │.* 60\.00% │/);
    expect(drawn[7]).toMatch(/└1 +round, in training +10 +└1 +round, held out +10$/);
    // Half of the rounds are to come: half of the chart is empty.
    expect(drawn[3]).toMatch(/⠀{14}/);
  });

  it("are drawn alone where there is room for one, and not at all for none", () => {
    const alone = formatFigures(rounds, { rounds: 10, columns: 60 }, PLAIN)!;
    expect(alone).toContain("loss");
    expect(alone).not.toContain("accuracy");
    expect(formatFigures(rounds, { rounds: 10, columns: 30 }, PLAIN)).toBeUndefined();
    expect(formatFigures(new Map([[1, { "fit.loss": 1 }]]), { rounds: 10, columns: 80 }, PLAIN)).toBeUndefined();
    expect(formatFigures(new Map(), { rounds: 10, columns: 80 }, PLAIN)).toBeUndefined();
  });

  it("tell the other metrics of held-out rows in lines below, whichever way is better", () => {
    const metrics = (round: number) => ({ loss: 2 - round / 8, accuracy: 0.5, calibration: round / 8, f1: 0.25, auc: round / 4 });
    const heldOut = (round: number) => Object.fromEntries(Object.entries(metrics(round)).map(([name, value]) => [`evaluated.${name}`, value]));
    const drawn = formatFigures(new Map([1, 2, 3].map((round) => [round, heldOut(round)])), { rounds: 3, columns: 80 }, PLAIN)!.split("\n");
    expect(drawn[0]).toMatch(/^loss .* accuracy /);
    expect(drawn.slice(8)).toEqual(["auc 0.7500, best 0.7500 in 3", "f1 0.2500, best 0.2500 in 1", "calibration 0.3750, best 0.1250 in 1"]);
  });

  it("have another metric where there is no accuracy", () => {
    const others = new Map([1, 2].map((round) => [round, { "evaluated.loss": round, "evaluated.auc": round / 4 }]));
    expect(formatFigures(others, { rounds: 2, columns: 80 }, PLAIN)).toMatch(/^loss 2\.0000, best 1\.0000 in 1 +auc 0\.5000, best 0\.5000 in 2\n/);
  });
});
