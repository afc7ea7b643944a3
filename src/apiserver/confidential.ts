/** Resources whose content must not show in any log, not even in the words of an error. */

const CONFIDENTIAL: ReadonlySet<string> = new Set([
  '/secrets',
  '/configmaps',
  '/serviceaccounts/token',
  'authentication.k8s.io/tokenreviews',
]);

export interface NamedResource {
  readonly group: string;
  /** The plural. */
  readonly resource: string;
  readonly subresource?: string | undefined;
}

export function isConfidential({ group, resource, subresource }: NamedResource): boolean {
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
  return CONFIDENTIAL.has(`${group}/${resource}`) || CONFIDENTIAL.has(`${group}/${whole}`);
}
