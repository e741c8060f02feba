// Runs a TypeScript file of the project from source, under the pinned Node: node scripts/run.mjs [node flags] FILE [arguments]
import { prepare } from "./prepare.mjs";
import { become, suitableNode } from "./pinned-node.mjs";

await prepare();
become(suitableNode(), ["--conditions=source", ...process.argv.slice(2)]);
