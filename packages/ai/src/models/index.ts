export { type LearningTask, learningTask } from "./learning-task.ts";
export { type ModelShape, modelShape } from "./model-shape.ts";
export { checkpointSection, type ModelOptions, modelSection } from "./section.ts";
export { modelCard, type ModelCardFacts } from "./model-card.ts";
export { initialModel } from "./initial-model.ts";
export { loadModel } from "./load-model.ts";
export { createPredictor, type Prediction, type Predictor } from "./predictor.ts";
export { readModelCard, type UsableModel } from "./read-model-card.ts";
