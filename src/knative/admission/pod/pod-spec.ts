/** The pod as a whole: fields behind flags, containers and their roles, volumes. */
import { dnsSubdomainProblems } from '#kube/names.ts';
import {
  disallowedField,
  type FieldErrors,
  fieldError,
  invalidValue,
  missingField,
  noErrors,
  via,
  viaIndex,
} from '#knative/field-error.ts';
import { type FeatureName, type FeaturesConfig, hasSecureDefaults } from '#knative/config/features.ts';
import type { Container, RevisionSpec } from '#knative/kinds/revision-spec.ts';
import {
  type ContainerContext,
  validateInitContainer,
  validateServingContainer,
  validateSidecar,
} from '#knative/admission/pod/container.ts';
import { servingPortName, validatePortCount } from '#knative/admission/pod/ports.ts';
import { validatePodSecurityContext, warnInsecure } from '#knative/admission/pod/security.ts';
import { validateVolumes } from '#knative/admission/pod/volumes.ts';

/** Fields that the flag must let through: anything but Disabled does. */
const FLAGS = {
  affinity: 'podSpecAffinity',
  topologySpreadConstraints: 'podSpecTopologySpreadConstraints',
  hostAliases: 'podSpecHostAliases',
  nodeSelector: 'podSpecNodeSelector',
  runtimeClassName: 'podSpecRuntimeClassName',
  tolerations: 'podSpecTolerations',
  securityContext: 'podSpecSecurityContext',
  shareProcessNamespace: 'podSpecShareProcessNamespace',
  priorityClassName: 'podSpecPriorityClassName',
  schedulerName: 'podSpecSchedulerName',
  initContainers: 'podSpecInitContainers',
  dnsPolicy: 'podSpecDnsPolicy',
  dnsConfig: 'podSpecDnsConfig',
  hostIPC: 'podSpecHostIpc',
  hostPID: 'podSpecHostPid',
  hostNetwork: 'podSpecHostNetwork',
} as const satisfies Partial<Record<keyof RevisionSpec, FeatureName>>;

type GatedField = keyof typeof FLAGS;

export function validatePodSpec(spec: RevisionSpec, features: FeaturesConfig): FieldErrors {
  const { initContainers = [], volumes = [], serviceAccountName = '', securityContext } = spec;
  // A list that is absent or null was refused by the schema before.
  const containers = spec.containers ?? [];
  const context = { features, volumes, servingPortName: servingPortName(containers) };
  return [
    ...validateGates(spec, features),
    ...(securityContext ? via('securityContext', validatePodSecurityContext(securityContext, features)) : noErrors),
    ...warnAll('containers', spec, features),
    ...warnAll('initContainers', spec, features),
    ...validateVolumes(volumes, [...initContainers, ...containers], features),
    ...validateInitContainers(initContainers, containers, context),
    ...validatePortCount(containers),
    ...validateContainers(containers, context),
    ...(serviceAccountName === '' ? noErrors : validateServiceAccount(serviceAccountName)),
  ];
}

function validateGates(spec: RevisionSpec, features: FeaturesConfig): FieldErrors {
  const isClosed = (field: GatedField) => {
    if (field === 'securityContext' && hasSecureDefaults(features)) return false;
    return spec[field] !== undefined && features[FLAGS[field]] === 'Disabled';
  };
  const refused: string[] = (Object.keys(FLAGS) as GatedField[]).filter(isClosed);
  if (spec.automountServiceAccountToken === true) refused.push('automountServiceAccountToken');
  return refused.length === 0 ? noErrors : disallowedField(...refused);
}

function warnAll(field: 'containers' | 'initContainers', spec: RevisionSpec, features: FeaturesConfig): FieldErrors {
  return (spec[field] ?? []).flatMap(({ securityContext }, index) => {
    return viaIndex(
      field,
      index,
      via('securityContext', warnInsecure(spec.securityContext, securityContext, features)),
    );
  });
}

/** Paths of errors say `containers` here as well, as Knative's do. */
function validateInitContainers(
  initContainers: readonly Container[],
  containers: readonly Container[],
  context: ContainerContext,
): FieldErrors {
  const count = initContainers.length;
  if (count === 0) return noErrors;
  if (context.features.podSpecInitContainers !== 'Enabled') {
    return fieldError(`pod spec support for init-containers is off, but found ${count} init containers`, []);
  }
  const names = new Set(containers.map(({ name }) => name));
  return initContainers.flatMap((container, index) => {
    const ofName = names.has(container.name) ? duplicateName(container.name) : noErrors;
    return viaIndex('containers', index, [...ofName, ...validateInitContainer(container, context)]);
  });
}

function duplicateName(name: string): FieldErrors {
  return fieldError(`duplicate container name "${name}"`, 'name');
}

function validateContainers(containers: readonly Container[], context: ContainerContext): FieldErrors {
  const [only, ...others] = containers;
  if (!only) return missingField('containers');
  if (others.length === 0) return viaIndex('containers', 0, validateServingContainer(only, context));
  if (context.features.multiContainer !== 'Enabled') {
    return fieldError(`multi-container is off, but found ${containers.length} containers`, []);
  }
  return containers.flatMap((container, index) => {
    const isSecond = containers.findIndex(({ name }) => name === container.name) < index;
    const isServing = (container.ports ?? []).length > 0;
    const validate = isServing ? validateServingContainer : validateSidecar;
    const ofName = isSecond ? duplicateName(container.name) : noErrors;
    return viaIndex('containers', index, [...ofName, ...validate(container, context)]);
  });
}

function validateServiceAccount(name: string): FieldErrors {
  return dnsSubdomainProblems(name).flatMap((problem) => invalidValue(name, 'serviceAccountName', problem));
}
