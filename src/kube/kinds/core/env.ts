/** Environment variables and where their values come from. */
import {
  boolean,
  documented,
  embedded,
  type Infer,
  object,
  pointer,
  quantity,
  refine,
  required,
  string,
} from '#kube/schema.ts';

export const objectFieldSelectorSchema = object(
  {
    apiVersion: string('Version in which the path is written.'),
    fieldPath: required(string('Path of the field, such as metadata.name.')),
  },
  { name: 'io.k8s.api.core.v1.ObjectFieldSelector', doc: 'A field of the pod itself.', atomic: true },
);
export type ObjectFieldSelector = Infer<typeof objectFieldSelectorSchema>;

export const resourceFieldSelectorSchema = object(
  {
    containerName: string('Name of the container; needed in volumes only.'),
    resource: required(string('Resource that is read, such as limits.cpu.')),
    divisor: embedded(quantity('Unit in which the value is given.')),
  },
  { name: 'io.k8s.api.core.v1.ResourceFieldSelector', doc: "A container's resource request or limit.", atomic: true },
);
export type ResourceFieldSelector = Infer<typeof resourceFieldSelectorSchema>;

const configMapKeySelectorSchema = object(
  {
    name: refine(string('Name of the ConfigMap.'), { default: '' }),
    key: required(string('Key whose value is taken.')),
    optional: pointer(boolean('When true, the ConfigMap or the key may be missing.')),
  },
  { name: 'io.k8s.api.core.v1.ConfigMapKeySelector', doc: 'One key of a ConfigMap.', atomic: true },
);

const secretKeySelectorSchema = object(
  {
    name: refine(string('Name of the Secret.'), { default: '' }),
    key: required(string('Key whose value is taken.')),
    optional: pointer(boolean('When true, the Secret or the key may be missing.')),
  },
  { name: 'io.k8s.api.core.v1.SecretKeySelector', doc: 'One key of a Secret.', atomic: true },
);

const envVarSourceSchema = object(
  {
    fieldRef: documented(objectFieldSelectorSchema, 'A field of the pod.'),
    resourceFieldRef: documented(resourceFieldSelectorSchema, 'A resource of a container.'),
    configMapKeyRef: documented(configMapKeySelectorSchema, 'A key of a ConfigMap.'),
    secretKeyRef: documented(secretKeySelectorSchema, 'A key of a Secret.'),
  },
  { name: 'io.k8s.api.core.v1.EnvVarSource', doc: "Where a variable's value comes from; one of these." },
);

export const envVarSchema = object(
  {
    name: required(string('Name of the variable.')),
    value: string('Value, in which $(NAME) stands for earlier variables.'),
    valueFrom: documented(envVarSourceSchema, 'Source of the value, when it is not given here.'),
  },
  { name: 'io.k8s.api.core.v1.EnvVar', doc: 'One environment variable.' },
);
export type EnvVar = Infer<typeof envVarSchema>;

const configMapEnvSourceSchema = object(
  {
    name: refine(string('Name of the ConfigMap.'), { default: '' }),
    optional: pointer(boolean('When true, the ConfigMap may be missing.')),
  },
  { name: 'io.k8s.api.core.v1.ConfigMapEnvSource', doc: 'A ConfigMap whose keys become variables.' },
);

const secretEnvSourceSchema = object(
  {
    name: refine(string('Name of the Secret.'), { default: '' }),
    optional: pointer(boolean('When true, the Secret may be missing.')),
  },
  { name: 'io.k8s.api.core.v1.SecretEnvSource', doc: 'A Secret whose keys become variables.' },
);

export const envFromSourceSchema = object(
  {
    prefix: string('Text put before each name.'),
    configMapRef: documented(configMapEnvSourceSchema, 'The ConfigMap to take.'),
    secretRef: documented(secretEnvSourceSchema, 'The Secret to take.'),
  },
  { name: 'io.k8s.api.core.v1.EnvFromSource', doc: 'A whole ConfigMap or Secret as variables.' },
);
export type EnvFromSource = Infer<typeof envFromSourceSchema>;
