/** config-defaults: what a Revision gets where its spec says nothing, and the bounds of what it may say. */
import type { ObjectMeta } from '#kube/object.ts';
import { type FieldErrors, outOfBounds, renderErrors } from '#knative/field-error.ts';
import { MAX_INT32 } from '#knative/go/numbers.ts';
import { parseTemplate, struct, type Template } from '#knative/go/template.ts';
import { type ConfigData, ConfigError, ConfigReader, INT64 } from '#knative/config/read.ts';

/** Quantities as they were written; absent where nothing is set. */
export interface DefaultResources {
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly 'ephemeral-storage'?: string | undefined;
}

export interface DefaultsConfig {
  readonly revisionTimeoutSeconds: number;
  readonly maxRevisionTimeoutSeconds: number;
  readonly revisionResponseStartTimeoutSeconds: number;
  /** 0 for none. */
  readonly revisionIdleTimeoutSeconds: number;
  readonly containerConcurrency: number;
  readonly containerConcurrencyMaxLimit: number;
  readonly allowContainerConcurrencyZero: boolean;
  /** Undefined leaves the choice to Kubernetes. */
  readonly enableServiceLinks: boolean | undefined;
  readonly requests: DefaultResources;
  readonly limits: DefaultResources;
  /** The name of a container without one, made from the metadata of its Service, Configuration or Revision. */
  readonly userContainerName: (parent: ObjectMeta) => string;
  readonly initContainerName: (parent: ObjectMeta) => string;
}

const TEMPLATE_NAME = 'container-template';

export function parseDefaultsConfig(data: ConfigData): DefaultsConfig {
  const reader = new ConfigReader(data);
  const initName = readTemplate(reader, 'init-container-name-template', 'init-container');
  const userName = readTemplate(reader, 'container-name-template', 'user-container');
  const allowContainerConcurrencyZero = reader.truth('allow-container-concurrency-zero', true);
  const revisionTimeoutSeconds = reader.integer('revision-timeout-seconds', INT64, 300);
  const responseStart = 'revision-response-start-timeout-seconds';
  const config: DefaultsConfig = {
    allowContainerConcurrencyZero,
    enableServiceLinks: readServiceLinks(reader),
    revisionTimeoutSeconds,
    maxRevisionTimeoutSeconds: reader.integer('max-revision-timeout-seconds', INT64, 600),
    revisionIdleTimeoutSeconds: reader.integer('revision-idle-timeout-seconds', INT64, 0),
    containerConcurrency: reader.integer('container-concurrency', INT64, 0),
    containerConcurrencyMaxLimit: reader.integer('container-concurrency-max-limit', INT64, 1000),
    requests: readResources(reader, 'request'),
    limits: readResources(reader, 'limit'),
    revisionResponseStartTimeoutSeconds: reader.integer(responseStart, INT64, revisionTimeoutSeconds),
    userContainerName: (parent) => nameFrom(userName, parent),
    initContainerName: (parent) => nameFrom(initName, parent),
  };
  checkTimeouts(config);
  checkConcurrency(config);
  for (const template of [userName, initName]) {
    const name = template.render(metadataStruct({}));
    if (name instanceof Error) throw new ConfigError(`error executing template: ${name.message}`);
  }
  return config;
}

function readTemplate(reader: ConfigReader, key: string, fallback: string): Template {
  const template = parseTemplate(TEMPLATE_NAME, reader.text(key, fallback));
  if (template instanceof Error) throw new ConfigError(template.message);
  return template;
}

function readServiceLinks(reader: ConfigReader): boolean | undefined {
  const text = reader.text('enable-service-links', 'false').toLowerCase();
  if (text === 'true') return true;
  return text === 'false' ? false : undefined;
}

function readResources(reader: ConfigReader, bound: 'request' | 'limit'): DefaultResources {
  return {
    cpu: reader.quantity(`revision-cpu-${bound}`),
    memory: reader.quantity(`revision-memory-${bound}`),
    'ephemeral-storage': reader.quantity(`revision-ephemeral-storage-${bound}`),
  };
}

function checkTimeouts(config: DefaultsConfig): void {
  const { revisionTimeoutSeconds: timeout, maxRevisionTimeoutSeconds: max } = config;
  const { revisionResponseStartTimeoutSeconds: start, revisionIdleTimeoutSeconds: idle } = config;
  const greater = (name: string, value: number, than: string) =>
    new ConfigError(`${name} (${value}) cannot be greater than ${than}`);
  if (timeout > max) throw greater('revision-timeout-seconds', timeout, `max-revision-timeout-seconds (${max})`);
  const bound = `revision-timeout-seconds (${timeout})`;
  if (start > 0 && start > timeout) throw greater('revision-response-start-timeout-seconds', start, bound);
  if (idle > 0 && idle > timeout) throw greater('revision-idle-timeout-seconds', idle, bound);
}

function checkConcurrency({ containerConcurrency: value, containerConcurrencyMaxLimit: limit }: DefaultsConfig): void {
  if (limit < 1) throw asConfigError(outOfBounds(limit, [1, MAX_INT32], 'container-concurrency-max-limit'));
  if (value < 0 || value > limit) throw asConfigError(outOfBounds(value, [0, limit], 'container-concurrency'));
}

function asConfigError(errors: FieldErrors): ConfigError {
  return new ConfigError(renderErrors(errors) ?? '');
}

function nameFrom(template: Template, parent: ObjectMeta): string {
  const name = template.render(metadataStruct(parent));
  return name instanceof Error ? '' : name;
}

/** Metadata under the names that templates use, in the type that errors name. */
function metadataStruct(metadata: ObjectMeta): object {
  return struct('v1.ObjectMeta', {
    Name: metadata.name ?? '',
    GenerateName: metadata.generateName ?? '',
    Namespace: metadata.namespace ?? '',
    SelfLink: '',
    UID: metadata.uid ?? '',
    ResourceVersion: metadata.resourceVersion ?? '',
    Generation: metadata.generation ?? 0,
    CreationTimestamp: metadata.creationTimestamp ?? '',
    DeletionTimestamp: metadata.deletionTimestamp ?? null,
    DeletionGracePeriodSeconds: metadata.deletionGracePeriodSeconds ?? null,
    Labels: metadata.labels ?? {},
    Annotations: metadata.annotations ?? {},
    OwnerReferences: [],
    Finalizers: metadata.finalizers ?? [],
    ManagedFields: [],
  });
}
