import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { SPAN_ATTRIBUTES } from "@ciphernx/ai/federation/tracing";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { runNexus, startNexus } from "../testing/nexus-process.ts";

/** A span as OTLP has it in JSON, with the name of its service. */
interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string; readonly intValue?: number } }[];
  readonly events: readonly unknown[];
  readonly status: { readonly code: number; readonly message?: string };
}

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span["attributes"] };
    readonly scopeSpans: readonly { readonly spans: readonly Omit<Span, "service">[] }[];
  }[];
}

interface Receiver extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  readonly spans: Span[];
  /** How many requests came. */
  readonly requests: () => number;
}

/** A collector of traces over OTLP/HTTP. One that hangs takes requests and never answers. */
async function receiver({ hangs = false } = {}): Promise<Receiver> {
  const spans: Span[] = [];
  let requests = 0;
  const server: Server = createServer((request, response) => void receive(request, response));
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests += 1;
    const { resourceSpans } = (await json(request)) as Exported;
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = valueOf(resource.attributes, "service.name");
      for (const { spans: more } of scopeSpans) spans.push(...more.map((span) => ({ ...span, service: String(service) })));
    }
    if (!hangs) response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    ...{ spans, requests: () => requests },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function valueOf(attributes: Span["attributes"], name: string): string | number | undefined {
  const value = attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? value?.intValue;
}

const says = (span: Span, name: (typeof SPAN_ATTRIBUTES)[number]) => valueOf(span.attributes, name);

interface NodeSetup {
  readonly env: Readonly<Record<string, string>>;
  readonly more?: readonly string[];
  /** Which the terms of its owner allow; undefined: there are no terms. */
  readonly strategies?: readonly string[];
}

/** A coordinator and nodes, one process each, that take part in a run of one round; returns what they said when all have ended. */
async function tracedRun(coordinator: Readonly<Record<string, string>>, nodes: Readonly<Record<string, NodeSetup>>) {
  await using folder = await temporaryFolder();
  const env = { NEXUS_HOME: join(folder.path, "home") };
  const nexus = async (args: readonly string[], more = {}) => {
    const { stdout } = await runNexus([...args, "--json"], { env: { ...env, ...more } });
    return JSON.parse(stdout) as { readonly status: string; readonly data: Readonly<Record<string, unknown>> };
  };
  const { data: up } = await nexus(["up", "--detach", "--port", "0"], coordinator);
  const said: Record<string, string> = {};
  try {
    const running = [];
    for (const [name, { env: own, more = [], strategies }] of Object.entries(nodes)) {
      const at = join(folder.path, name);
      const { data } = await nexus(["node", "token", "--approved"]);
      await nexus(["node", "join", String(up["url"]), "--token", String(data["token"]), "--name", name, "--folder", at]);
      const csv = join(folder.path, `${name}.csv`);
      await writeFile(csv, `age,outcome\n${Array.from({ length: 16 }, (_, row) => `${30 + row},${row % 2 === 0 ? "ill" : "well"}\n`).join("")}`);
      const terms = join(folder.path, `${name}.terms.json`);
      if (strategies !== undefined) await writeFile(terms, JSON.stringify({ protections: ["none"], strategies }));
      const owned = strategies === undefined ? [] : ["--terms", terms];
      await nexus(["dataset", "add", "visits", "--folder", at, "--csv", csv, "--label", "outcome", "--hold-out", "0.25", ...owned]);
      const child = startNexus(["node", "run", "--folder", at, ...more], { env: { ...env, ...own } });
      said[name] = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said[name] += chunk.toString()));
      const lines = createInterface({ input: child.stderr });
      while (!said[name].includes("Connected")) await Promise.race([once(lines, "line"), once(child.stdout, "data")]);
      running.push(child);
    }
    const file = join(folder.path, "spec.json");
    const spec = {
      ...{
        version: 1,
        name: "visits",
        seed: 1,
        data: { dataset: "visits" },
        model: { kind: "mlp", hidden: [4] },
        protection: { kind: "none" },
        rounds: 1,
      },
      ...{ train: { optimiser: { kind: "sgd", learningRate: 0.1 }, batchSize: 4 }, cohort: { deadlineSeconds: 20, attempts: 1, quorum: 2 } },
    };
    await writeFile(file, JSON.stringify(spec));
    const { status } = await nexus(["run", "start", file]);
    const ends = await Promise.all(
      running.map(async (child) => {
        const ended = once(child, "close");
        child.kill("SIGTERM");
        const [code] = (await ended) as [number | null];
        return code;
      }),
    );
    return { status, said, codes: ends };
  } finally {
    await nexus(["down"]);
  }
}

