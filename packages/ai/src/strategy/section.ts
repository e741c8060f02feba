import { defineSection } from "@ciphernx/core/spec";
import { z } from "zod";
import { STRATEGY_SCHEMAS } from "./registry.ts";

/** How the server learns from the parties' updates. */
export const strategySection = defineSection(
  "strategy",
  z.discriminatedUnion("kind", STRATEGY_SCHEMAS).prefault({ kind: "fedavg" }).describe("How the server learns from the parties' updates"),
);

export type StrategyOptions = z.output<typeof strategySection.schema>;
