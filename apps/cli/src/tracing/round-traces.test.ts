import { createRoundTraces, type TracedTask } from "@ciphernx/ai/federation/tracing";
import { NexusError } from "@ciphernx/core/errors";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { describe, expect, it } from "vitest";

const ROUND = { runId: "run_1", round: 1, strategy: "fedavg", parties: 2 };
const TASK: TracedTask = { taskId: "task_1", runId: "run_1", kind: "fit", round: 1, attempt: 1 };

function traced() {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const ended = () => exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes["error.type"]]);
  return { traces: createRoundTraces(provider.getTracer("test")), ended };
}

describe("traces of rounds", () => {
  it("end a task that nobody answers as closed, and a round without a quorum as failed", async () => {
    const { traces, ended } = traced();
    await traces.round(ROUND, async () => {
      expect(traces.delivered(TASK, "node_1")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      traces.closed("run_1", { kind: "fit", round: 1, attempt: 1 });
      return { kind: "failed" };
    });
    expect(ended()).toEqual([
      ["task fit", "TASK_CLOSED"],
      ["round", "QUORUM_NOT_REACHED"],
    ]);
  });

  it("keep the span of a task that is delivered again or whose report comes again", async () => {
    const { traces, ended } = traced();
    await traces.round(ROUND, async () => {
      const first = traces.delivered(TASK, "node_1");
      const missing = new NexusError("BLOB_NOT_FOUND", "The upload of task_1 is not here.");
      await expect(traces.reported("task_1", () => Promise.reject(missing))).rejects.toBe(missing);
      expect(traces.delivered(TASK, "node_1")).toBe(first);
      await traces.reported("task_1", async () => "accepted");
      return { kind: "committed" };
    });
    const report = "ciphernx.node.v1.NodeService/Report";
    expect(ended()).toEqual([
      [report, "BLOB_NOT_FOUND"],
      [report, undefined],
      ["task fit", undefined],
      ["round", undefined],
    ]);
  });

  it("mark an update that is rejected", async () => {
    const { traces, ended } = traced();
    await traces.round(ROUND, async () => {
      traces.delivered(TASK, "node_1");
      const rejected = new NexusError("UPDATE_REJECTED", "The update of task_1 is of another model.");
      await expect(traces.reported("task_1", () => Promise.reject(rejected))).rejects.toBe(rejected);
      return { kind: "committed" };
    });
    expect(ended().slice(1)).toEqual([
      ["task fit", "UPDATE_REJECTED"],
      ["round", undefined],
    ]);
  });

  it("end with the process, whatever waits for the next one", () => {
    const { traces, ended } = traced();
    void traces.round(ROUND, () => traces.step("collect 1", () => new Promise<never>(() => {})));
    traces.delivered(TASK, "node_1");
    traces.close();
    expect(ended()).toEqual(["task fit", "collect", "round"].map((name) => [name, "INTERRUPTED"]));
  });

  it("have no span for tasks of a round that they do not know", async () => {
    const { traces, ended } = traced();
    expect(traces.delivered(TASK, "node_1")).toBeUndefined();
    expect(await traces.reported("task_1", async () => "accepted")).toBe("accepted");
    expect(ended()).toEqual([]);
  });
});
