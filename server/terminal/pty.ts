// Opens a pseudo-terminal through node-pty. Knows no shells, no viewers and no characters.

import { spawn } from 'node-pty';
import type { Pty, PtyOptions } from './types.ts';

/** Throws when the file cannot be started; the message names it. */
export function openPty(options: PtyOptions): Pty {
  const device = spawn(options.file, options.args, {
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
