import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeEventFile, eventFileName, roundEvent, type ScalarEvent } from "./tensorboard.ts";

const STARTED_AT = new Date(1_700_000_000_500);
const EVENTS: readonly ScalarEvent[] = [
  { at: new Date(1_700_000_001_250), step: 1, scalars: { "fit/loss": 0.5, "evaluated/accuracy": 0.75 } },
  { at: new Date(1_700_000_002_000), step: 2, scalars: { "fit/loss": 0 } },
];

/**
 * What the writer of tensorboard 2.21.0 (tensorboard.summary.writer.record_writer.RecordWriter over its own protobuf messages) makes
 * of the events above.
 */
const WRITTEN_BY_TENSORBOARD =
  "1800000000000000a37f4b220900002040fc54d9411a0d627261696e2e4576656e743a322b35311039000000000000008b0737f10900005040fc54d941" +
  "10012a2c0a0f0a086669742f6c6f7373150000003f0a190a126576616c75617465642f6163637572616379150000403f71f133f51e00000000000000d9" +
  "dc12320900008040fc54d94110022a110a0f0a086669742f6c6f73731500000000620da8ac";

/** Prints what TensorBoard's own reader finds in a folder. */
const READ = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
print(json.dumps({tag: [[s.wall_time, s.step, s.value] for s in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
`;

/** A Python that has TensorBoard; $NEXUS_TEST_PYTHON names one that is not on the path. */
const PYTHON = process.env["NEXUS_TEST_PYTHON"] ?? "python3";

function hasTensorBoard(): boolean {
  try {
    execFileSync(PYTHON, ["-c", "import tensorboard"], { stdio: "ignore" });
    return true;
  } catch {
    return false; // no Python, or one without it: the bytes above stand for it
  }
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-tensorboard-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("writes byte for byte what TensorBoard's own writer does", () => {
  expect(Buffer.from(encodeEventFile(STARTED_AT, EVENTS)).toString("hex")).toBe(WRITTEN_BY_TENSORBOARD);
});

it("is read by TensorBoard", { timeout: 60_000 }, async (context) => {
  if (!hasTensorBoard()) {
    console.log(
      `not read back by TensorBoard: ${PYTHON} has no module tensorboard (pip install tensorboard, and name that Python in NEXUS_TEST_PYTHON)`,
    );
    context.skip();
  }
  await writeFile(join(folder, eventFileName({ id: "run_1", startedAt: STARTED_AT }, "host")), encodeEventFile(STARTED_AT, EVENTS));
  const { stdout } = await promisify(execFile)(PYTHON, ["-c", READ, folder]);
  expect(JSON.parse(stdout)).toEqual({
    "fit/loss": [
      [1_700_000_001.25, 1, 0.5],
      [1_700_000_002, 2, 0],
    ],
    "evaluated/accuracy": [[1_700_000_001.25, 1, 0.75]],
  });
});

it("names the file after the run and the host", () => {
  expect(eventFileName({ id: "run_1", startedAt: STARTED_AT }, "clinic")).toBe("events.out.tfevents.1700000000.clinic.run_1");
});

it("groups a round's figures by where they come from", () => {
  const row = { round: 3, attempt: 1, committedAt: "2023-11-14T22:13:21.250Z", accepted: 4, missed: ["b"], saturated: 2, modelHash: "" };
  const figures = { "fit.loss": 0.5, "evaluated.log_loss": 0.25 };
  expect(roundEvent({ ...row, bytesUp: 10, bytesDown: 20, seconds: 1.5, figures })).toEqual({
    at: new Date(1_700_000_001_250),
    step: 3,
    scalars: {
      "fit/loss": 0.5,
      "evaluated/log_loss": 0.25,
      "round/accepted": 4,
      "round/missed": 1,
      "round/saturated": 2,
      "round/seconds": 1.5,
      "traffic/bytesUp": 10,
      "traffic/bytesDown": 20,
    },
  });
});