function checkSpans(spans: readonly Span[]): void {
  for (const span of spans) {
    expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
    expect(SPAN_ATTRIBUTES).toEqual(expect.arrayContaining(span.attributes.map(({ key }) => key)));
    expect(span.events).toEqual([]);
    expect(span.status.message ?? "").toBe("");
  }
}

describe("traces", { timeout: 120_000 }, () => {
  it("join the coordinator and its nodes in one trace a round, each sent to where its own operator says", async () => {
    await using atCoordinator = await receiver();
    await using atA = await receiver();
    await using atB = await receiver();
    const { status } = await tracedRun(atCoordinator.env, {
      "clinic-a": { env: { ...atA.env, OTEL_SERVICE_NAME: "clinic-a" } },
      "clinic-b": { env: atB.env, more: ["--transport", "websocket"] },
    });
    expect(status).toBe("ok");
    const spans = [...atCoordinator.spans, ...atA.spans, ...atB.spans];
    checkSpans(spans);
    expect(spans.filter((span) => span.status.code === 2 || says(span, "error.type") !== undefined)).toEqual([]);
    for (const [{ spans: own }, service] of [
      [atCoordinator, "nexus-coordinator"],
      [atA, "clinic-a"],
      [atB, "nexus-node"],
    ] as const)
      expect(new Set(own.map((span) => span.service))).toEqual(new Set([service]));

    const roots = atCoordinator.spans.filter(({ name }) => name === "round");
    const trained = roots.find((span) => says(span, "nexus.round") === 1)!;
    expect(trained.parentSpanId ?? "").toBe("");
    expect({ parties: says(trained, "nexus.parties"), strategy: says(trained, "nexus.strategy"), outcome: says(trained, "nexus.outcome") }).toEqual({
      ...{ parties: 2, strategy: "fedavg", outcome: "committed" },
    });
    const below = (parent: Span) => spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
    const names = (of: readonly Span[]) => of.map(({ name }) => name).toSorted();
    expect(names(below(trained))).toEqual(
      [
        ...["invite", "collect", "aggregate", "invite to evaluate", "collect evaluations", "total", "commit"],
        ...["task fit", "task fit", "task evaluate", "task evaluate"],
      ].toSorted(),
    );
    for (const task of below(trained).filter(({ name }) => name === "task fit")) {
      expect(names(below(task))).toEqual(["answer fit", "ciphernx.node.v1.NodeService/Report"]);
      const [answer] = below(task).filter(({ name }) => name === "answer fit");
      expect(says(answer!, "nexus.node.id")).toBe(says(task, "nexus.node.id"));
      const steps = ["check terms", "fetch model", "fit", "check terms", "encode", "upload", "ciphernx.node.v1.NodeService/Report"];
      expect(names(below(answer!))).toEqual(steps.toSorted());
    }
    // Nothing hangs in the air: a parent that is named was sent, too, and is of the same trace.
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    for (const span of spans) {
      const parent = byId.get(span.parentSpanId ?? "");
      expect({ name: span.name, isRoot: parent === undefined }).toEqual({ name: span.name, isRoot: span.name === "round" });
      if (parent !== undefined) expect(span.traceId).toBe(parent.traceId);
    }
  });

  it("mark what failed by its code, and go on when a receiver hangs or is away", async () => {
    await using atCoordinator = await receiver({ hangs: true });
    await using atA = await receiver();
    const { status, said, codes } = await tracedRun(atCoordinator.env, {
      "clinic-a": { env: atA.env, strategies: ["fedprox"] },
      "clinic-b": { env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" } },
    });
    expect(status).toBe("error");
    checkSpans(atA.spans);
    const failed = atA.spans.filter(({ status: { code } }) => code === 2);
    expect(failed.map((span) => [span.name, says(span, "error.type")])).toContainEqual(["answer fit", "TERMS_REFUSED"]);
    expect(codes).toEqual([0, 0]);
    expect(said["clinic-b"]!.match(/Traces cannot be sent/g)).toHaveLength(1);
    expect(atCoordinator.requests()).toBeGreaterThan(0);
  });

  it("are of no one where nothing is configured, and a coordinator's configuration is none of its nodes'", async () => {
    await using atCoordinator = await receiver();
    await using atA = await receiver();
    const { status } = await tracedRun(
      { ...atCoordinator.env, OTEL_TRACES_EXPORTER: "none" },
      { "clinic-a": { env: atA.env }, "clinic-b": { env: {} } },
    );
    expect(status).toBe("ok");
    expect(atCoordinator.requests()).toBe(0);
    // The node traces its own work by itself.
    checkSpans(atA.spans);
    expect(atA.spans.filter(({ name }) => name === "answer fit").map(({ parentSpanId }) => parentSpanId ?? "")).toEqual([""]);
  });
});
