export { networkTrainer, type NetworkTrainerOptions } from "./network-trainer.ts";
export { optimiserSchema, scheduleSchema, type TrainOptions, trainSection } from "./section.ts";
export { trainInRound } from "./train-in-round.ts";
export type { EvaluateOutcome, FitOutcome, StatisticsOutcome, StatisticsTask, Trainer, TrainingTask } from "./trainer.ts";
