/** One container, by its role: the one that requests go to, one beside it, or one that runs first. */
import {
  disallowedField,
  type FieldErrors,
  fieldError,
  invalidValue,
  missingField,
  noErrors,
  via,
} from '#knative/field-error.ts';
import type { FeaturesConfig } from '#knative/config/features.ts';
import type { Container, Volume } from '#knative/kinds/revision-spec.ts';
import { parseImageReference } from '#knative/admission/image-reference.ts';
import { validateEnv, validateEnvFrom } from '#knative/admission/pod/env.ts';
import { validateInitPorts, validatePorts } from '#knative/admission/pod/ports.ts';
import { refuseProbe, validateProbe, validateReadinessProbe } from '#knative/admission/pod/probes.ts';
import { refuseFields, validateSecurityContext } from '#knative/admission/pod/security.ts';
import { validateMounts } from '#knative/admission/pod/volumes.ts';

export type ContainerRole = 'serving' | 'sidecar' | 'init';

/** What the rules of a container need beside it. */
export interface ContainerContext {
  readonly features: FeaturesConfig;
  readonly volumes: readonly Volume[];
  /** How probes may call the port that requests arrive at. */
  readonly servingPortName: string;
}

const RESERVED_NAME = 'queue-proxy';
const TERMINATION_POLICIES = ['', 'File', 'FallbackToLogsOnError'];

const ALLOWED_FIELDS = new Set([
  'name',
  'args',
  'command',
  'env',
  'workingDir',
  'envFrom',
  'image',
  'imagePullPolicy',
  'livenessProbe',
  'ports',
  'readinessProbe',
  'resources',
  'securityContext',
  'startupProbe',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'volumeMounts',
]);

export function validateServingContainer(container: Container, context: ContainerContext): FieldErrors {
  const place = { servingPortName: context.servingPortName };
  return [
    ...via('livenessProbe', validateProbe(container.livenessProbe, place)),
    ...via('readinessProbe', validateReadinessProbe(container.readinessProbe, place)),
    ...via('startupProbe', validateProbe(container.startupProbe, place)),
    ...validateContainer(container, 'serving', context),
  ];
}

export function validateSidecar(container: Container, context: ContainerContext): FieldErrors {
  const { livenessProbe, readinessProbe, startupProbe } = container;
  const isProbed = context.features.multiContainerProbing === 'Enabled';
  const ofProbes = isProbed
    ? [
        ...via('livenessProbe', validateProbe(livenessProbe, 'sidecar')),
        ...via('readinessProbe', validateReadinessProbe(readinessProbe, 'sidecar')),
        ...via('startupProbe', validateProbe(startupProbe, 'sidecar')),
      ]
    : [...via('livenessProbe', refuseProbe(livenessProbe)), ...via('readinessProbe', refuseProbe(readinessProbe))];
  return [...ofProbes, ...validateContainer(container, 'sidecar', context)];
}

const NOT_IN_INIT = ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'];

export function validateInitContainer(container: Container, context: ContainerContext): FieldErrors {
  const wrong = NOT_IN_INIT.filter((name) => name in container);
  const errors = wrong.length > 0 ? fieldError('field not allowed in an init container', wrong) : noErrors;
  return [...errors, ...validateContainer(container, 'init', context)];
}

function validateContainer(container: Container, role: ContainerRole, context: ContainerContext): FieldErrors {
  const { name, ports = [], securityContext, volumeMounts = [] } = container;
  const { features, volumes } = context;
  return [
    ...refuseFields(container, (field) => ALLOWED_FIELDS.has(field)),
    ...(name === RESERVED_NAME ? fieldError(`"${name}" is a reserved container name`, 'name') : noErrors),
    ...validateEnv(container.env ?? [], role, features),
    ...validateEnvFrom(container.envFrom ?? []),
    ...validateImage(container.image ?? ''),
    ...(role === 'init' ? validateInitPorts(ports) : validatePorts(ports)),
    ...via('resources', refuseClaims(container.resources)),
    ...(securityContext ? via('securityContext', validateSecurityContext(securityContext, features)) : noErrors),
    ...validateTerminationPolicy(container.terminationMessagePolicy ?? ''),
    ...validateMounts(volumeMounts, volumes),
  ];
}

/** The schema of init containers is open, so claims may still be there. */
function refuseClaims(resources: object): FieldErrors {
  return 'claims' in resources ? disallowedField('claims') : noErrors;
}

function validateImage(image: string): FieldErrors {
  if (image === '') return missingField('image');
  const reference = parseImageReference(image);
  if (!(reference instanceof Error)) return noErrors;
  const details = `image: ${JSON.stringify(image)}, error: ${reference.message}`;
  return fieldError('Failed to parse image reference', 'image', details);
}

function validateTerminationPolicy(policy: string): FieldErrors {
  return TERMINATION_POLICIES.includes(policy) ? noErrors : invalidValue(policy, 'terminationMessagePolicy');
}
