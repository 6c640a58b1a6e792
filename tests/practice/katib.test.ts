// Katib as an installation of its own: a search really finds the best of what its trainings measured, and what goes wrong
// around it shows where Katib shows it.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Component, component } from '../support/component.ts';
import { NO_KUBECTL } from '../support/practice.ts';

const start = component('katib', 'tuning');
const KATIB = 'kubeflow.org/v1beta1';
const EXPERIMENTS = `${KATIB} experiments`;
const TRIALS = `${KATIB} trials`;

/** A loss that is smallest at a learning rate of 0.03. */
const TRAINING = `awk -v lr=\${trialParameters.lr} 'BEGIN { printf "loss=%.6f\\n", 0.1 + 900 * (lr - 0.03) ^ 2 }'`;
const lossAt = (lr: number) => 0.1 + 900 * (lr - 0.03) ** 2;

interface Search {
  algorithm?: string;
  training?: string;
  space?: object;
  counts?: object;
  objective?: object;
  /** Jobs stay after their trial. */
  retain?: boolean;
}

const experiment = (name: string, { algorithm = 'random', training = TRAINING, ...more }: Search = {}) => ({
  apiVersion: KATIB,
  kind: 'Experiment',
  metadata: { name },
  spec: {
    objective: { type: 'minimize', objectiveMetricName: 'loss', ...more.objective },
    algorithm: { algorithmName: algorithm },
    ...{ parallelTrialCount: 2, maxTrialCount: 4, maxFailedTrialCount: 1, ...more.counts },
    parameters: [
      { name: 'lr', parameterType: 'double', feasibleSpace: more.space ?? { min: '0.01', max: '0.05' } },
    ],
    trialTemplate: {
      primaryContainerName: 'training',
      retain: more.retain ?? false,
      trialParameters: [{ name: 'lr', reference: 'lr' }],
      trialSpec: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        spec: {
          backoffLimit: 0,
          template: {
            spec: {
              restartPolicy: 'Never',
              containers: [
                { name: 'training', image: 'busybox:1.36', command: ['sh', '-c'], args: [training] },
              ],
            },
          },
        },
      },
    },
  },
});

