// Workloads as a learner drives them with kubectl: rollouts, scaling, jobs, volumes, and what the scheduler says.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster();
const skip = NO_KUBECTL;
const IMAGE = 'docker.io/library/busybox:1.35';

test('a deployment rolls out, is updated, undone and restarted', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create ns roll
    namespace/roll created

    $ cat <<'Y' | kubectl -n roll apply -f -
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      replicas: 2
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          terminationGracePeriodSeconds: 0
          containers: [{name: c, image: '${IMAGE}', imagePullPolicy: IfNotPresent, command: [sh, -c, 'sleep 3600']}]
    Y
    deployment.apps/web created

    $ kubectl -n roll rollout status deploy/web --timeout=40s
    ...
    deployment "web" successfully rolled out

    $ kubectl -n roll get deploy web -o wide
    NAME READY UP-TO-DATE AVAILABLE AGE CONTAINERS IMAGES SELECTOR
    web 2/2 2 2 … c ${IMAGE} app=web

    $ kubectl -n roll describe deploy web
    Name:                   web
    ...
    Replicas:               2 desired | 2 updated | 2 total | 2 available | 0 unavailable
    StrategyType:           RollingUpdate
    MinReadySeconds:        0
    RollingUpdateStrategy:  25% max unavailable, 25% max surge
    ...
    Conditions:
      Type           Status  Reason
      ----           ------  ------
      Available      True    MinimumReplicasAvailable
      Progressing    True    NewReplicaSetAvailable
    OldReplicaSets:  <none>
    NewReplicaSet:   web-… (2/2 replicas created)
    Events:
      Type    Reason             Age   From                   Message
      ----    ------             ----  ----                   -------
      Normal  ScalingReplicaSet  …  deployment-controller  Scaled up replica set web-… from 0 to 2

    $ kubectl -n roll set image deploy/web c=registry.k8s.io/nope:1
    deployment.apps/web image updated

    $ kubectl -n roll rollout status deploy/web --timeout=2s
    ...
    Waiting for deployment "web" rollout to finish: 1 out of 2 new replicas have been updated...
    error: timed out waiting for the condition
    [exit 1]

    $ kubectl -n roll get deploy web
    NAME READY UP-TO-DATE AVAILABLE AGE
    web 2/2 1 2 …

    $ kubectl -n roll rollout undo deploy/web
    ...
    deployment.apps/web rolled back

    $ kubectl -n roll rollout status deploy/web --timeout=40s
    ...
    deployment "web" successfully rolled out

    $ kubectl -n roll rollout history deploy/web
    deployment.apps/web…
    REVISION  CHANGE-CAUSE
    2         <none>
    3         <none>

    $ kubectl -n roll rollout restart deploy/web
    deployment.apps/web restarted

    $ kubectl -n roll rollout status deploy/web --timeout=40s
    ...
    deployment "web" successfully rolled out

    $ kubectl -n roll scale deploy/web --replicas=0
    deployment.apps/web scaled

    $~ kubectl -n roll get pods
    No resources found in roll namespace.

    $ kubectl -n roll delete deploy web
    deployment.apps "web" deleted…

    $~ kubectl -n roll get rs
    No resources found in roll namespace.

    $ kubectl delete ns roll --wait=false
    namespace "roll" deleted
    `,
  );
});

test('a pod that does not fit is Pending with its reason, and starts when room is made', {
  skip,
}, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create ns room
    namespace/room created

    $ cat <<'Y' | kubectl -n room apply -f -
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: big}
    spec:
      replicas: 1
      selector: {matchLabels: {app: big}}
      template:
        metadata: {labels: {app: big}}
        spec:
          terminationGracePeriodSeconds: 0
          containers: [{name: c, image: '${IMAGE}', imagePullPolicy: IfNotPresent, command: [sh, -c, 'sleep 3600'], resources: {requests: {cpu: '1'}}}]
    Y
    deployment.apps/big created

    $ kubectl -n room rollout status deploy/big --timeout=40s
    ...
    deployment "big" successfully rolled out

    $ cat <<'Y' | kubectl -n room apply -f -
    ---
    apiVersion: v1
    kind: Pod
    metadata: {name: late}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: c, image: '${IMAGE}', imagePullPolicy: IfNotPresent, command: [sh, -c, 'sleep 3600'], resources: {requests: {cpu: '1'}}}]
    Y
    pod/late created

    $~ kubectl -n room describe pod late
    Name:             late
    ...
    Node:             <none>
    ...
    Status:           Pending
    ...
    Events:
      Type     Reason            Age   From               Message
      ----     ------            ----  ----               -------
      Warning  FailedScheduling  …  default-scheduler  0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.

    $ kubectl -n room scale deploy/big --replicas=0
    deployment.apps/big scaled

    $ kubectl -n room wait pod/late --for=condition=Ready --timeout=20s
    pod/late condition met

    $ kubectl -n room get events --field-selector involvedObject.name=late,reason=Scheduled -o custom-columns=FROM:.reportingComponent,MSG:.message
    FROM                MSG
    default-scheduler   Successfully assigned room/late to …

    $ kubectl delete ns room --wait=false
    namespace "room" deleted
    `,
  );
});

