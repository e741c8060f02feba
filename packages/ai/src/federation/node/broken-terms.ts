import { plural } from "@ciphernx/core/errors";
import { nodesAt } from "@ciphernx/core/roster";
import { canonicalJson } from "@ciphernx/core/spec";
import type { DatasetTerms, RowSchema } from "../../data/index.ts";
import { findMetric } from "../../metrics/index.ts";
import type { AskedTask } from "./dataset-guard.ts";

/** One term of a dataset that a run does not keep. */
export interface BrokenTerm {
  /** Its key in the terms. */
  readonly term: string;
  readonly asked: string;
  readonly allowed: string;
}

/** What the node itself knows when it compares a run with terms. */
export interface TermFacts {
  /** Day in UTC, as terms write it. */
  readonly today: string;
  /** What the rows of the dataset are. */
  readonly schema: RowSchema;
  /** Rows that the dataset learns from. */
  readonly trainExamples: number;
  /** Rows that the dataset holds out. */
  readonly testExamples: number;
}

/** Every term that a run does not keep; approval apart. Pure. */
export function brokenTerms(
  terms: DatasetTerms,
  { spec, plan, party, roster, parties = [], startedBy }: Pick<AskedTask, "spec" | "plan" | "party" | "roster" | "parties" | "startedBy">,
  facts: TermFacts,
): readonly BrokenTerm[] {
  const broken: BrokenTerm[] = [];
  const check = (term: keyof DatasetTerms, keeps: boolean, asked: string, allowed: string) => {
    if (!keeps) broken.push({ term, asked, allowed });
  };
  const { purposes, protections, maxRounds, maxEpochs, strategies, models, minHeldOutRows, statistics, minCountedRows, expires } = terms;
  const oneOf = (term: keyof DatasetTerms, allowed: readonly string[] | undefined, asked: string) => {
    if (allowed !== undefined) check(term, allowed.includes(asked), asked, allowed.join(", "));
  };
  if (expires !== undefined) check("expires", facts.today <= expires, `an answer on ${facts.today}`, `them until ${expires}`);
  const { purpose } = spec.data;
  if (purposes !== undefined) {
    const asked = purpose === undefined ? "no purpose (data.purpose)" : JSON.stringify(purpose);
    check("purposes", purpose !== undefined && purposes.includes(purpose), asked, purposes.map((one) => `"${one}"`).join(", "));
  }
  if (terms.organisations !== undefined) {
    const own = roster?.nodes.get(party)?.organisation;
    const nodes = roster && plan.roster && nodesAt(roster, plan.roster.version);
    const asked = nodes === undefined ? undefined : [...new Set(parties.map(({ name }) => nodes.get(name)!.organisation))];
    const others = asked?.filter((name) => name !== own && !terms.organisations!.includes(name));
    check(
      "organisations",
      others?.length === 0,
      others === undefined ? "parties of no roster" : `parties of ${others.join(", ")}`,
      terms.organisations.join(", "),
    );
  }
  oneOf("startedBy", terms.startedBy, startedBy ?? "a start by nobody on a roster");
  oneOf("protections", protections, spec.protection.kind);
  if (maxRounds !== undefined) check("maxRounds", spec.rounds <= maxRounds, plural(spec.rounds, "round"), `${maxRounds}`);
  if (maxEpochs !== undefined) check("maxEpochs", spec.train.epochs <= maxEpochs, `${plural(spec.train.epochs, "epoch")} a round`, `${maxEpochs}`);
  oneOf("strategies", strategies, spec.strategy.kind);
  oneOf("models", models, spec.model.kind);
  const counts =
    spec.evaluate.every === 0 || spec.model.kind === "tensors" ? [] : spec.evaluate.metrics.filter((name) => findMetric(name) !== undefined);
  if (minHeldOutRows !== undefined && counts.length > 0) {
    check(
      "minHeldOutRows",
      facts.testExamples >= minHeldOutRows,
      `${counts.join(", ")} on ${plural(facts.testExamples, "row")}`,
      `that on ${minHeldOutRows} or more`,
    );
  }
  if (statistics !== undefined) {
    const asked = [
      ...new Set((plan.preprocess?.steps ?? []).map(({ type }) => (type === "number" ? ("numbers" as const) : ("categories" as const)))),
    ];
    const allowed = statistics.length === 0 ? "none" : statistics.join(", ");
    check(
      "statistics",
      asked.every((one) => statistics.includes(one)),
      `counts of ${asked.join(" and ")}`,
      allowed,
    );
  }
  if (minCountedRows !== undefined && plan.preprocess !== undefined) {
    const { trainExamples } = facts;
    check("minCountedRows", trainExamples >= minCountedRows, `counts of ${plural(trainExamples, "row")}`, `those of ${minCountedRows} or more`);
  }
  // Rows are counted over the ranges and categories of the plan's schema: another one would ask other questions of them.
  if (canonicalJson(plan.schema) !== canonicalJson(facts.schema)) {
    broken.push({ term: "schema", asked: "rows of another schema", allowed: "the one of the dataset" });
  }
  return broken;
}
