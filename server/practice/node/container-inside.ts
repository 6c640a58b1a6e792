// What the kubelet does inside a running container: commands of probes and hooks, and the message it leaves. Knows no
// restarts.

import type { Clock } from '../../clock.ts';
import type { KubeObject } from '../../kube/index.ts';
import type { Network } from '../network/index.ts';
import { ExecStartError, runExec } from '../programs/index.ts';
import type { ContainerInstance } from './container.ts';
import { terminationMessagePath } from './container-files.ts';
import { ask, type ProbeTarget } from './probes.ts';

/** More of what a command prints is not kept. */
const MOST_OUTPUT = 10_240;
const CANNOT_START = 126;
const HOOK_TIMEOUT_SECONDS = 30;
const TERMINATION_MESSAGE_BYTES = 4096;
const TERMINATION_LOG_LINES = 80;
const TERMINATION_LOG_BYTES = 2048;

export interface Surroundings {
  pod: KubeObject;
  spec: any;
  podIP: string;
  hostIP: string;
  network: Network;
  clock: Clock;
}

/** Runs a command inside and collects what it prints. */
export async function execIn(
  instance: ContainerInstance,
  command: string[],
  signal: AbortSignal,
): Promise<{ code: number; output: string }> {
  if (!instance.running) return { code: CANNOT_START, output: 'container not running' };
  let output = '';
  const take = (chunk: string | Uint8Array) => {
    if (output.length < MOST_OUTPUT)
      output += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
  };
  try {
    const code = await runExec(instance.container(), instance.options.program, command, {
      stdout: take,
      stderr: take,
      signal: AbortSignal.any([signal, instance.gone]),
      tty: false,
    });
    return { code, output };
  } catch (error) {
    if (error instanceof ExecStartError) return { code: CANNOT_START, output: error.message };
    throw error;
  }
}

/** Where the probes and hooks of this container ask. */
export function probeTarget(instance: ContainerInstance, around: Surroundings): ProbeTarget {
  const ports: any[] = around.spec.ports ?? [];
  return {
    podIP: around.podIP,
    hostIP: around.hostIP,
    namespace: around.pod.metadata.namespace!,
    portNamed: name => ports.find(p => p.name === name)?.containerPort,
    exec: (command, signal) => execIn(instance, command, signal),
  };
}

/** Runs a hook; undefined when it went well, else what is said about it. */
export async function runHook(
  hook: any,
  instance: ContainerInstance,
  around: Surroundings,
): Promise<string | undefined> {
  const { metadata } = around.pod;
  if (hook.sleep) {
    await around.clock.sleep((hook.sleep.seconds ?? 0) * 1000, instance.gone);
    return undefined;
  }
  if (hook.exec) {
    const command: string[] = hook.exec.command;
    const { code, output } = await execIn(instance, command, instance.gone);
    if (code === 0) return undefined;
    const shown = command.join(' ');
    return `Exec lifecycle hook ([${shown}]) for Container "${around.spec.name}" in Pod "${metadata.name}_${metadata.namespace}(${metadata.uid})" failed - error: command '${shown}' exited with ${code}: ${output}, message: ${JSON.stringify(output)}`;
  }
  const { httpGet, tcpSocket } = hook;
  if (!httpGet && !tcpSocket) return undefined;
  const probe = { ...(httpGet ? { httpGet } : { tcpSocket }), timeoutSeconds: HOOK_TIMEOUT_SECONDS };
  const outcome = await ask(probe, probeTarget(instance, around), around.network, around.clock);
  return outcome.ok ? undefined : outcome.output;
}

/** What a container that ended leaves behind to say. */
export function terminationMessage(
  instance: ContainerInstance,
  spec: any,
  exitCode: number,
): string | undefined {
  const text = instance.files.readText(terminationMessagePath(spec));
  if (text) return text.slice(0, TERMINATION_MESSAGE_BYTES);
  if (spec.terminationMessagePolicy !== 'FallbackToLogsOnError' || exitCode === 0) return undefined;
  return instance.log.tail(TERMINATION_LOG_LINES, TERMINATION_LOG_BYTES);
}
