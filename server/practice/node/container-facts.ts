// How the facts of a container change with its lives: begun, never started, ended, and taken over from a status. Pure.

import type { ContainerFacts, Terminated } from './pod-status.ts';

const START_ERROR_EXIT = 128;

const fromStatus = (t: any): Terminated => ({
  containerID: t.containerID ?? '',
  exitCode: t.exitCode,
  reason: t.reason ?? 'Error',
  message: t.message,
  startedAt: Date.parse(t.startedAt ?? '') || 0,
  finishedAt: Date.parse(t.finishedAt ?? '') || 0,
});

/** Takes over what the API remembers; gives the life that was running then. */
export function adoptFacts(
  facts: ContainerFacts,
  status: any,
  now: number,
): { id: string; startedAt: number } | undefined {
  facts.restarts = status.restartCount ?? 0;
  if (status.containerID) facts.containerID = status.containerID;
  if (status.imageID) {
    facts.imageID = status.imageID;
    facts.image = status.image;
  }
  if (status.lastState?.terminated) facts.previous = fromStatus(status.lastState.terminated);
  if (status.state?.terminated) facts.exited = fromStatus(status.state.terminated);
  else if (status.state?.running) {
    facts.runningSince = Date.parse(status.state.running.startedAt) || now;
    facts.started = status.started ?? true;
    facts.ready = status.ready ?? false;
    return { id: String(status.containerID ?? ''), startedAt: facts.runningSince };
  } else if (status.lastState?.terminated) {
    facts.exited = facts.previous;
    facts.previous = undefined;
  }
  return undefined;
}

/** A container is made; what it was before becomes its last state. */
export function beginLife(facts: ContainerFacts, life: { id: string; image: string; imageID: string }): void {
  if (facts.exited) {
    facts.previous = facts.exited;
    facts.exited = undefined;
    facts.restarts++;
  }
  facts.containerID = life.id;
  facts.image = life.image;
  facts.imageID = life.imageID;
  facts.runningSince = undefined;
  facts.ready = false;
  facts.started = false;
}

/** The runtime could not start what was made. */
export function neverStarted(facts: ContainerFacts, message: string, now: number): void {
  facts.exited = {
    containerID: facts.containerID ?? '',
    exitCode: START_ERROR_EXIT,
    reason: 'StartError',
    message,
    startedAt: 0,
    finishedAt: now,
  };
}

export function endLife(facts: ContainerFacts, how: Terminated): void {
  facts.exited = how;
  facts.runningSince = undefined;
  facts.ready = false;
  facts.started = false;
  facts.waiting = undefined;
}
