export { networkTrainer, type NetworkTrainerOptions } from "./network-trainer.ts";
export { optimiserSchema, type TrainOptions, trainSection } from "./section.ts";
export type { EvaluateOutcome, FitOutcome, Trainer, TrainingTask } from "./trainer.ts";
