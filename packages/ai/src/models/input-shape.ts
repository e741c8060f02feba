import type { Refusal } from "@ciphernx/core/spec";
import { z } from "zod";
import type { Shape } from "../nn/index.ts";
import type { LearningTask } from "./learning-task.ts";

const size = z.int().min(1).max(1_000_000);

/** The shape of an image as a model's options name it. */
export const imageShapeSchema = z
  .tuple([size, size, size])
  .optional()
  .describe("What the values of an example are read as: [channels, height, width]; default: the dataset's shape, [height, width] being one channel");

/** The shape of an example as a list of layers names it. */
export const inputShapeSchema = z
  .array(size)
  .min(1)
  .max(7)
  .optional()
  .describe(
    "What the values of an example are read as, for example [1, 28, 28]: channels, height, width; default: the dataset's shape, [height, width] being one channel",
  );

/** Numbers of channels that images are stored with: grey, RGB, RGBA. */
const IMAGE_CHANNELS: readonly number[] = [1, 3, 4];

/** A shape for people. */
export function shapeText(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** The shape that a tensor's rows are learnt with: images have their channels first, and [height, width] has one. */
export function shapeOfRows({ shape }: LearningTask): Shape {
  return shape.length === 2 ? [1, ...shape] : shape;
}

/**
 * Whether a shape looks as if its channels came last. A network takes them first, and no schema says in which order the values lie:
 * read in the wrong one, an image is no image, and nothing would fail but the learning.
 */
function channelsSeemLast(shape: Shape): boolean {
  const [first = 0, , last = 0] = shape;
  return shape.length === 3 && IMAGE_CHANNELS.includes(last) && !IMAGE_CHANNELS.includes(first);
}

/**
 * Rows whose channels seem to come last, refused, unless the options say that the shape is meant as it is. With one channel the values lie
 * alike in both orders, so naming the other shape mends it; with more they must be stored anew.
 */
export function checkChannels({ shape }: LearningTask, inputShape: Shape | undefined): readonly Refusal[] {
  const [height, width, channels] = shape;
  const isMeant = inputShape !== undefined && (channels === 1 || shapeText(inputShape) === shapeText(shape));
  if (!channelsSeemLast(shape) || isMeant) return [];
  const channelsFirst = [channels!, height!, width!];
  const isGrey = channels === 1;
  return [
    {
      path: inputShape === undefined ? "model.kind" : "model.inputShape",
      reason: `The rows have the shape ${shapeText(shape)}, which looks like [height, width, channels]; the model takes [channels, height, width].`,
      remedy: isGrey
        ? `Write ${shapeText(channelsFirst)} to model.inputShape: with one channel the values lie alike.`
        : `Store the rows channels first and register them with the shape ${shapeText(channelsFirst)}, ` +
          "or write the shape that they have to model.inputShape if the channels do come first.",
      ...(isGrey ? { edits: [{ path: "model.inputShape", value: channelsFirst }] } : {}),
    },
  ];
}

/** A shape that the options name and that has another number of values than an example, refused. */
export function checkInputShape(shape: Shape, task: LearningTask, instead?: Shape): readonly Refusal[] {
  const length = shape.reduce((product, one) => product * one, 1);
  if (length === task.inputLength) return [];
  return [
    {
      path: "model.inputShape",
      reason: `An input of ${shapeText(shape)} has ${length} values, a row of the dataset has ${task.inputLength}.`,
      remedy: "Leave the key out to follow the dataset, or correct it.",
      ...(instead === undefined ? {} : { edits: [{ path: "model.inputShape", value: [...instead] }] }),
    },
  ];
}
