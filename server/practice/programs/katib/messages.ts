// Katib's gRPC messages (api.v1.beta1) as far as its parts here exchange them, by upstream's field numbers, and their calls.

import { callGrpc, DialError, GRPC, GrpcError } from '../../network/index.ts';
import type { Container } from '../types.ts';
import { decode, double, encode, integer, listOf, type Message, of, text } from './protobuf.ts';

const NameValue: Message = { name: text(1), value: text(2) };
const MetricLog: Message = { timeStamp: text(1), metric: of(2, NameValue) };
const ObservationLog: Message = { metricLogs: listOf(1, MetricLog) };
const FeasibleSpace: Message = {
  max: text(1),
  min: text(2),
  list: listOf(3, 'text'),
  step: text(4),
  distribution: integer(5),
};
const ParameterSpec: Message = {
  name: text(1),
  parameterType: integer(2),
  feasibleSpace: of(3, FeasibleSpace),
};
const Objective: Message = {
  type: integer(1),
  goal: double(2),
  objectiveMetricName: text(3),
  additionalMetricNames: listOf(4, 'text'),
};
const Algorithm: Message = { algorithmName: text(1), algorithmSettings: listOf(2, NameValue) };
const Experiment: Message = {
  name: text(1),
  spec: of(2, {
    parameterSpecs: of(1, { parameters: listOf(1, ParameterSpec) }),
    objective: of(2, Objective),
    algorithm: of(3, Algorithm),
    parallelTrialCount: integer(6),
    maxTrialCount: integer(7),
  }),
};
const Assignments: Message = { assignments: listOf(1, NameValue) };
const Trial: Message = {
  name: text(1),
  spec: of(2, { objective: of(2, Objective), parameterAssignments: of(3, Assignments) }),
  status: of(3, { observation: of(4, { metrics: listOf(1, NameValue) }) }),
};

interface Method {
  path: string;
  request: Message;
  reply: Message;
}

const method = (name: string, request: Message, reply: Message): Method => ({
  path: `/api.v1.beta1.${name}`,
  request,
  reply,
});

export const reportObservationLog = method(
  'DBManager/ReportObservationLog',
  { trialName: text(1), observationLog: of(2, ObservationLog) },
  {},
);
export const getObservationLog = method(
  'DBManager/GetObservationLog',
  { trialName: text(1), metricName: text(2) },
  { observationLog: of(1, ObservationLog) },
);
export const deleteObservationLog = method('DBManager/DeleteObservationLog', { trialName: text(1) }, {});
export const getSuggestions = method(
  'Suggestion/GetSuggestions',
  {
    experiment: of(1, Experiment),
    trials: listOf(2, Trial),
    currentRequestNumber: integer(4),
    totalRequestNumber: integer(5),
  },
  { parameterAssignments: listOf(1, Assignments) },
);
export const validateAlgorithmSettings = method(
  'Suggestion/ValidateAlgorithmSettings',
  { experiment: of(1, Experiment) },
  {},
);

export interface NamedValue {
  name: string;
  value: string;
}

export interface LoggedMetric {
  timeStamp: string;
  metric: NamedValue;
}

/** The numbers of parameter types and objective types. */
export const PARAMETER_TYPES = ['', 'double', 'int', 'discrete', 'categorical'];
export const OBJECTIVE_TYPES = ['', 'minimize', 'maximize'];
export const DISTRIBUTIONS = ['', 'uniform', 'logUniform', 'normal', 'logNormal'];

/** What a server does about a method, for `serveGrpc`. */
export const answering = (
  { path, request, reply }: Method,
  answer: (request: any) => object | Promise<object>,
) => ({
  [path]: async (bytes: Buffer) => encode(reply, await answer(decode(request, bytes))),
});

/** Calls a server of the cluster; `address` is `host:port`. Rejects with a GrpcError, also when nobody listens. */
export async function call(
  container: Container,
  address: string,
  { path, request, reply }: Method,
  message: object,
): Promise<any> {
  const [host = '', port = ''] = address.split(':');
  let stream: Awaited<ReturnType<Container['network']['dial']>>;
  try {
    stream = await container.network.dial(host, Number(port));
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    throw new GrpcError(
      GRPC.unavailable,
      error.reason === 'no such host'
        ? `dns: A record lookup error: lookup ${host} on 10.96.0.10:53: no such host`
        : `connection error: desc = "transport: Error while dialing: ${error.message}"`,
    );
  }
  return decode(reply, await callGrpc(stream, path, encode(request, message), address));
}
