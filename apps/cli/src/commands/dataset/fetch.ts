import type * as nodeHttp from "node:http";
import { relative } from "node:path";
import type { FetchedDataset, FetchRecipe } from "@ciphernx/ai/data/node";
import { NexusError } from "@ciphernx/core/errors";
import { defineCommand, optionalArgument, text } from "../../command.ts";
import { formatBytes, formatFields } from "../../output/index.ts";

export const datasetFetch = defineCommand({
  name: "fetch",
  summary: "Get a public dataset from its publisher, or list those that can be had",
  details:
    "Downloads the publisher's files, checks each against its known SHA-256 and writes one file that `dataset add` and run specs can name, " +
    "its licence beside it. HTTPS_PROXY is honoured. Where nothing can be downloaded, --from takes files that came by other means.",
  arguments: { dataset: optionalArgument("[dataset]", "its name; without one, all that can be fetched are listed") },
  options: {
    out: text("-o, --out <folder>", "where to (default: a folder of the dataset's name, here)"),
    from: text("--from <path>", "the publisher's archive, a folder with its files, or the finished file, instead of downloading"),
  },
  examples: [
    { command: "nexus dataset fetch heart-disease" },
    { command: "nexus dataset fetch heart-disease --from ~/Downloads/heart+disease.zip", about: "on a machine without a connection" },
    { command: "nexus dataset fetch" },
  ],
  async action({ args, options, output, signal }) {
    const { FETCH_RECIPES, fetchDataset, fetchRecipe } = await import("@ciphernx/ai/data/node");
    if (args.dataset === undefined) {
      if (options.out !== undefined || options.from !== undefined)
        throw new NexusError("USAGE", "No dataset is named.", { hint: `What can be fetched: ${FETCH_RECIPES.map(({ name }) => name).join(", ")}.` });
      const datasets = FETCH_RECIPES.map(({ name, about, licence, page }) => ({ name, about, licence, page }));
      return output.result({ data: { datasets }, text: FETCH_RECIPES.map(describe).join("\n\n"), ids: datasets.map(({ name }) => name) });
    }
    const recipe = fetchRecipe(args.dataset);
    await honourProxy();
    const dataset = await fetchDataset(recipe, { out: options.out ?? recipe.name, from: options.from, signal });
    output.result({ data: { dataset }, text: report(recipe, dataset), ids: [dataset.file] });
  },
});

/** Sees to it that downloads go through the proxy that the environment names, where this Node can; an older one needs NODE_USE_ENV_PROXY=1. */
async function honourProxy(): Promise<void> {
  const http: Partial<Pick<typeof nodeHttp, "setGlobalProxyFromEnv">> = (await import("node:http")).default;
  http.setGlobalProxyFromEnv?.();
}

function describe({ name, about, licence, page }: FetchRecipe): string {
  return formatFields([
    ["name", name],
    ["what", about],
    ["licence", licence],
    ["page", page],
  ]);
}

const ORIGINS: Readonly<Record<FetchedDataset["origin"], string>> = {
  downloaded: "Downloaded",
  given: "Checked and converted",
  present: "Already there:",
};

function report({ name, licence }: FetchRecipe, { file, noticeFile, sha256, sizeBytes, origin }: FetchedDataset): string {
  return [
    `${ORIGINS[origin]} ${name}: ${relative(process.cwd(), file)} (${formatBytes(sizeBytes)}), SHA-256 ${sha256.slice(0, 12)} as published.`,
    `${licence}; whoever passes it on names them: ${relative(process.cwd(), noticeFile)}.`,
  ].join("\n");
}
