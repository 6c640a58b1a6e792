// Waiting for a signal, and for time with a signal. Knows no program.

/** Resolves when the signal fires (at once when it already has). */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
