/** Admission as recorded from Knative 1.17, case by case, step by step. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultConfigMaps, parseKnativeConfig } from '#knative/config/all.ts';
import { controllerRefTo } from '#kube/owner.ts';
import type { KubeObject } from '#kube/object.ts';
import { AdmissionEmulator } from '#testing/admission-emulator.ts';
import {
  fillIn,
  loadOracleCases,
  type OracleAnswer,
  type OracleCase,
  oracleDifferences,
  type OracleStep,
  rulesOf,
} from '#testing/oracle.ts';
import { Normaliser } from '#testing/oracle-normaliser.ts';

const NAMESPACE = 'o1234abcd';
const USER = 'system:admin';

/** Steps that are about the API server alone: case → step, counted from 1 → what it is about. */
const NOT_ADMISSION: Record<string, Record<number, string>> = {
  'admit-service-schema': {
    10: 'apiVersion of body and URL differ: the server refuses it before any webhook',
    11: 'a body that is no JSON',
  },
  'config-example-edited': { 3: 'patch of an object that is not there', 6: 'DELETE, which no webhook is asked about' },
};

for (const oracleCase of loadOracleCases('serving', /^(admit|config|update)-/)) {
  test(`${oracleCase.name}: ${oracleCase.why}`, () => runCase(oracleCase));
}

function runCase({ name, config = {}, steps, ...rules }: OracleCase): void {
  const emulator = new AdmissionEmulator({ user: USER, config: configWith(config) });
  const normaliser = new Normaliser({ namespace: NAMESPACE, user: USER });
  for (const configMap of defaultConfigMaps('devel'))
    emulator.store({ ...configMap, metadata: { ...configMap.metadata, resourceVersion: '1' } });
  const differences: string[] = [];
  steps.forEach((step, index) => {
    const number = index + 1;
    if (step.request === undefined || NOT_ADMISSION[name]?.[number]) return;
    const request = fillIn(step.request, { ns: NAMESPACE });
    const prefix = (request.body as KubeObject | undefined)?.metadata?.generateName;
    if (prefix) normaliser.expectGenerated(prefix);
    const answer = emulator.answer(request);
    assert.ok(answer, `step ${number}: nobody answers ${request.method} ${request.path}`);
    normaliser.learn(answer.body);
    differences.push(...compare({ step, answer, normaliser, rules }).map((text) => `step ${number} ${text}`));
    if (answer.status === 201) makeChildren(emulator, answer.body as KubeObject);
  });
  assert.equal(differences.join('\n'), '');
}

interface Comparison {
  readonly step: OracleStep;
  readonly answer: OracleAnswer;
  readonly normaliser: Normaliser;
  readonly rules: Pick<OracleCase, 'ignore' | 'subset' | 'mode'>;
}

function compare({ step, answer, normaliser, rules }: Comparison): string[] {
  return oracleDifferences(step.recorded, normaliser.normalise(answer), rulesOf(rules, step));
}

function configWith(changes: NonNullable<OracleCase['config']>) {
  const configMaps = Object.entries(changes).map(([name, data]) => ({ metadata: { name }, data: { ...data } }));
  return parseKnativeConfig(configMaps, {
    onError: (_, error) => {
      throw error;
    },
  });
}

/** What the Configuration controller would have made by the time of the next step. */
function makeChildren(emulator: AdmissionEmulator, owner: KubeObject): void {
  if (owner.kind !== 'Configuration' || owner.metadata.resourceVersion === undefined) return;
  const { template } = (owner as KubeObject & { spec: { template: { spec: unknown } } }).spec;
  const { name = '', namespace, uid = '' } = owner.metadata;
  emulator.store({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: {
      name: `${name}-00001`,
      namespace,
      generation: 1,
      resourceVersion: '2',
      labels: {
        'serving.knative.dev/configuration': name,
        'serving.knative.dev/configurationGeneration': '1',
        'serving.knative.dev/configurationUID': uid,
        'serving.knative.dev/routingState': 'pending',
      },
      annotations: {
        'serving.knative.dev/creator': USER,
        'serving.knative.dev/routingStateModified': '2026-01-01T00:00:00Z',
      },
      ownerReferences: [controllerRefTo(owner)],
    },
    spec: template.spec,
  });
}
