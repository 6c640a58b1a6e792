// Who may do what: roles, bindings, reviews and tokens, in the words of a recorded v1.36.2.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster({ controlPlaneOnly: true });
const skip = NO_KUBECTL;
const type = async (text: string) => transcript(await cluster(), text);

const ROBOT = '--as=system:serviceaccount:access:robot';

test('a role lets its subject do what it says and nothing else', { skip }, () =>
  type(`
    $ kubectl create ns access
    namespace/access created

    $ kubectl -n access create sa robot
    serviceaccount/robot created

    $ kubectl -n access create role r --verb=get,list --resource=pods,pods/log
    role.rbac.authorization.k8s.io/r created

    $ kubectl -n access create rolebinding rb --role=r --serviceaccount=access:robot
    rolebinding.rbac.authorization.k8s.io/rb created

    $ kubectl -n access get role,rolebinding -o wide
    NAME CREATED AT
    role.rbac.authorization.k8s.io/r …

    NAME ROLE AGE USERS GROUPS SERVICEACCOUNTS
    rolebinding.rbac.authorization.k8s.io/rb Role/r … access/robot

    $ kubectl -n access auth can-i list pods ${ROBOT}
    yes

    $ kubectl -n access auth can-i create pods ${ROBOT}
    no
    [exit 1]

    $ kubectl -n access get pods ${ROBOT}
    No resources found in access namespace.

    $ kubectl -n access create cm z ${ROBOT}
    error: failed to create configmap: configmaps is forbidden: User "system:serviceaccount:access:robot" cannot create resource "configmaps" in API group "" in the namespace "access"
    [exit 1]

    $ kubectl get nodes --as=jane
    Error from server (Forbidden): nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope
    [exit 1]

    $ kubectl -n access get secrets --as=jane --as-group=devs
    Error from server (Forbidden): secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "access"
    [exit 1]

    $ kubectl get --raw /metrics --as=jane
    Error from server (Forbidden): forbidden: User "jane" cannot get path "/metrics"
    [exit 1]
  `),
);

test('a rule for one name holds for that name only', { skip }, () =>
  type(`
    $ kubectl create clusterrole one --verb=get --resource=nodes --resource-name=a
    clusterrole.rbac.authorization.k8s.io/one created

    $ kubectl create clusterrolebinding one --clusterrole=one --user=jane --group=devs
    clusterrolebinding.rbac.authorization.k8s.io/one created

    $ kubectl get node a --as=jane
    Error from server (NotFound): nodes "a" not found
    [exit 1]

    $ kubectl get node b --as=jane
    Error from server (Forbidden): nodes "b" is forbidden: User "jane" cannot get resource "nodes" in API group "" at the cluster scope
    [exit 1]

    $ kubectl auth whoami --as=jane --as-group=devs
    ATTRIBUTE   VALUE
    Username    jane
    Groups      [devs system:authenticated]
  `),
);

test('nobody grants what they do not hold, unless they may escalate or bind', { skip }, () =>
  type(`
    $ kubectl create ns grants
    namespace/grants created

    $ kubectl create clusterrole role-maker --verb=create,update --resource=roles,rolebindings
    clusterrole.rbac.authorization.k8s.io/role-maker created

    $ kubectl -n grants create rolebinding maker --clusterrole=role-maker --user=ann
    rolebinding.rbac.authorization.k8s.io/maker created

    $ kubectl -n grants create role mine --verb=create --resource=roles.rbac.authorization.k8s.io --as=ann
    role.rbac.authorization.k8s.io/mine created

    $ kubectl -n grants create role more --verb=get --resource=pods --as=ann
    Error from server (Forbidden): roles.rbac.authorization.k8s.io "more" is forbidden: user "ann" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
    {APIGroups:[""], Resources:["pods"], Verbs:["get"]}
    [exit 1]

    $ kubectl -n grants create rolebinding more --clusterrole=view --user=x --as=ann
    error: failed to create rolebinding: rolebindings.rbac.authorization.k8s.io "more" is forbidden: user "ann" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
    ...
    [exit 1]

    $ kubectl create clusterrole view-binder --verb=bind --resource=clusterroles --resource-name=view
    clusterrole.rbac.authorization.k8s.io/view-binder created

    $ kubectl create clusterrolebinding ann-binds --clusterrole=view-binder --user=ann
    clusterrolebinding.rbac.authorization.k8s.io/ann-binds created

    $ kubectl -n grants create rolebinding more --clusterrole=view --user=x --as=ann
    rolebinding.rbac.authorization.k8s.io/more created
  `),
);

test('a token speaks for its service account until the account goes', { skip }, () =>
  type(`
    $ kubectl create ns tokens
    namespace/tokens created

    $ kubectl -n tokens create sa robot
    serviceaccount/robot created

    $ kubectl -n tokens create rolebinding view --clusterrole=view --serviceaccount=tokens:robot
    rolebinding.rbac.authorization.k8s.io/view created

    $ kubectl -n tokens create token robot --duration=60s
    …may not specify a duration less than 10 minutes
    [exit 1]

    $ kubectl -n tokens create token robot --duration=600s > token; tr -cd . < token | wc -c
    2

    $ grep -v client- "$KUBECONFIG" > plain; kubectl --kubeconfig plain --token "$(cat token)" auth whoami | head -3
    ATTRIBUTE VALUE
    Username system:serviceaccount:tokens:robot
    UID …

    $ kubectl --kubeconfig plain --token "$(cat token)" -n tokens get secrets
    Error from server (Forbidden): secrets is forbidden: User "system:serviceaccount:tokens:robot" cannot list resource "secrets" in API group "" in the namespace "tokens"
    [exit 1]

    $ kubectl --kubeconfig plain --token "$(cat token)" -n tokens get configmaps --field-selector metadata.name!=kube-root-ca.crt
    No resources found in tokens namespace.

    $ kubectl -n tokens delete sa robot
    serviceaccount "robot" deleted…

    $ kubectl --kubeconfig plain --token "$(cat token)" -n tokens get configmaps
    error: You must be logged in to the server (Unauthorized)
    [exit 1]
  `),
);
