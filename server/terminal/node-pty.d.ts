// The part of node-pty that pty.ts uses. The package is @lydell/node-pty under its first name; its own types declare the other.

declare module 'node-pty' {
  interface Device {
    readonly pid: number;
    onData(listener: (data: Uint8Array) => void): void;
    onExit(listener: (event: { exitCode: number; signal?: number }) => void): void;
    write(data: Uint8Array): void;
    resize(cols: number, rows: number): void;
    pause(): void;
    resume(): void;
    kill(signal?: string): void;
  }
  /** With `encoding: null` data are bytes in both directions. Throws when the file cannot be started. */
  export function spawn(
    file: string,
    args: string[],
    options: {
      name: string;
      cols: number;
      rows: number;
      cwd: string;
      env: Record<string, string>;
      encoding: null;
    },
  ): Device;
}
