// Katib as an installation of its own: a search really finds the best of what its trainings measured, and what goes wrong
// around it shows where Katib shows it.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { openKubeApi } from '../../server/check/index.ts';
import { realClock } from '../../server/clock.ts';
import { baselineOf } from '../../server/lab/baselines/index.ts';
import { NO_KUBECTL, sharedCluster, type TestCluster } from '../support/practice.ts';

/** Delays of the cluster are this much shorter. */
const SPEED = 10;
const cluster = sharedCluster({
  clock: realClock(SPEED),
  nodes: [{ name: 'minikube', cpus: '8', memory: '16Gi' }],
});

/** A loss that is smallest at a learning rate of 0.03. */
const TRAINING = `awk -v lr=\${trialParameters.lr} 'BEGIN { printf "loss=%.6f\\n", 0.1 + 900 * (lr - 0.03) ^ 2 }'`;
const lossAt = (lr: number) => 0.1 + 900 * (lr - 0.03) ** 2;

interface Search {
  name: string;
  namespace?: string;
  algorithm?: string;
  training?: string;
  space?: object;
  counts?: object;
  objective?: object;
  /** Jobs stay after their trial. */
  retain?: boolean;
}

const experiment = ({
  name,
  namespace = 'tuning',
  algorithm = 'random',
  training = TRAINING,
  ...more
}: Search) =>
  JSON.stringify({
    apiVersion: 'kubeflow.org/v1beta1',
    kind: 'Experiment',
    metadata: { name, namespace },
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
  let of: TestCluster;
  const sh = async (command: string) => (await of.sh(command, { timeout: 60_000 })).text.trim();
  const apply = (search: Search) => of.kubectl(['apply', '-f', '-'], { stdin: experiment(search) });
  const ends = (name: string, condition: string) =>
    sh(`kubectl wait -n tuning experiment/${name} --for=condition=${condition} --timeout=30s`);
  const json = async (what: string) => JSON.parse(await sh(`kubectl get -n tuning ${what} -o json`));
  const until = async (command: string, pattern: RegExp) => {
    const end = Date.now() + 20_000;
    for (;;) {
      const text = await sh(command);
      if (pattern.test(text) || Date.now() > end) return text;
    }
  };
  const conditionOf = ({ status }: any) => {
    const { type, reason, message } = status.conditions.at(-1);
    return `${type} ${reason}: ${message}`;
  };

  before(async () => {
    of = await cluster();
    const api = await openKubeApi(of.kubeconfig);
    const signal = new AbortController().signal;
    await baselineOf('katib')!.apply(api, { clock: realClock(), signal, note: () => {} });
    api.close();
    await sh(
      'kubectl create namespace tuning; kubectl wait -n kubeflow deployment --all --for=condition=Available --timeout=30s',
    );
  });

  it('refuses an experiment where pods are not looked at, and one with faults, all of them named', async () => {
    const refused = await apply({ name: 'early' });
    assert.match(
      refused.text,
      /^Error from server: error when creating "STDIN": admission webhook "validator\.experiment\.katib\.kubeflow\.org" denied the request: Cannot create the Experiment "early" in namespace "tuning": the namespace lacks label "katib\.kubeflow\.org\/metrics-collector-injection: enabled"\n$/,
    );
    await sh('kubectl label namespace tuning katib.kubeflow.org/metrics-collector-injection=enabled');
    const faulty = await apply({
      name: 'faulty',
      algorithm: 'oracle',
      training: 'echo loss=1',
      counts: { parallelTrialCount: 5 },
    });
    for (const words of [
      'spec.parallelTrialCount: Invalid value: 5: should be less than or equal to spec.maxTrialCount',
      'unable to get Suggestion config data for algorithm oracle: failed to find suggestion config for algorithm: oracle in ConfigMap: katib-config',
      'parameter name: lr in spec.trialParameters not found in spec.trialTemplate: ',
    ])
      assert.ok(faulty.text.includes(words), faulty.text);
  });

  it('finds the best of the values it tried, each measured by its training', async () => {
    const made = await apply({ name: 'parabola', counts: { maxTrialCount: 5 } });
    assert.equal(made.text, 'experiment.kubeflow.org/parabola created\n');
    assert.match(await ends('parabola', 'Succeeded'), /condition met/);

    const found = await json('experiment/parabola');
    assert.equal(
      conditionOf(found),
      'Succeeded ExperimentMaxTrialsReached: Experiment has succeeded because max trial count has reached',
    );
    const { items: trials } = await json('trials');
    const measured = trials.map((trial: any) => ({
      name: trial.metadata.name,
      lr: Number(trial.spec.parameterAssignments[0].value),
      loss: Number(trial.status.observation.metrics[0].latest),
    }));
    assert.equal(measured.length, 5);
    assert.equal(new Set(measured.map(({ lr }: any) => lr)).size, 5);
    for (const { lr, loss } of measured) {
      assert.ok(lr >= 0.01 && lr <= 0.05, String(lr));
      assert.ok(Math.abs(loss - lossAt(lr)) < 1e-6, `${loss} at ${lr}`);
    }
    const best = measured.reduce((a: any, b: any) => (b.loss < a.loss ? b : a));
    assert.equal(found.status.currentOptimalTrial.bestTrialName, best.name);
    assert.equal(found.status.currentOptimalTrial.parameterAssignments[0].value, String(best.lr));

    assert.match(
      conditionOf(trials[0]),
      /^Succeeded TrialSucceeded\. Job reason: CompletionsReached: Trial has succeeded\. Job message: Reached expected number of succeeded pods$/,
    );
    // Katib clears away: no service is left of the search, no job of its trials.
    const left = await until('kubectl get deployments,services,jobs -n tuning --no-headers', /^No resources/);
    assert.match(left, /^No resources/);
    assert.match(
      await sh('kubectl get suggestion -n tuning parabola --no-headers'),
      /^parabola +Succeeded +True +5 +5 /,
    );
    const rows = await sh(
      'kubectl exec -n kubeflow deploy/katib-mysql -- mysql -uroot -ptest -D katib -N -e "SELECT COUNT(*) FROM observation_logs" 2>/dev/null',
    );
    assert.match(rows, /\b5\b/);
  });

  it('stops as soon as the goal is reached', async () => {
    await apply({
      name: 'goal',
      objective: { goal: 10 },
      counts: { parallelTrialCount: 1, maxTrialCount: 4 },
    });
    assert.match(await ends('goal', 'Succeeded'), /condition met/);
    const goal = await json('experiment/goal');
    assert.equal(
      conditionOf(goal),
      'Succeeded ExperimentGoalReached: Experiment has succeeded because Objective goal has reached',
    );
    assert.equal(goal.status.trials, 1);
  });

  it('goes through a grid, every point once, and refuses one that is too small', async () => {
    const space = { min: '0.01', max: '0.04', step: '0.01' };
    await apply({ name: 'grid', algorithm: 'grid', space });
    await apply({ name: 'narrow', algorithm: 'grid', space, counts: { maxTrialCount: 9 } });
    assert.match(await ends('narrow', 'Failed'), /condition met/);
    assert.equal(
      conditionOf(await json('suggestion/narrow')),
      'Failed SuggestionFailed: Validation failed: ValidateAlgorithmSettings Error: Max Trial Count: 9 > all possible search combinations: 4',
    );
    assert.equal(
      conditionOf(await json('experiment/narrow')),
      'Failed ExperimentFailed: Suggestion has failed',
    );
    assert.match(await ends('grid', 'Succeeded'), /condition met/);
    const { status } = await json('experiment/grid');
    assert.equal(status.currentOptimalTrial.parameterAssignments[0].value, '0.03');
    const { items } = await json('trials -l katib.kubeflow.org/experiment=grid');
    const tried = items.map((trial: any) => trial.spec.parameterAssignments[0].value).sort();
    assert.deepEqual(tried, ['0.01', '0.02', '0.03', '0.04']);
  });

  it('tells a training that fails from one that says nothing of its metric', async () => {
    const counts = { parallelTrialCount: 1, maxTrialCount: 2 };
    await apply({ name: 'broken', training: `echo \${trialParameters.lr}; exit 3 `, counts });
    await apply({ name: 'mute', training: `echo accuracy=\${trialParameters.lr}`, counts });
    await Promise.all([ends('broken', 'Failed'), ends('mute', 'Failed')]);
    assert.equal(
      conditionOf(await json('experiment/mute')),
      'Failed ExperimentFailed: Experiment has failed because max failed count has reached',
    );
    const [mute] = (await json('trials -l katib.kubeflow.org/experiment=mute')).items;
    assert.match(
      conditionOf(mute),
      /^MetricsUnavailable MetricsUnavailable\. .*: Metrics are not available\. /,
    );
    const [broken] = (await json('trials -l katib.kubeflow.org/experiment=broken')).items;
    assert.match(
      conditionOf(broken),
      /^Failed TrialFailed\. Job reason: BackoffLimitExceeded: Trial has failed\. Job message: Job has reached the specified backoff limit$/,
    );
    assert.match(
      await sh(`kubectl get events -n tuning --field-selector involvedObject.name=${mute.metadata.name}`),
      new RegExp(
        `Warning +MetricsUnavailable +trial/\\S+ +Metrics are not available for Job ${mute.metadata.name}`,
      ),
    );
  });

  it('waits while its database is away, and says so at the trial', async () => {
    await sh(
      'kubectl scale -n kubeflow deployment katib-mysql --replicas=0; kubectl wait -n kubeflow pod -l katib.kubeflow.org/component=mysql --for=delete',
    );
    await apply({ name: 'waiting', retain: true, counts: { parallelTrialCount: 1, maxTrialCount: 1 } });
    const collector =
      'kubectl logs -n tuning -l katib.kubeflow.org/experiment=waiting -c metrics-logger-and-collector --tail=-1';
    const said = await until(collector, /Failed to Report logs/);
    assert.match(said, / loss=0\.\d+\n/);
    assert.match(
      said,
      /main\.go:455\] Failed to Report logs: rpc error: code = Unknown desc = dial tcp [\d.]+:3306: connect: connection refused/,
    );
    await sh(
      'kubectl scale -n kubeflow deployment katib-mysql --replicas=1; kubectl delete experiment -n tuning waiting --timeout=30s',
    );
    assert.match(
      await sh('kubectl get trials -n tuning -l katib.kubeflow.org/experiment=waiting'),
      /No resources/,
    );
  });

  it('makes the algorithm service again when it is deleted, and says what it is refused', async () => {
    await apply({
      name: 'tended',
      training: `sleep 600 # \${trialParameters.lr}`,
      counts: { maxTrialCount: 2 },
    });
    assert.match(await ends('tended', 'Running'), /condition met/);
    const [deployment] = (await json('deployments')).items;
    assert.equal(deployment.metadata.ownerReferences[0].kind, 'Suggestion');
    assert.equal(
      await sh('kubectl get service -n tuning tended-random -o jsonpath="{.spec.ports[*].name}"'),
      'suggestion-api',
    );
    const [pod] = (await json('pods -l katib.kubeflow.org/trial')).items;
    assert.deepEqual(
      pod.spec.containers.map(({ name }: any) => name),
      ['training', 'metrics-logger-and-collector'],
    );
    assert.equal(await sh(`kubectl logs -n tuning ${pod.metadata.name} -c training`), '');
    const uid = 'kubectl get deployment -n tuning tended-random -o jsonpath="{.metadata.uid}"';
    const first = await sh(uid);
    await sh('kubectl delete deployment -n tuning tended-random');
    const second = await until(uid, /^[0-9a-f-]{36}$/);
    assert.notEqual(second, first);
    await sh(
      `kubectl patch clusterrole katib-controller --type=json -p='[{"op":"replace","path":"/rules/8/verbs","value":["get","list","watch"]}]'`,
    );
    await apply({ name: 'forbidden' });
    const log = await until(
      'kubectl logs -n kubeflow deploy/katib-controller',
      /cannot create resource \\"jobs/,
    );
    assert.match(
      log,
      /"logger":"trial-controller","msg":"Reconcile trial error".*User \\"system:serviceaccount:kubeflow:katib-controller\\" cannot create resource \\"jobs\\" in API group \\"batch\\" in the namespace \\"tuning\\"/,
    );
    assert.match(
      await sh('kubectl get events -n tuning'),
      /Warning +ReconcileError +trial\/forbidden-\S+ +Failed to reconcile: jobs\.batch is forbidden/,
    );
  });
});
