// Turns of the process's event loop, by which controllers batch their work and let others have their share. Knows no work.

/** Pieces of work done in a row before the rest of the process gets a turn. */
const BURST = 32;

export interface Turns {
  /** The number of the present turn. */
  current(): number;
  /** Resolves in the next turn. */
  next(): Promise<void>;
  /** Counts a piece of work; a promise asks to wait for the next turn. */
  work(): Promise<void> | undefined;
}

export function createTurns(): Turns {
  let turn = 0;
  let coming: Promise<void> | undefined;
  let done = 0;
  const next = () => {
    coming ??= new Promise(resolve =>
      setImmediate(() => {
        turn++;
        done = 0;
        coming = undefined;
        resolve();
      }),
    );
    return coming;
  };
  return {
    current() {
      // Asking starts the turn's end, so that the number means something.
      void next();
      return turn;
    },
    next,
    work: () => (++done % BURST === 0 ? next() : undefined),
  };
}
