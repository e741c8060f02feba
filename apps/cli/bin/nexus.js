#!/usr/bin/env node
// The command's first file: plain JavaScript, so that any Node from 20 on can read it. It answers `--version` before
// anything is imported, and sees to it that everything else runs under a Node that can: from a checkout always from
// source under the Node that npm pinned, from an installed package from dist.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const args = process.argv.slice(2);

if (args[0] === "--version" || args[0] === "-V") {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  console.log(args.includes("--json") ? JSON.stringify({ schemaVersion: 1, status: "ok", data: { version } }) : version);
} else {
  await start();
}

async function start() {
  const flags = args.includes("up") ? coordinatorFlags() : [];
  const isCheckout = existsSync(new URL("../../../scripts/prepare.mjs", import.meta.url));
  if (!isCheckout) {
    if (Number.parseInt(process.versions.node, 10) < 22) return fail(`nexus needs Node 22 or later; this is ${process.versions.node}.`);
    const isSet = flags.every((flag) => process.execArgv.includes(flag));
    if (!isSet) process.execve?.(process.execPath, [process.execPath, ...process.execArgv, ...flags, fileURLToPath(import.meta.url), ...args]);
    return run("../dist/main.js");
  }
  const node = await import("../../../scripts/pinned-node.mjs");
  // The process that follows, or a parent that ran this file from source, has been here before.
  if (node.resolvesSources() && Number.parseInt(process.versions.node, 10) >= 24) return run("../src/main.ts");
  try {
    const { prepare } = await import("../../../scripts/prepare.mjs");
    await prepare();
    node.become(node.suitableNode(), [...flags, "--conditions=source", fileURLToPath(import.meta.url), ...args], {
      endWithParent: args.includes("--exit-with-parent"),
    });
  } catch (error) {
    fail(error.message);
  }
}

/**
 * V8's settings for a coordinator: it has many thousands of small objects alive, one set for each node that waits, and makes garbage beside
 * them all day. By default V8 lets that garbage grow to hundreds of megabytes on a machine that has them; bench/thousand-nodes.ts measures it.
 */
function coordinatorFlags() {
  return JSON.parse(readFileSync(new URL("coordinator-flags.json", import.meta.url), "utf8"));
}

async function run(main) {
  const { enableCompileCache } = await import("node:module");
  enableCompileCache?.();
  const { main: start } = await import(main);
  await start(args);
}

function fail(message) {
  if (args.includes("--json")) {
    const error = { code: "INTERNAL", message, hint: "Run `npm ci` in the checkout.", docs: "docs/errors.md#internal" };
    console.log(JSON.stringify({ schemaVersion: 1, status: "error", error }));
  }
  console.error(`nexus: ${message}`);
  process.exitCode = 5;
}