test('jobs and stateful sets reach their ends, with volumes from the default class', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create ns work
    namespace/work created

    $ cat <<'Y' | kubectl -n work apply -f -
    ---
    apiVersion: batch/v1
    kind: Job
    metadata: {name: good}
    spec: {completions: 2, parallelism: 2, template: {spec: {restartPolicy: Never, containers: [{name: c, image: '${IMAGE}', command: [sh, -c, 'echo $((19+23))']}]}}}
    ---
    apiVersion: batch/v1
    kind: Job
    metadata: {name: bad}
    spec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: c, image: '${IMAGE}', command: [sh, -c, 'exit 1']}]}}}
    ---
    apiVersion: apps/v1
    kind: StatefulSet
    metadata: {name: ss}
    spec:
      serviceName: ss
      replicas: 2
      selector: {matchLabels: {a: ss}}
      template:
        metadata: {labels: {a: ss}}
        spec:
          terminationGracePeriodSeconds: 0
          containers: [{name: x, image: '${IMAGE}', command: [sh, -c, 'sleep 3600'], volumeMounts: [{name: d, mountPath: /d}]}]
      volumeClaimTemplates: [{metadata: {name: d}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]
    Y
    job.batch/good created
    job.batch/bad created
    statefulset.apps/ss created

    $ kubectl -n work wait job/good --for=condition=Complete --timeout=40s
    job.batch/good condition met

    $ kubectl -n work wait job/bad --for=condition=Failed --timeout=40s
    job.batch/bad condition met

    $ kubectl -n work get jobs
    NAME STATUS COMPLETIONS DURATION AGE
    bad Failed 0/1 … …
    good Complete 2/2 … …

    $ kubectl -n work describe job bad
    Name:             bad
    ...
    Pods Statuses:    0 Active (0 Ready) / 0 Succeeded / 1 Failed
    ...
    Events:
      Type     Reason                Age   From            Message
      ----     ------                ----  ----            -------
      Normal   SuccessfulCreate      …   job-controller  Created pod: bad-…
      Warning  BackoffLimitExceeded  …   job-controller  Job has reached the specified backoff limit

    $ kubectl -n work logs job/good --tail=1
    Found 2 pods, using pod/good-…
    42

    $ kubectl -n work rollout status sts/ss --timeout=40s
    ...
    partitioned roll out complete: 2 new pods have been updated...

    $ kubectl -n work get sts,pvc
    NAME READY AGE
    statefulset.apps/ss 2/2 …

    NAME STATUS VOLUME CAPACITY ACCESS MODES STORAGECLASS VOLUMEATTRIBUTESCLASS AGE
    persistentvolumeclaim/d-ss-0 Bound pvc-… 1Gi RWO standard <unset> …
    persistentvolumeclaim/d-ss-1 Bound pvc-… 1Gi RWO standard <unset> …

    $ kubectl -n work get events --field-selector involvedObject.kind=StatefulSet -o custom-columns=MSG:.message
    MSG
    Create Claim d-ss-0 Pod ss-0 in StatefulSet ss success
    Create Pod ss-0 in StatefulSet ss successful
    Create Claim d-ss-1 Pod ss-1 in StatefulSet ss success
    Create Pod ss-1 in StatefulSet ss successful

    $ kubectl delete ns work --wait=false
    namespace "work" deleted

    $~ kubectl get pv
    No resources found
    `,
  );
});

test('a drained node refuses what comes and empties itself of what may go', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create ns drain
    namespace/drain created

    $ cat <<'Y' | kubectl -n drain apply -f -
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      replicas: 1
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          terminationGracePeriodSeconds: 0
          containers: [{name: c, image: '${IMAGE}', imagePullPolicy: IfNotPresent, command: [sh, -c, 'sleep 3600']}]
    Y
    deployment.apps/web created

    $ kubectl -n drain rollout status deploy/web --timeout=40s
    ...
    deployment "web" successfully rolled out

    $ kubectl -n drain create pdb p --selector=app=web --min-available=1
    poddisruptionbudget.policy/p created

    $~ kubectl -n drain get pdb
    NAME MIN AVAILABLE MAX UNAVAILABLE ALLOWED DISRUPTIONS AGE
    p 1 N/A 0 …

    $ kubectl drain $(kubectl get nodes -o name | head -1) --ignore-daemonsets --force --pod-selector=app=web --timeout=2s
    ...
    error when evicting pods/"web-…" -n "drain" (will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget.
    ...
    [exit 1]

    $ kubectl -n drain delete pod -l app=web
    pod "web-…" deleted…

    $~ kubectl -n drain get events --field-selector reason=FailedScheduling -o custom-columns=MSG:.message
    MSG
    0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.

    $ kubectl uncordon $(kubectl get nodes -o name | head -1)
    node/… uncordoned

    $ kubectl -n drain rollout status deploy/web --timeout=20s
    ...
    deployment "web" successfully rolled out

    $ kubectl delete ns drain --wait=false
    namespace "drain" deleted
    `,
  );
});
