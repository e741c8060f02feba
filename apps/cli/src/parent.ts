import { NexusError } from "@ciphernx/core/errors";

const LOOK_EVERY_MS = 250;

/** A signal that also aborts when the process that started this one has ended, even by kill −9: this one then has another parent. */
export function endsWithParent(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    controller.abort(new NexusError("INTERRUPTED", `The process ${parent} that started this one has ended.`));
  }, LOOK_EVERY_MS);
  timer.unref();
  return AbortSignal.any([signal, controller.signal]);
}