describe('Katib', { skip: NO_KUBECTL }, () => {
  let c: Component;
  const conditions = (object: any): any[] => object?.status?.conditions ?? [];
  /** The experiment once its last condition is this one. */
  const ends = (name: string, type: string) =>
    c.until(
      () => c.get(EXPERIMENTS, name),
      found => conditions(found).at(-1)?.type === type,
    );
  const trialsOf = (name: string) => c.list(TRIALS, `katib.kubeflow.org/experiment=${name}`);
  const lastOf = (object: any) => {
    const { type, reason, message } = conditions(object).at(-1);
    return `${type} ${reason}: ${message}`;
  };

  before(async () => {
    c = await start();
    await c.sh('kubectl wait -n kubeflow deployment --all --for=condition=Available --timeout=30s');
  });

  it('refuses an experiment where pods are not looked at, and one with faults, all of them named', async () => {
    const written = JSON.stringify(experiment('early'));
    assert.equal(
      await c.sh(`kubectl apply -f - <<'E'\n${written}\nE`),
      'Error from server: error when creating "STDIN": admission webhook "validator.experiment.katib.kubeflow.org" denied the request: Cannot create the Experiment "early" in namespace "tuning": the namespace lacks label "katib.kubeflow.org/metrics-collector-injection: enabled"',
    );
    await c.sh('kubectl label namespace tuning katib.kubeflow.org/metrics-collector-injection=enabled');
    const faulty = { algorithm: 'oracle', training: 'echo loss=1', counts: { parallelTrialCount: 5 } };
    await assert.rejects(c.create(experiment('faulty', faulty)), ({ message }: Error) => {
      for (const words of [
        'spec.parallelTrialCount: Invalid value: 5: should be less than or equal to spec.maxTrialCount',
        'unable to get Suggestion config data for algorithm oracle: failed to find suggestion config for algorithm: oracle in ConfigMap: katib-config',
        'parameter name: lr in spec.trialParameters not found in spec.trialTemplate: ',
      ])
        assert.ok(message.includes(words), message);
      return true;
    });
  });

  it('finds the best of the values it tried, each measured by its training', async () => {
    await c.create(experiment('parabola', { counts: { maxTrialCount: 5 } }));
    const found = await ends('parabola', 'Succeeded');
    assert.equal(
      lastOf(found),
      'Succeeded ExperimentMaxTrialsReached: Experiment has succeeded because max trial count has reached',
    );
    const trials = await trialsOf('parabola');
    const measured = trials.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      lr: Number(spec.parameterAssignments[0].value),
      loss: Number(status.observation.metrics[0].latest),
    }));
    assert.equal(new Set(measured.map(({ lr }) => lr)).size, 5);
    for (const { lr, loss } of measured) {
      assert.ok(lr >= 0.01 && lr <= 0.05, String(lr));
      assert.ok(Math.abs(loss - lossAt(lr)) < 1e-6, `${loss} at ${lr}`);
    }
    const best = measured.reduce((a, b) => (b.loss < a.loss ? b : a));
    assert.equal(found.status.currentOptimalTrial.bestTrialName, best.name);
    assert.equal(found.status.currentOptimalTrial.parameterAssignments[0].value, String(best.lr));
    assert.equal(
      lastOf(trials[0]),
      'Succeeded TrialSucceeded. Job reason: CompletionsReached: Trial has succeeded. Job message: Reached expected number of succeeded pods',
    );
    // Katib clears away: no service is left of the search, no job of its trials.
    for (const kind of ['apps/v1 deployments', 'v1 services', 'batch/v1 jobs'])
      await c.until(
        () => c.list(kind),
        left => left.length === 0,
      );
    assert.match(
      await c.sh('kubectl get suggestion parabola --no-headers'),
      /^parabola +Succeeded +True +5 +5 /,
    );
    const rows = await c.sh(
      'kubectl exec -n kubeflow deploy/katib-mysql -- mysql -uroot -ptest -D katib -N -e "SELECT COUNT(*) FROM observation_logs" 2>/dev/null',
    );
    assert.match(rows, /\b5\b/);
  });

  it('stops as soon as the goal is reached', async () => {
    await c.create(experiment('goal', { objective: { goal: 10 }, counts: { parallelTrialCount: 1 } }));
    const goal = await ends('goal', 'Succeeded');
    assert.equal(
      lastOf(goal),
      'Succeeded ExperimentGoalReached: Experiment has succeeded because Objective goal has reached',
    );
    assert.equal(goal.status.trials, 1);
  });

  it('goes through a grid, every point once, and refuses one that is too small', async () => {
    const grid = { algorithm: 'grid', space: { min: '0.01', max: '0.04', step: '0.01' } };
    await c.create(experiment('grid', grid), experiment('narrow', { ...grid, counts: { maxTrialCount: 9 } }));
    assert.equal(lastOf(await ends('narrow', 'Failed')), 'Failed ExperimentFailed: Suggestion has failed');
    assert.equal(
      lastOf(await c.get(`${KATIB} suggestions`, 'narrow')),
      'Failed SuggestionFailed: Validation failed: ValidateAlgorithmSettings Error: Max Trial Count: 9 > all possible search combinations: 4',
    );
    const { status } = await ends('grid', 'Succeeded');
    assert.equal(status.currentOptimalTrial.parameterAssignments[0].value, '0.03');
    const tried = (await trialsOf('grid')).map(({ spec }) => spec.parameterAssignments[0].value);
    assert.deepEqual(tried.sort(), ['0.01', '0.02', '0.03', '0.04']);
  });

  it('tells a training that fails from one that says nothing of its metric', async () => {
    const counts = { parallelTrialCount: 1, maxTrialCount: 2 };
    await c.create(
      experiment('broken', { training: `echo \${trialParameters.lr}; exit 3 `, counts }),
      experiment('mute', { training: `echo accuracy=\${trialParameters.lr}`, counts }),
    );
    await ends('broken', 'Failed');
    assert.equal(
      lastOf(await ends('mute', 'Failed')),
      'Failed ExperimentFailed: Experiment has failed because max failed count has reached',
    );
    const [mute] = await trialsOf('mute');
    assert.match(lastOf(mute), /^MetricsUnavailable MetricsUnavailable\. .*: Metrics are not available\. /);
    assert.ok(
      (await c.events('Trial', mute.metadata.name)).includes(
        `Warning MetricsUnavailable Metrics are not available for Job ${mute.metadata.name}`,
      ),
    );
    const [broken] = await trialsOf('broken');
    assert.equal(
      lastOf(broken),
      'Failed TrialFailed. Job reason: BackoffLimitExceeded: Trial has failed. Job message: Job has reached the specified backoff limit',
    );
  });

  it('loses a trial whose database is away, and forgets it only when the database is back', async () => {
    await c.sh(
      'kubectl scale -n kubeflow deployment katib-mysql --replicas=0; kubectl wait -n kubeflow pod -l katib.kubeflow.org/component=mysql --for=delete',
    );
    await c.create(experiment('lost', { retain: true, counts: { parallelTrialCount: 1, maxTrialCount: 1 } }));
    await ends('lost', 'Failed');
    assert.match(
      await c.sh(
        'kubectl logs -l katib.kubeflow.org/experiment=lost -c metrics-logger-and-collector --tail=-1',
      ),
      / loss=0\.\d+\n.*Failed to Report logs: rpc error: code = Unknown desc = dial tcp [\d.]+:3306: connect: connection refused/,
    );
    await c.delete(EXPERIMENTS, 'lost');
    const [trial] = await c.until(
      () => trialsOf('lost'),
      ([first]) => first?.metadata.deletionTimestamp !== undefined,
    );
    assert.deepEqual(trial.metadata.finalizers, ['clean-metrics-in-db']);
    await c.sh('kubectl scale -n kubeflow deployment katib-mysql --replicas=1');
    await c.until(
      () => trialsOf('lost'),
      left => left.length === 0,
    );
  });

  it('makes the algorithm service again when it is deleted, and says what it is refused', async () => {
    await c.create(experiment('tended', { training: `sleep 900 # \${trialParameters.lr}` }));
    await ends('tended', 'Running');
    const service = () => c.get('apps/v1 deployments', 'tended-random');
    const { metadata } = await service();
    assert.equal(metadata.ownerReferences[0].kind, 'Suggestion');
    const { spec } = await c.get('v1 services', 'tended-random');
    assert.deepEqual(
      spec.ports.map((port: { name: string }) => port.name),
      ['suggestion-api'],
    );
    const [pod] = await c.until(
      () => c.list('v1 pods', 'katib.kubeflow.org/trial'),
      pods => pods.length > 0,
    );
    assert.deepEqual(
      pod.spec.containers.map(({ name }: { name: string }) => name),
      ['training', 'metrics-logger-and-collector'],
    );
    await c.delete('apps/v1 deployments', 'tended-random');
    await c.until(service, found => found && found.metadata.uid !== metadata.uid);

    await c.sh(
      `kubectl patch clusterrole katib-controller --type=json -p='[{"op":"replace","path":"/rules/8/verbs","value":["get","list","watch"]}]'`,
    );
    await c.create(experiment('forbidden'));
    const said = await c.until(
      async () => {
        const [trial] = await trialsOf('forbidden');
        return trial ? c.events('Trial', trial.metadata.name) : [];
      },
      events => events.length > 0,
    );
    assert.match(said[0]!, /^Warning ReconcileError Failed to reconcile: jobs\.batch is forbidden: /);
    assert.match(
      await c.sh('kubectl logs -n kubeflow deploy/katib-controller'),
      /"logger":"trial-controller","msg":"Reconcile trial error".*User \\"system:serviceaccount:kubeflow:katib-controller\\" cannot create resource \\"jobs\\" in API group \\"batch\\" in the namespace \\"tuning\\"/,
    );
  });
});
