// Waiting for a signal, and for time with a signal. Knows no program.

/** Resolves when the signal fires (at once when it already has). */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** How a process ends that a signal stopped: cleanly when it was asked to, by force otherwise. */
export const exitOf = ({ signal }: { signal: AbortSignal }): number =>
  signal.reason === 'SIGTERM' ? 0 : 137;
