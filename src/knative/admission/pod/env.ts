/** Environment variables: names, where values may come from. */
import {
  type FieldErrors,
  fieldError,
  disallowedField,
  exactlyOne,
  missingField,
  noErrors,
  via,
  viaIndex,
} from '#knative/field-error.ts';
import type { FeaturesConfig } from '#knative/config/features.ts';
import type { Container, EnvVar } from '#knative/kinds/revision-spec.ts';
import type { ContainerRole } from '#knative/admission/pod/container.ts';

/** The platform sets these itself; PORT only where requests arrive. */
const RESERVED = ['K_SERVICE', 'K_CONFIGURATION', 'K_REVISION'];
const RESERVED_WHEN_SERVING = ['PORT', ...RESERVED];

export function validateEnv(env: readonly EnvVar[], role: ContainerRole, features: FeaturesConfig): FieldErrors {
  const reserved = role === 'serving' ? RESERVED_WHEN_SERVING : RESERVED;
  return env.flatMap((variable, index) => viaIndex('env', index, validateVariable(variable, reserved, features)));
}

function validateVariable(
  { name, valueFrom }: EnvVar,
  reserved: readonly string[],
  features: FeaturesConfig,
): FieldErrors {
  const ofName = name === '' ? missingField('name') : validateVariableName(name, reserved);
  if (!valueFrom || features.podSpecFieldRef !== 'Disabled') return ofName;
  const refused = (['fieldRef', 'resourceFieldRef'] as const).filter((source) => valueFrom[source] !== undefined);
  return refused.length === 0 ? ofName : [...ofName, ...via('valueFrom', disallowedField(...refused))];
}

function validateVariableName(name: string, reserved: readonly string[]): FieldErrors {
  return reserved.includes(name) ? fieldError(`"${name}" is a reserved environment variable`, 'name') : noErrors;
}

const SOURCES = ['configMapRef', 'secretRef'] as const;

/** Which of the sources is at fault, the path does not say; nor does Knative's. */
export function validateEnvFrom(envFrom: NonNullable<Container['envFrom']>): FieldErrors {
  const errors = envFrom.flatMap((source) =>
    exactlyOne(
      SOURCES.filter((name) => source[name]),
      SOURCES,
    ),
  );
  return via('envFrom', errors);
}
