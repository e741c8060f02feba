import { NexusError } from "@ciphernx/core/errors";

const LOOK_EVERY_MS = 250;

/** Under a Node that is too old, `bin/nexus.js` starts this process, tells it its own number here, and waits for it. */
const LAUNCHER_VARIABLE = "NEXUS_LAUNCHER_PID";

/**
 * A signal that also aborts when the launcher of `bin/nexus.js` has ended, however it did: who kills the command that was
 * typed means this process. The signal itself where there is no launcher. What this process starts has another parent, and is not told.
 */
export function endsWithLauncher(signal: AbortSignal): AbortSignal {
  const launcher = Number(process.env[LAUNCHER_VARIABLE]);
  delete process.env[LAUNCHER_VARIABLE];
  return launcher > 0 ? endsWithParent(signal, launcher) : signal;
}

/** A signal that also aborts when the process that started this one has ended, even by kill −9: this one then has another parent. */
export function endsWithParent(signal: AbortSignal, parent = process.ppid): AbortSignal {
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    controller.abort(new NexusError("INTERRUPTED", `The process ${parent} that started this one has ended.`));
  }, LOOK_EVERY_MS);
  timer.unref();
  return AbortSignal.any([signal, controller.signal]);
}
