import { deepEqual } from '#base/json.ts';
import { type FieldError, forbiddenField, invalidField } from '#kube/field-error.ts';
import { isPercent } from '#kube/int-or-string.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import type { DeploymentSpec, DeploymentStrategy } from '#kube/kinds/apps/deployment-spec.ts';
import { percentProblems } from '#kube/names.ts';
import { specChanged } from '#apiserver/generation.ts';
import { IMMUTABLE } from '#apiserver/metadata.ts';
import { notNegative } from '#apiserver/pod-spec/checks.ts';
import { setTemplateDefaults } from '#apiserver/pod-spec/defaults.ts';
import { intOrString, invalidLiteral, labelSelector } from '#apiserver/strategies/literals.ts';
import {
  selectorErrors,
  statusCountErrors,
  statusStrategy,
  workloadTemplateErrors,
} from '#apiserver/strategies/workloads.ts';
import { strategyOf } from '#apiserver/strategy.ts';

const DEFAULT_HISTORY = 10;
const DEFAULT_DEADLINE_SECONDS = 600;
const DEFAULT_PACE = '25%';

const COUNTS = ['updatedReplicas', 'readyReplicas', 'availableReplicas'];
const STATUS_DETAIL = 'cannot be greater than status.replicas';

export const deploymentStrategy = strategyOf(Deployment, {
  isNewGeneration: (object, old) =>
    specChanged(object, old) || !deepEqual(object.metadata.annotations, old.metadata.annotations),
  setDefaults({ spec }) {
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= DEFAULT_HISTORY;
    spec.progressDeadlineSeconds ??= DEFAULT_DEADLINE_SECONDS;
    spec.strategy = { ...spec.strategy };
    spec.strategy.type ??= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate') {
      const { maxUnavailable = DEFAULT_PACE, maxSurge = DEFAULT_PACE } = spec.strategy.rollingUpdate ?? {};
      spec.strategy.rollingUpdate = { maxUnavailable, maxSurge };
    }
    setTemplateDefaults(spec.template);
  },
  validate: ({ spec }) => specErrors(spec),
  validateUpdate: ({ spec }, { spec: old }) => [...specErrors(spec), ...selectorChangeErrors(spec, old)],
  subresources: {
    status: statusStrategy((object) => {
      const { status = {} } = object as Deployment;
      return statusCountErrors(status, COUNTS, STATUS_DETAIL);
    }),
  },
});

function selectorChangeErrors({ selector }: DeploymentSpec, { selector: old }: DeploymentSpec): FieldError[] {
  return deepEqual(selector, old) ? [] : [invalidLiteral('spec.selector', labelSelector(selector), IMMUTABLE)];
}

function specErrors(spec: DeploymentSpec): FieldError[] {
  const { replicas, selector, template, strategy = {}, minReadySeconds = 0 } = spec;
  const { revisionHistoryLimit, progressDeadlineSeconds: deadline } = spec;
  const errors = [
    ...notNegative('spec.replicas', replicas),
    ...selectorErrors(selector, 'spec.selector', 'deployment'),
    ...workloadTemplateErrors(template, selector, 'spec.template'),
    ...strategyErrors(strategy, 'spec.strategy'),
    ...notNegative('spec.minReadySeconds', minReadySeconds),
    ...notNegative('spec.revisionHistoryLimit', revisionHistoryLimit),
    ...notNegative('spec.progressDeadlineSeconds', deadline),
  ];
  if (deadline === undefined || deadline > minReadySeconds) return errors;
  return [...errors, invalidField('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')];
}

function strategyErrors(strategy: DeploymentStrategy, path: string): FieldError[] {
  const type: string = strategy.type ?? '';
  if (type === 'Recreate') {
    if (!strategy.rollingUpdate) return [];
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    return [forbiddenField(`${path}.rollingUpdate`, detail)];
  }
  if (type === 'RollingUpdate') return paceErrors(strategy.rollingUpdate ?? {}, `${path}.rollingUpdate`);
  const literal = `apps.DeploymentStrategy{Type:${JSON.stringify(type)}, RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}`;
  const message = `Unsupported value: ${literal}: supported values: "Recreate", "RollingUpdate"`;
  return [{ field: path, reason: 'FieldValueNotSupported', message }];
}

type Pace = NonNullable<DeploymentStrategy['rollingUpdate']>;

function paceErrors({ maxUnavailable = 0, maxSurge = 0 }: Pace, path: string): FieldError[] {
  const errors = [
    ...shareErrors(maxUnavailable, `${path}.maxUnavailable`),
    ...shareErrors(maxSurge, `${path}.maxSurge`),
  ];
  if (amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0) {
    const detail = 'may not be 0 when `maxSurge` is 0';
    errors.push(invalidLiteral(`${path}.maxUnavailable`, intOrString(maxUnavailable), detail));
  }
  if (isPercent(maxUnavailable) && amountOf(maxUnavailable) > 100) {
    const detail = 'must not be greater than 100%';
    errors.push(invalidLiteral(`${path}.maxUnavailable`, intOrString(maxUnavailable), detail));
  }
  return errors;
}

/** A number that is not negative, or a percentage. */
function shareErrors(value: number | string, path: string): FieldError[] {
  if (typeof value === 'number') return notNegative(path, value);
  return percentProblems(value).map((problem) => invalidLiteral(path, intOrString(value), problem));
}

function amountOf(value: number | string): number {
  return typeof value === 'number' ? value : isPercent(value) ? Number(value.slice(0, -1)) : Number.NaN;
}
