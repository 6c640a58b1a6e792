// The probes of one container's life, and what their verdicts change: started, ready, restarted. Knows no pod.

import type { ContainerInstance } from './container.ts';
import { probeTarget, type Surroundings } from './container-inside.ts';
import type { ContainerFacts } from './pod-status.ts';
import { type ProbeKind, Prober } from './probes.ts';

const TITLES = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' };

interface Owner {
  surroundings(): Surroundings;
  /** False for a life that has been followed by another. */
  current(instance: ContainerInstance): boolean;
  event(type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Readiness or start are others now. */
  changed(): void;
  /** Without a grace of the probe's own, the pod's holds. */
  restart(graceMs: number | undefined): void;
}

export class ContainerProbes {
  private readonly facts: ContainerFacts;
  private readonly owner: Owner;
  private probers: Prober[] = [];

  constructor(facts: ContainerFacts, owner: Owner) {
    this.facts = facts;
    this.owner = owner;
  }

  start(instance: ContainerInstance): void {
    this.stop();
    const { startupProbe, readinessProbe, livenessProbe } = this.facts.spec;
    const started = () => this.facts.started;
    if (startupProbe && !this.facts.started) this.add('startup', startupProbe, instance, () => true);
    if (readinessProbe) this.add('readiness', readinessProbe, instance, started);
    if (livenessProbe) this.add('liveness', livenessProbe, instance, started);
  }

  stop(): void {
    for (const prober of this.probers.splice(0)) prober.stop();
  }

  private add(kind: ProbeKind, probe: any, instance: ContainerInstance, gate: () => boolean): void {
    const around = this.owner.surroundings();
    const prober = new Prober(kind, probe, {
      target: probeTarget(instance, around),
      network: around.network,
      clock: around.clock,
      gate,
      events: {
        failed: (k, output) => {
          if (instance.running)
            this.owner.event('Warning', 'Unhealthy', `${TITLES[k]} probe failed: ${output}`);
        },
        changed: (k, ok) => {
          if (instance.running && this.owner.current(instance)) this.judged(k, ok, probe);
        },
      },
    });
    this.probers.push(prober);
    prober.start();
  }

  private judged(kind: ProbeKind, ok: boolean, probe: any): void {
    const { facts, owner } = this;
    if (kind === 'readiness') facts.ready = ok && facts.started;
    else if (kind === 'startup' && ok) {
      facts.started = true;
      facts.ready = !facts.spec.readinessProbe;
      for (const prober of this.probers) prober.kick();
    } else if (!ok) {
      owner.event(
        'Normal',
        'Killing',
        `Container ${facts.spec.name} failed ${kind} probe, will be restarted`,
      );
      const seconds = probe.terminationGracePeriodSeconds;
      owner.restart(seconds === undefined ? undefined : seconds * 1000);
    }
    owner.changed();
  }
}
