// Opens a pseudo-terminal through node-pty. Knows no shells, no viewers and no characters.

import { spawn } from 'node-pty';
import type { Pty, PtyOptions } from './types.ts';

/**
 * A new process gets what this one has open and not marked as its own, and node-pty does not mark its devices: whoever writes to
 * that of another terminal types there. So all of it is closed before the file runs.
 */
const CLOSE_ALL =
  'for fd in $(cd /dev/fd && echo *); do case $fd in *[!0-9]*|[012]) ;; *) eval "exec $fd>&-" ;; esac; done; exec "$@"';

/** Throws when there is no bash; a file that cannot be started ends the terminal with 126 or 127. */
export function openPty(options: PtyOptions): Pty {
  const device = spawn('bash', ['-c', CLOSE_ALL, 'bash', options.file, ...options.args], {
    name: 'xterm-256color',
    cols: options.cols,
    rows: options.rows,
    cwd: options.cwd,
    env: options.env,
    // Bytes: a Chinese character may lie across two chunks.
    encoding: null,
  });
  let open = true;
  device.onExit(() => {
    open = false;
  });
  return {
    write: data => {
      if (open) device.write(data);
    },
    resize: (cols, rows) => {
      if (open) device.resize(cols, rows);
    },
    pause: () => device.pause(),
    resume: () => {
      if (open) device.resume();
    },
    kill: () => {
      if (!open) return;
      device.kill('SIGHUP');
      // A shell that ignores the hang-up is ended for good; its pty is gone anyway.
      const end = setTimeout(() => open && device.kill('SIGKILL'), 1000);
      end.unref();
    },
    onData: listener => {
      device.onData(listener);
    },
    onExit: listener => {
      device.onExit(event => listener(event.signal ? 128 + event.signal : event.exitCode));
    },
  };
}
